//! What is printed: names and numbers, in order, as one JSON object or as lines.

use serde_json::Value;

/// Named figures.
#[derive(Debug, Default)]
pub struct Figures(Vec<(String, Value)>);

impl Figures {
    /// Adds a number, rounded to so many decimals.
    #[must_use]
    pub fn number(mut self, name: &str, value: f64, decimals: i32) -> Self {
        let scale = 10_f64.powi(decimals);
        let rounded = (value * scale).round() / scale;
        let value = if decimals == 0 { Value::from(rounded as i64) } else { Value::from(rounded) };
        self.0.push((name.to_owned(), value));
        self
    }

    /// Adds a count.
    #[must_use]
    pub fn count(mut self, name: &str, value: u64) -> Self {
        self.0.push((name.to_owned(), Value::from(value)));
        self
    }

    /// Adds a word.
    #[must_use]
    pub fn word(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), Value::from(value)));
        self
    }

    /// Adds those of another measurement.
    #[must_use]
    pub fn and(mut self, mut others: Self) -> Self {
        self.0.append(&mut others.0);
        self
    }

    /// Prints everything.
    pub fn print(&self, json: bool) {
        if json {
            println!("{}", Value::Object(self.0.iter().cloned().collect()));
            return;
        }
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        self.0.iter().for_each(|(name, value)| match value {
            Value::String(word) => println!("{name:width$}  {word}"),
            number => println!("{name:width$}  {number}"),
        });
    }
}

/// The value below which `share` (0 to 1) of the sorted values lie.
pub fn quantile(sorted: &[u32], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied().map_or(0.0, f64::from)
}

/// The middle one of some values.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}
