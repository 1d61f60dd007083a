//! What no load generator on this core can do better than: reads the clock and does nothing else for so many seconds, and prints
//! the share of moments after which it looked within 100 µs, and its longest gap. A load generator is late at least
//! where this was not running: an interrupt, another thread, or the hypervisor had the core.
//!
//! `gaps SECONDS`

use std::error::Error;
use std::time::{Duration, Instant};

const LATE: Duration = Duration::from_micros(100);

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).ok_or("gaps SECONDS")?.parse()?;
    let time = Duration::try_from_secs_f64(seconds)?;
    let begin = Instant::now();
    let (mut seen, mut late, mut longest) = (begin, Duration::ZERO, Duration::ZERO);
    while seen - begin < time {
        let now = Instant::now();
        let gap = now - seen;
        seen = now;
        // A moment at random in this gap is looked at later than that, if it is in the gap's first part.
        late += gap.saturating_sub(LATE);
        longest = longest.max(gap);
    }
    let within_percent = 100.0 * (1.0 - late.div_duration_f64(seen - begin));
    println!(r#"{{"within_percent":{within_percent},"longest_us":{}}}"#, longest.as_secs_f64() * 1e6);
    Ok(())
}
