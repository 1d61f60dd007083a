use anyhow::{Result, anyhow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{Run, SCHEMA};

/// A results file as others read it: a run, and behind it what shows that nothing of it was changed since.
#[derive(JsonSchema)]
#[schemars(extend("if" = { "properties": { "schema": { "const": 1 } } }, "else" = { "required": ["digest"] }))]
pub struct ResultsFile {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// Of all bytes before the comma in front of it. Files of schema 1 have none.
    #[serde(default)]
    pub digest: Option<Digest>,
}

/// What a file's bytes were when it was written. It shows damage and edits; it is no signature, since whoever
/// forges a file can make another.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Digest {
    /// How many.
    pub bytes: u64,
    /// SHA-256 of them (FIPS 180-4), in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why a file's figures are not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// Its end is missing.
    #[error("ends in the middle, at line {line}: it was cut off; {RESTORE}")]
    CutOff {
        /// The last line, from 1.
        line: usize,
    },
    /// It is no text, or no JSON.
    #[error("is not JSON, at line {line}: {reason}: it was damaged or edited by hand; {RESTORE}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Bytes are others than were written, as many as there were.
    #[error(
        "does not match its digest, at the length it was written with: a byte was damaged or edited by hand; {RESTORE}"
    )]
    Changed,
    /// There are more or fewer bytes than were written.
    #[error(
        "was written with {written} bytes before its digest and has {found}: it was edited by hand; {RESTORE}"
    )]
    Edited {
        /// Then.
        written: u64,
        /// Now.
        found: u64,
    },
    /// The digest itself is gone, or no digest any more.
    #[error(
        "does not end with a digest, as files of schema {schema} do: it was edited by hand or damaged; {RESTORE}"
    )]
    Unsealed {
        /// Its schema.
        schema: u32,
    },
    /// Another version of this program wrote it.
    #[error(
        "is of schema {schema}, and this program reads 1 to {SCHEMA}: read it with the version that wrote it, or a later one"
    )]
    OtherVersion {
        /// Its schema.
        schema: u32,
    },
}

const RESTORE: &str = "restore it from version control, or measure again: results are not corrected by hand";

/// Between the run and its digest. No JSON string holds it, since a line break in one is escaped.
const MARK: &str = ",\n  \"digest\": ";
/// Behind the digest.
const END: &str = "\n}\n";

/// A run as the text of its file.
///
/// # Errors
/// It cannot be written as JSON.
pub(super) fn sealed(run: &Run) -> Result<String> {
    let text = serde_json::to_string_pretty(run)?;
    let body = text.strip_suffix("\n}").ok_or_else(|| anyhow!("a run is an object in JSON"))?;
    Ok(format!("{body}{MARK}{}{END}", serde_json::to_string(&Digest::of(body))?))
}

/// The text of a file, of which all is well that can be known without reading its figures.
///
/// # Errors
/// What happened to it.
pub(super) fn unbroken(bytes: &[u8]) -> Result<&str, Broken> {
    #[derive(Deserialize)]
    struct Versioned {
        schema: u32,
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        // Without a length, the bytes end within a character.
        error
            .error_len()
            .map_or(Broken::CutOff { line }, |_| Broken::NotJson { line, reason: error.to_string() })
    })?;
    let Versioned { schema } = serde_json::from_str(text).map_err(|error| {
        let line = error.line();
        if is_at_end(text, &error) && !text.ends_with(END) {
            Broken::CutOff { line }
        } else {
            Broken::NotJson { line, reason: error.to_string() }
        }
    })?;
    if !(1..=SCHEMA).contains(&schema) {
        return Err(Broken::OtherVersion { schema });
    }
    let Some((body, digest)) = text.rsplit_once(MARK) else {
        return if schema == 1 { Ok(text) } else { Err(Broken::Unsealed { schema }) };
    };
    let written: Option<Digest> =
        digest.strip_suffix(END).and_then(|digest| serde_json::from_str(digest).ok());
    let (written, found) = (written.ok_or(Broken::Unsealed { schema })?, Digest::of(body));
    // Compared as they are written: white space in it is a change too.
    if serde_json::to_string(&found).ok().as_deref() == digest.strip_suffix(END) {
        Ok(text)
    } else if written.bytes == found.bytes {
        Err(Broken::Changed)
    } else {
        Err(Broken::Edited { written: written.bytes, found: found.bytes })
    }
}

/// Did the text end where more was expected?
fn is_at_end(text: &str, error: &serde_json::Error) -> bool {
    let last = text.split('\n').next_back().unwrap_or_default();
    error.is_eof() || (error.line() == text.split('\n').count() && error.column() >= last.len())
}

impl Digest {
    fn of(body: &str) -> Self {
        Self { bytes: body.len() as u64, sha256: hexadecimal(&Sha256::digest(body)) }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_can_flip_unnoticed() {
        let old = include_str!("../../tests/fixtures/schema-1.json");
        let mut run: Run = serde_json::from_str(old).expect("a run");
        run.header.schema = SCHEMA;
        run.trials.truncate(1);
        let mut bytes = sealed(&run).expect("JSON").into_bytes();
        assert!(unbroken(&bytes).is_ok());
        for place in 0..bytes.len() {
            let flip = 1 << (place % 8);
            bytes[place] ^= flip;
            assert!(unbroken(&bytes).is_err(), "the flip at {place} was not noticed");
            bytes[place] ^= flip;
        }
    }
}
