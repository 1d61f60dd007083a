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

    /// As text, with the middle half of the figures: of many, the least and the most are accidents.
    pub fn middle(&self, digits: usize) -> String {
        let quarter = self.0.len() / 4;
        Self(self.0[quarter..self.0.len() - quarter].to_vec()).text(digits)
    }
}

/// Whether a goal is met, as text.
pub fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "**missed**" }
}
