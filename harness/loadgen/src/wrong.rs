//! Messages that came, and were not the right ones: the causes that they are counted under.

pub(crate) const OTHER_KIND: &str = "a reply of the wrong kind";
pub(crate) const OTHER_ORDER: &str = "a reply out of order";
pub(crate) const OTHER_CONNECTION: &str = "a reply to another connection";
pub(crate) const OTHER_REPLY: &str = "a reply that differs from what was sent";
pub(crate) const OTHER_ANSWER: &str = "an answer that differs from the right one";
pub(crate) const OTHER_DELIVERY: &str = "a delivery that differs from what was published";
pub(crate) const NO_DELIVERY: &str = "a message that is no delivery";

const ALL: [&str; 7] =
    [OTHER_KIND, OTHER_ORDER, OTHER_CONNECTION, OTHER_REPLY, OTHER_ANSWER, OTHER_DELIVERY, NO_DELIVERY];

/// Does this cause of [`Measurement::errors`](crate::Measurement::errors) say that a payload was wrong, and not that
/// something was lost, refused or unasked for?
#[must_use]
pub fn is_wrong_payload(cause: &str) -> bool {
    ALL.contains(&cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_payload_is_told_from_a_lost_one() {
        assert!(is_wrong_payload("a reply that differs from what was sent"));
        assert!(!is_wrong_payload("reset") && !is_wrong_payload("a delivery that never came"));
    }
}
