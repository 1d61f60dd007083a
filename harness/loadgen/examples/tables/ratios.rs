use std::error::Error;
use std::fmt::Write;

use serde::Deserialize;

use crate::records::Records;
use crate::spread::{Spread, verdict};

/// One run of ours and one of a peer's, back to back.
#[derive(Debug, Deserialize)]
struct Pair {
    load: String,
    goal: f64,
    ours: Cost,
    theirs: Cost,
}

/// What a run cost.
#[derive(Debug, Deserialize)]
struct Cost {
    messages: f64,
    /// CPU time of the measured time.
    cpu_us: f64,
    /// CPU time of the whole process, in user space and in the kernel.
    user_s: f64,
    system_s: f64,
}

impl Cost {
    fn a_message_us(&self) -> f64 {
        self.cpu_us / self.messages
    }

    /// Of that, in user space, if it is shared out in the measured time as in the whole.
    fn of_it_user_us(&self) -> f64 {
        self.a_message_us() * self.user_s / (self.user_s + self.system_s)
    }
}

/// CPU time a message, ours and a peer's.
pub fn table(records: &Records) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| load: peer | loadgen, µs | of it user space | peer, µs | of it user space | ratio | goal |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for pairs in records.grouped(|pair: &Pair| pair.load.clone())? {
        let column = |figure: fn(&Pair) -> f64| Spread::of(pairs.iter().map(figure)).ok_or("no pairs");
        let ratio = column(|pair| pair.ours.a_message_us() / pair.theirs.a_message_us())?;
        let Pair { load, goal, .. } = &pairs[0];
        writeln!(
            table,
            "| {load} | {} | {:.2} | {} | {:.2} | **{}** | ≤ {goal}: {} |",
            column(|pair| pair.ours.a_message_us())?.text(2),
            column(|pair| pair.ours.of_it_user_us())?.median(),
            column(|pair| pair.theirs.a_message_us())?.text(2),
            column(|pair| pair.theirs.of_it_user_us())?.median(),
            ratio.text(2),
            verdict(ratio.median() <= *goal),
        )?;
    }
    Ok(table)
}
