use std::num::NonZeroUsize;

use contract::Limits;

/// What a server may get wrong, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    // HTTP
    NamesNoFramework,
    WrongContentType,
    ExtraMember,
    CountsUp,
    UnknownPathsAreFound,
    AnyMethod,
    ClosesAfterEachAnswer,
    ForgetsPipelinedRequests,
    WantsRequestsInOneRead,
    IgnoresConnectionClose,
    ClaimsCompression,
    // The handshake
    WrongAccept,
    ReadsFieldsInOneCase,
    ForgetsFramesAfterTheUpgrade,
    NegotiatesCompression,
    AnyUpgrade,
    AnyKey,
    CountsRefusedUpgrades,
    // Echo
    SwapsAByteInAThousand,
    SwapsTwoInAThousand,
    CutsLongMessages,
    EchoesTextAsBinary,
    StripsByteOrderMarks,
    SendsFragmentsApart,
    HoldsPongsUntilTheMessageEnds,
    WantsFramesInOneRead,
    EmptyPongs,
    AnswersPongs,
    AnswersNoClose,
    StaysOpenAfterClose,
    ForgetsWhatCameBeforeAClose,
    MasksItsFrames,
    // Publishing
    IdsSkip,
    CountsNoSubscribers,
    SpacesInItsJson,
    ForgetsEventNames,
    ForgetsEscapes,
    CutsLongPublications,
    AnyUtf8InBodies,
    AnyEventName,
    ReadsNoChunks,
    WaitsForTheWholeBody,
    // Broadcast
    LosesADeliveryInAThousand,
    RepeatsADeliveryInAThousand,
    SwapsADeliveredByteInAThousand,
    SwapsTwoDeliveriesInAThousand,
    LosesMessagesOfSubscribers,
    SwapsMessagesOfSubscribers,
    SubscribesAfterTheAnswer,
    // Subscribers
    NeverForgetsSubscribers,
    ForgetsOnlyWhoCloses,
    DropsAtHalfTheWindow,
    NeverDropsLagging,
    CountsNoLagging,
    // Replay
    ReplaysOneTooMany,
    ReplaysOneTooFew,
    ReplaysNothing,
    ReplaysForIdsToCome,
    ReplaysWithoutEventNames,
    LosesWhatCameDuringAReplay,
    AnyAfter,
    // Refusals
    NoLimits,
    LimitsFramesOnly,
    WaitsForTheWholeFrame,
    NeedsNoMask,
    IgnoresReservedBits,
    IgnoresReservedOpcodes,
    IgnoresFragmentedControls,
    IgnoresLongControls,
    IgnoresFragmentOrder,
    ContinuesEndedMessages,
    IgnoresMalformedCloses,
    AnyUtf8InMessages,
    PublishesBinary,
    WrongCloseCode,
    // Robustness
    OneAtATime,
    PublishesHalfABody,
    PublishesHalfAMessage,
    DiesOfGarbage,
    ReadsOnWhenUnread,
}

impl Fault {
    /// The limits that the faulty server keeps, when it was told `limits`.
    pub fn limits(self, limits: Limits) -> Limits {
        let half = limits.replay_window.get() / 2;
        match self {
            Self::NoLimits => Limits { publication_bytes: usize::MAX, echo_bytes: usize::MAX, ..limits },
            Self::DropsAtHalfTheWindow => {
                Limits { replay_window: NonZeroUsize::new(half).expect("a window above 1"), ..limits }
            }
            Self::NeverDropsLagging => Limits { replay_window: NonZeroUsize::MAX, ..limits },
            _ => limits,
        }
    }
}
