//! Names that people type.

/// What `wanted` may be instead, and the nearest of it: the end of an "unknown name" message.
#[must_use]
pub fn suggestion<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(wanted, name), *name))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let list =
        if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", known.join(", ")) };
    match nearest {
        Some((_, name)) => format!("did you mean {name}? {list}"),
        None => list,
    }
}

/// `text` as a part of a file name: lower case, words joined by dashes.
#[must_use]
pub fn slug(text: &str) -> String {
    let lower: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let mut slug = lower.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    // File names end at 255 bytes, and this is one part of several.
    slug.truncate(80);
    if slug.is_empty() { "unnamed".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_all_are_listed() {
        assert_eq!(suggestion("actx", ["actix", "warp"]), "did you mean actix? there are actix, warp");
        assert_eq!(suggestion("zzz", ["actix", "warp"]), "there are actix, warp");
        assert_eq!(suggestion("zzz", []), "there is none");
    }

    #[test]
    fn a_processor_name_becomes_part_of_a_file_name() {
        assert_eq!(slug("AMD EPYC 7B13, 2c"), "amd-epyc-7b13-2c");
        assert_eq!((slug("日本"), slug(&"a".repeat(300)).len()), ("unnamed".to_owned(), 80));
    }
}
