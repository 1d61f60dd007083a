//! The checks themselves, checked: an honest server passes them all, and each fault is caught by the
//! checks that are there to catch it.

mod reference;

use std::collections::BTreeSet;
use std::time::Duration;

use conformance::{checks, verify};
use reference::Fault;

/// The honest server under a debug build beside other tests: only a hang takes this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a faulty server is given before its silence counts.
const SHORT_PATIENCE: Duration = Duration::from_secs(1);

/// Each fault with the checks that must fail by it.
type Caught = (Fault, &'static [&'static str]);

const HTTP: &[Caught] = &[
    (Fault::NamesNoFramework, &["root-names-contender-framework-version-and-workers"]),
    (
        Fault::WrongContentType,
        &[
            "root-names-contender-framework-version-and-workers",
            "other-paths-are-not-found",
            "receipts-count-by-one",
        ],
    ),
    (Fault::ExtraMember, &["stats-have-the-shape-of-the-contract"]),
    (Fault::CountsUp, &["xhr-counts-down", "xhr-refuses-what-is-no-count"]),
    (Fault::UnknownPathsAreFound, &["other-paths-are-not-found"]),
    (Fault::AnyMethod, &["other-methods-are-not-allowed"]),
    (Fault::ClosesAfterEachAnswer, &["connections-are-kept-for-further-requests"]),
    (Fault::ForgetsPipelinedRequests, &["requests-in-one-packet-are-answered-in-order"]),
    (
        Fault::WantsRequestsInOneRead,
        &["a-request-byte-by-byte-is-answered", "an-upgrade-byte-by-byte-is-accepted"],
    ),
    (Fault::IgnoresConnectionClose, &["connection-close-is-obeyed"]),
    (Fault::ClaimsCompression, &["answers-are-not-compressed"]),
];

const HANDSHAKE: &[Caught] = &[
    (Fault::WrongAccept, &["an-upgrade-is-accepted"]),
    (Fault::ReadsFieldsInOneCase, &["names-and-tokens-of-an-upgrade-are-read-in-any-case"]),
    (Fault::ForgetsFramesAfterTheUpgrade, &["frames-in-the-packet-of-the-upgrade-are-read"]),
    (Fault::NegotiatesCompression, &["extensions-and-subprotocols-are-declined"]),
    (
        Fault::AnyUpgrade,
        &[
            "a-websocket-path-without-upgrade-is-refused",
            "an-upgrade-without-the-upgrade-field-is-refused",
            "an-upgrade-to-another-protocol-is-refused",
            "an-upgrade-without-connection-upgrade-is-refused",
            "an-upgrade-without-a-key-is-refused",
            "an-upgrade-of-another-version-is-refused",
        ],
    ),
    (Fault::AnyKey, &["an-upgrade-whose-key-is-not-16-bytes-is-refused"]),
    (Fault::CountsRefusedUpgrades, &["a-refused-upgrade-leaves-no-subscriber"]),
];

const ECHO: &[Caught] = &[
    (Fault::SwapsAByteInAThousand, &["echo-keeps-the-order-of-pipelined-messages"]),
    (Fault::SwapsTwoInAThousand, &["echo-keeps-the-order-of-pipelined-messages"]),
    (
        Fault::CutsLongMessages,
        &[
            "echo-returns-text-of-every-size",
            "echo-returns-binary-of-every-size",
            "messages-of-every-size-are-published",
        ],
    ),
    (Fault::EchoesTextAsBinary, &["echo-returns-text-of-every-size"]),
    (Fault::StripsByteOrderMarks, &["echo-returns-unicode-unchanged"]),
    (
        Fault::SendsFragmentsApart,
        &["fragments-come-back-as-the-same-message", "a-message-in-fragments-is-one-publication"],
    ),
    (Fault::HoldsPongsUntilTheMessageEnds, &["control-frames-between-fragments-are-answered"]),
    (Fault::WantsFramesInOneRead, &["a-frame-byte-by-byte-comes-back"]),
    (Fault::EmptyPongs, &["pings-are-answered-with-their-bytes"]),
    (Fault::AnswersPongs, &["pongs-are-not-answered"]),
    (Fault::AnswersNoClose, &["a-close-is-answered-with-a-close"]),
    (Fault::StaysOpenAfterClose, &["a-close-is-answered-with-a-close"]),
    (Fault::ForgetsWhatCameBeforeAClose, &["messages-before-a-close-still-come-back"]),
    (Fault::MasksItsFrames, &["echo-returns-text-of-every-size", "an-upgrade-is-accepted"]),
];

const PUBLISH: &[Caught] = &[
    (Fault::IdsSkip, &["receipts-count-by-one"]),
    (Fault::CountsNoSubscribers, &["receipts-count-the-subscribers"]),
    (Fault::SpacesInItsJson, &["a-publication-is-sent-as-the-contract-writes-it"]),
    (Fault::ForgetsEventNames, &["event-names-are-sent-with-the-publication"]),
    (Fault::ForgetsEscapes, &["any-text-survives-its-json"]),
    (Fault::CutsLongPublications, &["publications-of-every-size-are-sent"]),
    (Fault::AnyUtf8InBodies, &["a-publication-that-is-not-utf8-is-refused-with-400"]),
    (Fault::AnyEventName, &["bad-event-names-are-refused-with-400"]),
    (Fault::ReadsNoChunks, &["a-chunked-body-is-read"]),
    (
        Fault::WaitsForTheWholeBody,
        &[
            "a-length-over-the-limit-is-refused-before-the-body",
            "a-chunked-body-over-the-limit-is-refused-with-413",
        ],
    ),
];

const BROADCAST: &[Caught] = &[
    (Fault::LosesADeliveryInAThousand, &["every-subscriber-gets-every-publication-once-and-in-order"]),
    (Fault::RepeatsADeliveryInAThousand, &["every-subscriber-gets-every-publication-once-and-in-order"]),
    (Fault::SwapsADeliveredByteInAThousand, &["every-subscriber-gets-every-publication-once-and-in-order"]),
    (Fault::SwapsTwoDeliveriesInAThousand, &["every-subscriber-gets-every-publication-once-and-in-order"]),
    (Fault::LosesMessagesOfSubscribers, &["a-message-of-a-subscriber-reaches-all-and-itself"]),
    (Fault::SwapsMessagesOfSubscribers, &["messages-of-one-subscriber-keep-their-order"]),
    (
        Fault::SubscribesAfterTheAnswer,
        &[
            "a-subscriber-is-counted-before-its-upgrade-is-answered",
            "nothing-published-after-the-upgrade-is-missed",
        ],
    ),
];

const SUBSCRIBERS: &[Caught] = &[
    (
        Fault::NeverForgetsSubscribers,
        &[
            "a-subscriber-that-closes-is-forgotten",
            "connections-that-come-and-go-leave-nothing",
            "the-server-is-left-without-subscribers",
        ],
    ),
    (
        Fault::ForgetsOnlyWhoCloses,
        &["a-subscriber-that-resets-is-forgotten", "a-subscriber-that-ends-without-a-close-is-forgotten"],
    ),
    (
        Fault::DropsAtHalfTheWindow,
        &["a-subscriber-within-the-replay-window-loses-nothing", "a-replay-goes-back-as-far-as-the-window"],
    ),
    (Fault::NeverDropsLagging, &["a-lagging-subscriber-is-dropped-and-counted"]),
    (Fault::CountsNoLagging, &["a-lagging-subscriber-is-dropped-and-counted"]),
];

const REPLAY: &[Caught] = &[
    (
        Fault::ReplaysOneTooMany,
        &["a-replay-begins-right-after-the-id", "a-replay-after-the-newest-id-is-empty"],
    ),
    (Fault::ReplaysOneTooFew, &["a-replay-begins-right-after-the-id"]),
    (
        Fault::ReplaysNothing,
        &["a-replay-begins-right-after-the-id", "a-replay-goes-back-as-far-as-the-window"],
    ),
    (Fault::ReplaysForIdsToCome, &["a-replay-after-an-id-to-come-means-from-now-on"]),
    (Fault::ReplaysWithoutEventNames, &["a-replay-keeps-event-names-and-escapes"]),
    (Fault::LosesWhatCameDuringAReplay, &["a-replay-meets-the-live-publications-without-a-gap"]),
    (Fault::AnyAfter, &["an-after-that-is-no-whole-number-is-refused-with-400"]),
];

const REFUSALS: &[Caught] = &[
    (
        Fault::NoLimits,
        &[
            "an-echo-message-over-the-limit-is-closed-with-1009",
            "a-message-over-the-limit-of-publications-is-closed-with-1009",
            "a-publication-over-the-limit-is-refused-with-413",
            "a-chunked-body-over-the-limit-is-refused-with-413",
        ],
    ),
    (
        Fault::LimitsFramesOnly,
        &[
            "an-echo-message-over-the-limit-is-closed-with-1009",
            "a-message-over-the-limit-of-publications-is-closed-with-1009",
        ],
    ),
    (Fault::WaitsForTheWholeFrame, &["a-frame-of-impossible-length-is-refused-at-once"]),
    (Fault::NeedsNoMask, &["an-unmasked-frame-is-closed-with-1002"]),
    (Fault::IgnoresReservedBits, &["reserved-bits-are-closed-with-1002"]),
    (Fault::IgnoresReservedOpcodes, &["reserved-opcodes-are-closed-with-1002"]),
    (Fault::IgnoresFragmentedControls, &["a-fragmented-control-frame-is-closed-with-1002"]),
    (Fault::IgnoresLongControls, &["a-control-frame-over-125-bytes-is-closed-with-1002"]),
    (Fault::IgnoresFragmentOrder, &["fragments-out-of-order-are-closed-with-1002"]),
    (Fault::ContinuesEndedMessages, &["a-continuation-of-an-ended-message-is-closed-with-1002"]),
    (Fault::IgnoresMalformedCloses, &["a-malformed-close-is-closed-with-1002"]),
    (Fault::AnyUtf8InMessages, &["text-that-is-not-utf8-is-closed-with-1007"]),
    (Fault::PublishesBinary, &["a-binary-message-to-subscribers-is-closed-with-1003"]),
    (
        Fault::WrongCloseCode,
        &[
            "an-unmasked-frame-is-closed-with-1002",
            "text-that-is-not-utf8-is-closed-with-1007",
            "an-echo-message-over-the-limit-is-closed-with-1009",
        ],
    ),
    (Fault::StaysOpenAfterClose, &["a-refused-connection-is-ended-by-the-server"]),
];

const COUNTDOWN: &[Caught] = &[
    (Fault::CountsUp, &["a-countdown-counts-down"]),
    (Fault::ForgetsPipelinedRequests, &["a-countdown-answers-pipelined-messages-in-order"]),
    (Fault::TakesAnyCount, &["what-is-no-count-is-closed-with-1008"]),
    (Fault::NoLimits, &["a-countdown-message-over-the-limit-is-closed-with-1009"]),
    (Fault::TakesBinaryCounts, &["a-binary-countdown-message-is-closed-with-1003"]),
    (Fault::AnyUtf8InMessages, &["a-countdown-message-that-is-not-utf8-is-closed-with-1007"]),
];

const SSE: &[Caught] = &[
    (Fault::CachesEventStreams, &["an-event-stream-has-its-fields"]),
    (Fault::SaysNoRetry, &["an-event-stream-begins-with-its-retry-at-once"]),
    (Fault::NoSpacesInBlocks, &["an-event-stream-is-sent-as-the-contract-writes-it"]),
    (
        Fault::ForgetsEventLines,
        &["an-event-stream-is-read-as-by-a-browser", "an-event-stream-is-sent-as-the-contract-writes-it"],
    ),
    (Fault::BreaksLinesInBlocks, &["any-text-reaches-an-event-stream-unchanged"]),
    (Fault::CutsLongPublications, &["publications-of-every-size-reach-an-event-stream"]),
    (Fault::NoHeartbeats, &["an-event-stream-gets-heartbeats"]),
    (
        Fault::SubscribesStreamsAfterTheHead,
        &[
            "an-event-stream-is-counted-before-its-head",
            "nothing-published-after-the-head-of-an-event-stream-is-missed",
        ],
    ),
    (
        Fault::IgnoresLastEventId,
        &[
            "an-event-stream-begins-right-after-the-id",
            "an-event-stream-goes-back-as-far-as-the-window",
            "a-last-event-id-that-is-no-whole-number-is-refused-with-400",
        ],
    ),
    (Fault::PrefersTheQuery, &["an-event-stream-begins-right-after-the-id"]),
    (Fault::ReplaysForIdsToCome, &["an-event-stream-after-an-id-to-come-means-from-now-on"]),
    (Fault::AnyAfter, &["a-last-event-id-that-is-no-whole-number-is-refused-with-400"]),
    (
        Fault::NeverForgetsSubscribers,
        &["an-event-stream-that-ends-is-forgotten", "an-event-stream-that-resets-is-forgotten"],
    ),
    (Fault::KeepsHalfEndedStreams, &["an-event-stream-whose-client-ends-its-half-is-forgotten"]),
    (Fault::NeverDropsLagging, &["a-lagging-event-stream-is-ended-and-counted"]),
    (Fault::CountsNoLagging, &["a-lagging-event-stream-is-ended-and-counted"]),
];

const POLL: &[Caught] = &[
    (Fault::ReplaysOneTooMany, &["a-poll-is-answered-at-once-with-all-after-the-id"]),
    (
        Fault::PollsEndAtOnce,
        &[
            "a-poll-waits-for-the-next-publication",
            "a-poll-ends-with-204-when-nothing-came",
            "a-poll-is-a-subscriber-while-it-waits",
        ],
    ),
    (Fault::PollsAnswerNothing, &["a-poll-waits-for-the-next-publication"]),
    (Fault::PollsEndWith200, &["a-poll-ends-with-204-when-nothing-came"]),
    (Fault::PollsAreNotCounted, &["a-poll-is-a-subscriber-while-it-waits"]),
    (
        Fault::PollsHoldOne,
        &["a-poll-is-answered-at-once-with-all-after-the-id", "the-answer-to-a-poll-has-its-limit"],
    ),
    (Fault::NoPollLimit, &["the-answer-to-a-poll-has-its-limit"]),
    (
        Fault::ReplaysNothing,
        &[
            "polls-one-after-the-other-get-every-publication-once-and-in-order",
            "a-poll-goes-back-as-far-as-the-window",
        ],
    ),
    (Fault::AnyAfter, &["a-poll-after-no-whole-number-is-refused-with-400"]),
    (Fault::NeverForgetsSubscribers, &["a-poll-whose-client-leaves-is-forgotten-when-its-time-is-over"]),
];

const TRANSPORTS: &[Caught] = &[
    (Fault::ForgetsEscapes, &["a-publication-reaches-all-transports-as-the-same-bytes"]),
    (Fault::NoSpacesInBlocks, &["a-publication-reaches-all-transports-as-the-same-bytes"]),
    (Fault::LosesMessagesOfSubscribers, &["a-message-of-a-websocket-reaches-the-other-transports"]),
    (Fault::CountsNoEventStreams, &["stats-count-subscribers-by-transport"]),
    (Fault::CountsNoPolls, &["stats-count-subscribers-by-transport"]),
    (Fault::LosesADeliveryInAThousand, &["event-streams-get-every-publication-once-and-in-order"]),
    (Fault::PingsWithBytes, &["a-subscriber-over-websocket-gets-empty-pings"]),
    (Fault::NoHeartbeats, &["a-subscriber-over-websocket-gets-empty-pings"]),
];

const FEED: &[Caught] = &[
    (Fault::WrongContentType, &["the-feed-has-its-items"]),
    (
        Fault::SpacesInItsJson,
        &["the-feed-is-the-same-over-an-event-stream", "the-feed-is-the-same-over-websocket"],
    ),
    (Fault::WrongCloseCode, &["the-feed-is-the-same-over-websocket"]),
    (
        Fault::IgnoresLastEventId,
        &[
            "a-feed-stream-goes-on-after-the-id",
            "a-feed-stream-that-is-over-is-a-204",
            "a-feed-stream-after-no-whole-number-is-refused-with-400",
        ],
    ),
    (Fault::EndsFeedsWith200, &["a-feed-stream-that-is-over-is-a-204"]),
    (Fault::AnyAfter, &["a-feed-stream-after-no-whole-number-is-refused-with-400"]),
    (Fault::HearsFeedClients, &["a-feed-client-is-not-heard-but-for-pings-and-closes"]),
];

const VANISHED: &[Caught] = &[
    (Fault::NoKeepalive, &["clients-that-vanish-are-ended"]),
    (Fault::NoUserTimeout, &["clients-that-vanish-are-ended"]),
];

const ROBUSTNESS: &[Caught] = &[
    (Fault::OneAtATime, &["half-requests-hold-up-nobody"]),
    (Fault::PublishesHalfABody, &["half-a-body-is-not-published"]),
    (Fault::PublishesHalfAMessage, &["half-a-message-is-not-published"]),
    (Fault::DiesOfGarbage, &["what-is-not-http-ends-its-connection-alone"]),
    (Fault::ReadsOnWhenUnread, &["an-echo-client-that-does-not-read-is-not-read"]),
];

#[test]
fn an_honest_server_passes_all_checks() {
    let mut target = reference::start(Fault::None);
    target.patience = PATIENCE;
    let report = verify(&target, |_| true, |_, _| {});
    let failures: Vec<String> = report.failures().map(|(c, f)| format!("{}: {f}", c.name)).collect();
    assert!(report.passed(), "{failures:#?}");
    assert_eq!(report.results.len(), checks().len());
}

#[test]
fn every_check_can_fail() {
    let groups = [
        HTTP,
        HANDSHAKE,
        ECHO,
        COUNTDOWN,
        PUBLISH,
        BROADCAST,
        SUBSCRIBERS,
        REPLAY,
        SSE,
        POLL,
        TRANSPORTS,
        FEED,
        REFUSALS,
        VANISHED,
        ROBUSTNESS,
    ];
    let caught: BTreeSet<_> = groups.concat().iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let all: BTreeSet<_> = checks().iter().map(|check| check.name).collect();
    assert_eq!(caught, all);
}

macro_rules! caught {
    ($($test:ident: $faults:ident)*) => {
        $(#[test] fn $test() { each_is_caught($faults); })*
    };
}

caught! {
    faults_of_http_are_caught: HTTP
    faults_of_handshakes_are_caught: HANDSHAKE
    faults_of_echo_are_caught: ECHO
    faults_of_publishing_are_caught: PUBLISH
    faults_of_broadcast_are_caught: BROADCAST
    faults_of_subscribers_are_caught: SUBSCRIBERS
    faults_of_replays_are_caught: REPLAY
    faults_of_countdowns_are_caught: COUNTDOWN
    faults_of_event_streams_are_caught: SSE
    faults_of_polls_are_caught: POLL
    faults_of_transports_are_caught: TRANSPORTS
    faults_of_the_feed_are_caught: FEED
    faults_of_refusals_are_caught: REFUSALS
    faults_about_vanished_clients_are_caught: VANISHED
    faults_of_robustness_are_caught: ROBUSTNESS
}

fn each_is_caught(faults: &[Caught]) {
    for (fault, expected) in faults {
        let mut target = reference::start(*fault);
        target.patience = SHORT_PATIENCE;
        let report = verify(&target, |check| expected.contains(&check.name), |_, _| {});
        let failed: BTreeSet<_> = report
            .failures()
            .map(|(check, failure)| {
                println!("{fault:?}: {}: {failure}", check.name);
                check.name
            })
            .collect();
        assert_eq!(failed, expected.iter().copied().collect(), "checks that {fault:?} must fail");
    }
}
