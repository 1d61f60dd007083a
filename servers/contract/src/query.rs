use crate::Refusal;

/// Where a countdown may begin: beyond, JSON's numbers are no longer exact in every language (RFC 8259, section 6).
pub(crate) const MAX_COUNT: u64 = 1 << 53;

/// The first value of `name` in a query string.
pub(crate) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// The publication or item after which a stream is to begin. `last_event_id` is the header of that name: a browser that
/// connects again repeats the URL as it was, so the header is the newer one (HTML standard, section 9.2.3).
pub(crate) fn after(query: Option<&str>, last_event_id: Option<&[u8]>) -> Result<Option<u64>, Refusal> {
    let (name, value) = match last_event_id {
        Some(header) => ("Last-Event-ID", String::from_utf8_lossy(header).into_owned()),
        None => match parameter(query, "after") {
            Some(value) => ("after", value),
            None => return Ok(None),
        },
    };
    match whole_number(&value) {
        Some(id) => Ok(Some(id)),
        None => Err(Refusal::BadQuery { name, value, expected: "the id of a publication, a whole number" }),
    }
}

/// Too long for 64 bits is more than any that counts.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_whole.then(|| text.parse().unwrap_or(u64::MAX))
}
