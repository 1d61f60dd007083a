use std::sync::LazyLock;

use bytes::Bytes;
use serde::Serialize;

use crate::poll::array;
use crate::publication::event;

/// How many items the feed has.
const ITEMS: u64 = 500;
/// Words of an item's text, at least and at most.
const WORDS: (u64, u64) = (30, 600);

/// The feed: items that are the same for every contender and each time, made when first asked for.
#[derive(Debug)]
pub struct Feed {
    items: Vec<Bytes>,
    events: Vec<Bytes>,
    array: Bytes,
}

/// One item, as a JSON object.
#[derive(Serialize)]
struct Item {
    id: u64,
    title: String,
    author: String,
    published: String,
    tags: Vec<&'static str>,
    text: String,
}

impl Feed {
    /// The one feed.
    #[must_use]
    pub fn get() -> &'static Self {
        static FEED: LazyLock<Feed> = LazyLock::new(Feed::new);
        &FEED
    }

    fn new() -> Self {
        let (events, items): (Vec<_>, Vec<_>) = (1..=ITEMS).map(|id| event(id, None, &Item::new(id))).unzip();
        let array = array(&items);
        Self { items, events, array }
    }

    /// JSON of the items, in order of their ids.
    #[must_use]
    pub fn items(&self) -> &[Bytes] {
        &self.items
    }

    /// Blocks of an event stream: the items after the one with the id `after`.
    #[must_use]
    pub fn events(&self, after: u64) -> &[Bytes] {
        &self.events[usize::try_from(after).unwrap_or(usize::MAX).min(self.events.len())..]
    }

    /// All items as a JSON array.
    #[must_use]
    pub fn array(&self) -> Bytes {
        self.array.clone()
    }
}

/// Some of them need more than one byte a character, or an escape in JSON: a fixture of plain letters would hide faults.
const VOCABULARY: [&str; 32] = [
    "the",
    "server",
    "of",
    "a",
    "message",
    "that",
    "every",
    "client",
    "reads",
    "in",
    "order",
    "and",
    "once",
    "\"quoted\"",
    "naïve",
    "back\\slash",
    "über",
    "delivery",
    "stream,",
    "event",
    "時計",
    "is",
    "not",
    "late;",
    "with",
    "its",
    "socket.",
    "🦀",
    "<b>bold</b>",
    "&",
    "line\nbreak",
    "end.",
];

impl Item {
    fn new(id: u64) -> Self {
        let mut dice = Dice(id);
        let (least, most) = WORDS;
        Self {
            id,
            title: dice.words(6),
            author: format!("author {}", dice.roll(40)),
            published: format!(
                "2026-{:02}-{:02}T{:02}:00:00Z",
                1 + dice.roll(12),
                1 + dice.roll(28),
                dice.roll(24)
            ),
            tags: (0..dice.roll(5)).map(|_| dice.word()).collect(),
            text: {
                let count = least + dice.roll(most - least);
                dice.words(count)
            },
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): a few lines in any language, and no other version of it to come.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn word(&mut self) -> &'static str {
        VOCABULARY[self.roll(VOCABULARY.len() as u64) as usize]
    }

    fn words(&mut self, count: u64) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}
