/// "median (least–most)" of some figures, and the median itself.
#[derive(Debug, Clone)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// Of these; `None` if there are none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        (!figures.is_empty()).then_some(Self(figures))
    }

    /// The middle one, or the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        let (half, count) = (self.0.len() / 2, self.0.len());
        if count % 2 == 1 { self.0[half] } else { f64::midpoint(self.0[half - 1], self.0[half]) }
    }

    /// Does this lie between the least and the most?
    pub fn holds(&self, figure: f64) -> bool {
        self.0[0] <= figure && figure <= self.0[self.0.len() - 1]
    }

    /// As text, with so many digits after the point.
    pub fn text(&self, digits: usize) -> String {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        format!("{:.digits$} ({least:.digits$}–{most:.digits$})", self.median())
    }

    /// The interval that holds the true median with a probability of 95 % at least, whatever the distribution (order statistics: David
    /// and Nagaraja 2003, section 7.1). Of fewer than six figures it is all of them, and holds it less often.
    pub fn interval(&self) -> Self {
        let count = self.0.len();
        // Of so many fair coins as there are figures: the probability of each number of heads, from none on.
        let mut probability = 0.5f64.powi(count as i32);
        let (mut below, mut dropped) = (probability, 0);
        for heads in 1..count.div_ceil(2) {
            probability *= (count - heads + 1) as f64 / heads as f64;
            below += probability;
            if below > 0.025 {
                break;
            }
            dropped = heads;
        }
        Self(self.0[dropped..count - dropped].to_vec())
    }
}

/// Whether a goal is met, as text.
pub fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "**missed**" }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_interval_of_a_median_drops_as_many_as_the_tables_of_the_sign_test_say() {
        for (count, dropped) in [(1, 0), (5, 0), (6, 0), (9, 1), (15, 3), (25, 7), (50, 17)] {
            let Spread(kept) = Spread::of((0..count).map(f64::from)).expect("figures").interval();
            assert_eq!(kept.len(), (count - 2 * dropped) as usize, "{count}");
            assert_eq!(kept[0], f64::from(dropped), "{count}");
        }
    }
}
