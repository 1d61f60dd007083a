use fastrand::Rng;

use crate::load::{Arrivals, Process};

/// When one of several senders of an open loop is meant to send, in ns since the start of the load.
///
/// The senders together keep the rate. At constant intervals they take turns. By a Poisson process each is
/// one of its own, of its share of the rate: together these are one of the whole rate (superposition:
/// J. F. C. Kingman, *Poisson Processes*, section 2.2). So no sender has to know of the others, whichever
/// loop they are in, and what is not sent yet is kept nowhere but here.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    next_ns: u64,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Place of the next message among those of all senders.
    Constant { place: u64, senders: u64, rate: u64 },
    /// The time is summed up unrounded: after a day it is still exact to a nanosecond.
    Poisson { time_ns: f64, mean_gap_ns: f64, random: Rng },
}

impl Timetable {
    /// That of the sender with this number, of so many; `None` for a closed loop.
    pub(crate) fn new(arrivals: &Arrivals, number: u64, senders: u64) -> Option<Self> {
        let rate = u64::from(arrivals.rate?.get());
        let kind = match arrivals.process {
            Process::Constant => Kind::Constant { place: number, senders, rate },
            Process::Poisson => {
                // The first draw scatters what neighbouring seeds have in common.
                let mut seeds = Rng::with_seed(arrivals.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let mut random = Rng::with_seed(seeds.u64(..));
                let mean_gap_ns = 1e9 * senders as f64 / rate as f64;
                Kind::Poisson { time_ns: gap_ns(mean_gap_ns, &mut random), mean_gap_ns, random }
            }
        };
        let mut timetable = Self { next_ns: 0, kind };
        timetable.next_ns = timetable.read_ns();
        Some(timetable)
    }

    /// When the next message is meant to be sent.
    pub(crate) fn next_ns(&self) -> u64 {
        self.next_ns
    }

    /// The next message is sent: on to the one after it.
    pub(crate) fn advance(&mut self) {
        match &mut self.kind {
            Kind::Constant { place, senders, .. } => *place = place.saturating_add(*senders),
            Kind::Poisson { time_ns, mean_gap_ns, random } => *time_ns += gap_ns(*mean_gap_ns, random),
        }
        self.next_ns = self.read_ns();
    }

    /// How many messages were meant to be sent before `until_ns` and are not.
    pub(crate) fn due_before(&self, until_ns: u64) -> u64 {
        match self.kind {
            Kind::Constant { place, senders, rate } => {
                // Those of all senders until then, and of these every `senders`th from the next one on.
                let all = (u128::from(until_ns) * u128::from(rate)).div_ceil(1_000_000_000);
                all.saturating_sub(u128::from(place)).div_ceil(u128::from(senders)) as u64
            }
            Kind::Poisson { .. } => {
                let mut rest = self.clone();
                let mut due = 0;
                while rest.next_ns < until_ns {
                    rest.advance();
                    due += 1;
                }
                due
            }
        }
    }

    fn read_ns(&self) -> u64 {
        match self.kind {
            // Each from the start, so that no rounding adds up.
            Kind::Constant { place, rate, .. } => match place.checked_mul(1_000_000_000) {
                Some(scaled) => scaled / rate,
                None => (u128::from(place) * 1_000_000_000 / u128::from(rate)) as u64,
            },
            Kind::Poisson { time_ns, .. } => time_ns as u64,
        }
    }
}

/// A gap between two events of a Poisson process: exponentially distributed, by inversion.
fn gap_ns(mean_ns: f64, random: &mut Rng) -> f64 {
    -mean_ns * (1.0 - random.f64()).ln()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn arrivals(process: Process, rate: u32, seed: u64) -> Arrivals {
        Arrivals { rate: NonZeroU32::new(rate), process, seed }
    }

    /// The times of all senders before `until_ns`, in order.
    fn times_ns(arrivals: &Arrivals, senders: u64, until_ns: u64) -> Vec<u64> {
        let mut times = Vec::new();
        for number in 0..senders {
            let mut timetable = Timetable::new(arrivals, number, senders).expect("a rate");
            while timetable.next_ns() < until_ns {
                times.push(timetable.next_ns());
                timetable.advance();
            }
        }
        times.sort_unstable();
        times
    }

    #[test]
    fn a_closed_loop_has_none() {
        assert!(Timetable::new(&Arrivals::default(), 0, 1).is_none());
    }

    #[test]
    fn constant_intervals_do_not_drift() {
        // A day at a rate whose interval is no whole number of nanoseconds.
        let mut timetable = Timetable::new(&arrivals(Process::Constant, 7, 0), 0, 1).expect("a rate");
        for _ in 0..7 * 86_400 {
            timetable.advance();
        }
        assert_eq!(timetable.next_ns(), 86_400_000_000_000);
    }

    #[test]
    fn a_poisson_process_has_the_gaps_of_one() {
        for senders in [1, 10] {
            let times = times_ns(&arrivals(Process::Poisson, 10_000, 1), senders, 10_000_000_000);
            // 100,000 are expected; four standard deviations are 1,265.
            assert!(times.len().abs_diff(100_000) < 1265, "{}", times.len());
            let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
            // Exponential gaps deviate as far as their mean, and a share 1/e of them is longer than it.
            assert!((variance.sqrt() / mean - 1.0).abs() < 0.02, "{}", variance.sqrt() / mean);
            let longer = gaps.iter().filter(|&&gap| gap > mean).count() as f64 / gaps.len() as f64;
            assert!((longer - (-1f64).exp()).abs() < 0.01, "{longer}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_times_again_and_another_gives_others() {
        let times = |seed| times_ns(&arrivals(Process::Poisson, 1000, seed), 4, 1_000_000_000);
        assert_eq!(times(5), times(5));
        assert_ne!(times(5), times(6));
    }

    proptest! {
        #[test]
        fn senders_in_turn_send_what_one_would(rate in 1u32..2000, senders in 1u64..40) {
            let arrivals = arrivals(Process::Constant, rate, 0);
            let times = times_ns(&arrivals, senders, 1_000_000_000);
            prop_assert_eq!(times.len(), rate as usize);
            prop_assert_eq!(times, times_ns(&arrivals, 1, 1_000_000_000));
        }

        #[test]
        fn what_is_due_is_what_would_be_sent(
            rate in 1u32..2000, senders in 1u64..40, sent in 0usize..50, until_ns in 0u64..1_000_000_000, poisson: bool,
        ) {
            let process = if poisson { Process::Poisson } else { Process::Constant };
            let mut timetable = Timetable::new(&arrivals(process, rate, 3), senders / 2, senders).expect("a rate");
            for _ in 0..sent {
                timetable.advance();
            }
            let due = timetable.due_before(until_ns);
            let mut count = 0;
            while timetable.next_ns() < until_ns {
                timetable.advance();
                count += 1;
            }
            prop_assert_eq!(due, count);
        }
    }
}
