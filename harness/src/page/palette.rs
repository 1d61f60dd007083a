use std::collections::BTreeSet;

use crate::report::CEILING;
use crate::results::{Entry, Run};

/// Hues that stay apart for people with any of the common deficiencies of colour vision: after Okabe and Ito,
/// *Color Universal Design* (2008), made darker for a light ground and lighter for a dark one in the style sheet.
const HUES: usize = 8;

/// Which colour is whose: by a contender's name, so that its control has the same.
pub(super) struct Palette<'a> {
    entries: Vec<&'a Entry>,
    names: BTreeSet<&'a str>,
}

/// The colour of one entry.
pub(super) struct Colour {
    /// Index of the entry.
    pub index: usize,
    /// Name of the style sheet's variable.
    pub variable: String,
    /// How its lines are broken: the second use of a hue, and the control.
    pub dashes: &'static str,
}

impl<'a> Palette<'a> {
    pub fn of(run: &'a Run) -> Self {
        let entries: Vec<&Entry> = run.header.contenders.iter().collect();
        let names = entries.iter().map(|entry| entry.manifest.name.as_str()).filter(|name| *name != CEILING);
        Self { names: names.collect(), entries }
    }

    pub fn colours(&self) -> Vec<Colour> {
        self.entries.iter().enumerate().map(|(index, entry)| self.colour(index, entry)).collect()
    }

    fn colour(&self, index: usize, entry: &Entry) -> Colour {
        let place = self.names.iter().position(|name| *name == entry.manifest.name);
        let dashes = match place {
            _ if entry.is_control() => "2 4",
            None => "none",
            Some(place) => ["none", "7 3", "3 3", "9 3 2 3"][place / HUES % 4],
        };
        let variable = place.map_or("--ceiling".to_owned(), |place| format!("--hue-{}", place % HUES));
        Colour { index, variable, dashes }
    }
}
