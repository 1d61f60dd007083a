use std::num::NonZeroUsize;

use contract::{Limits, Timing};

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
    // Countdown
    TakesAnyCount,
    TakesBinaryCounts,
    // Event streams
    CachesEventStreams,
    SaysNoRetry,
    NoSpacesInBlocks,
    ForgetsEventLines,
    BreaksLinesInBlocks,
    SubscribesStreamsAfterTheHead,
    IgnoresLastEventId,
    PrefersTheQuery,
    KeepsHalfEndedStreams,
    // Polls
    PollsEndAtOnce,
    PollsAnswerNothing,
    PollsEndWith200,
    PollsAreNotCounted,
    PollsHoldOne,
    NoPollLimit,
    // All transports
    CountsNoEventStreams,
    CountsNoPolls,
    PingsWithBytes,
    // The feed
    EndsFeedsWith200,
    HearsFeedClients,
    // Clients that vanish
    NoHeartbeats,
    NoKeepalive,
    NoUserTimeout,
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
            Self::NoPollLimit => Limits { poll_bytes: usize::MAX, ..limits },
            Self::NeverDropsLagging => Limits { replay_window: NonZeroUsize::MAX, ..limits },
            _ => limits,
        }
    }

    /// The times that the faulty server keeps, when it was told `timing`.
    pub fn timing(self, timing: Timing) -> Timing {
        match self {
            Self::NoHeartbeats => Timing { heartbeat_ms: 0, ..timing },
            Self::NoKeepalive => Timing { tcp_keepalive_s: 0, ..timing },
            Self::NoUserTimeout => Timing { tcp_user_timeout_ms: 0, ..timing },
            _ => timing,
        }
    }
}
