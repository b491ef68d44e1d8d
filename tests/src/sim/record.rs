//! What a run leaves behind: how often each rare thing happened, and a trace to read.

use std::collections::BTreeMap;

/// How often rare things happened. A simulation that stops reaching them has become shallow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(pub BTreeMap<&'static str, u64>);

impl Coverage {
    /// It happened.
    pub fn saw(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// It happened if so.
    pub fn saw_if(&mut self, so: bool, what: &'static str) {
        if so {
            self.saw(what);
        }
    }

    /// What happened elsewhere too.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, count)| *self.0.entry(what).or_default() += count);
    }
}

/// A readable account of a run, or none: a run is faster without.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    lines: Option<Vec<String>>,
}

impl Trace {
    /// One that keeps its lines, or none.
    pub fn new(keep: bool) -> Self {
        Self { lines: keep.then(Vec::new) }
    }

    /// Adds a line; the text is made only if it is kept.
    pub fn say(&mut self, now: u64, text: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{} {}", clock(now), text()));
        }
    }

    /// The lines.
    pub fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

/// Virtual time as `days+hours:minutes:seconds.milliseconds`.
fn clock(now: u64) -> String {
    let (ms, s, min, h, d) = (now % 1000, now / 1000 % 60, now / 60_000 % 60, now / 3_600_000 % 24, now / 86_400_000);
    format!("{d}+{h:02}:{min:02}:{s:02}.{ms:03}")
}
