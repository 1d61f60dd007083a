use super::record::shown_us;

/// The goal: within 2 % or 20 µs, whichever is more.
fn is_met(truth_us: f64, reported_us: f64) -> bool {
    (reported_us - truth_us).abs() <= (0.02 * truth_us).max(20.0)
}

/// Says at which of these shares the goal is missed, and by how many µs.
pub(crate) fn verdict(shares: &[f64], truth_us: &[f64], reported_us: &[f64]) -> String {
    let missed: Vec<String> = shares
        .iter()
        .zip(truth_us.iter().zip(reported_us))
        .filter(|(_, (truth, reported))| !is_met(**truth, **reported))
        .map(|(share, (truth, reported))| format!("p{} by {}", share * 100.0, shown_us(reported - truth)))
        .collect();
    if missed.is_empty() { "met".to_owned() } else { format!("**missed**: {}", missed.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::super::record::SHARES;
    use super::*;

    #[test]
    fn the_goal_is_two_percent_or_twenty_microseconds() {
        assert!(is_met(100.0, 119.0) && !is_met(100.0, 121.0));
        assert!(is_met(10_000.0, 10_199.0) && !is_met(10_000.0, 10_201.0) && !is_met(10_000.0, 9_799.0));
        assert_eq!(verdict(&SHARES, &[1.0; 4], &[1.0; 4]), "met");
        assert_eq!(verdict(&SHARES, &[1.0; 4], &[1.0, 1.0, 1.0, 51.0]), "**missed**: p99.9 by 50.0");
    }
}
