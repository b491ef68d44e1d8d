//! How long people waited for each other's lines while something was out of order, told by kind of fault. Asserts nothing.

use aside_tests::Background;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

/// What was said when, and during which fault. Everybody says each line at the same time.
#[derive(Debug, Default)]
pub struct Stalls {
    /// Of each fault so far.
    kinds: Vec<&'static str>,
    /// Of each line, by its number: when it was said, and during which fault.
    said: Vec<(Instant, usize)>,
}

/// How long one person waited for the line that took the longest, in each fault.
type Waits = BTreeMap<usize, Duration>;

/// By kind of fault, of each fault: how long the luckiest waited, and the unluckiest.
#[derive(Debug)]
pub struct Told(BTreeMap<&'static str, Vec<(Duration, Duration)>>);

impl Stalls {
    /// A fault is about to happen.
    pub fn begin(&mut self, kind: &'static str) {
        self.kinds.push(kind);
    }

    /// The next line is being said.
    pub fn say(&mut self) {
        self.said.push((Instant::now(), self.kinds.len() - 1));
    }

    /// How many lines everybody has said.
    pub fn lines(&self) -> usize {
        self.said.len()
    }

    /// How many faults there were.
    pub fn faults(&self) -> usize {
        self.kinds.len()
    }

    /// What people have printed is looked through.
    pub fn tell(&self, people: &[Background]) -> Told {
        let waits: Vec<Waits> = people.iter().map(|person| self.waits(person)).collect();
        let mut told = BTreeMap::<_, Vec<_>>::new();
        for (fault, kind) in self.kinds.iter().enumerate() {
            let all = || waits.iter().filter_map(|waits| waits.get(&fault).copied());
            if let (Some(least), Some(most)) = (all().min(), all().max()) {
                told.entry(*kind).or_default().push((least, most));
            }
        }
        Told(told)
    }

    fn waits(&self, person: &Background) -> Waits {
        let mut waits = Waits::new();
        for (came, line) in person.timed_lines() {
            let Some(number) = number(&line) else { continue };
            let (said, fault) = self.said[number];
            let wait = waits.entry(fault).or_default();
            *wait = (*wait).max(came.saturating_duration_since(said));
        }
        waits
    }
}

/// Of a line that somebody else has said, as `talk` prints it.
pub fn number(printed: &str) -> Option<usize> {
    printed.split_once(": line ")?.1.parse().ok()
}

fn median_and_most(mut waits: Vec<Duration>) -> String {
    waits.sort_unstable();
    let seconds = |wait: Option<&Duration>| wait.map_or(0.0, Duration::as_secs_f64);
    format!("{:.1} and {:.1} s", seconds(waits.get(waits.len() / 2)), seconds(waits.last()))
}

impl Display for Told {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "from when a line is said until it is printed, the longest of each fault; median and most of them:"
        )?;
        for (kind, waits) in &self.0 {
            let (luckiest, unluckiest) = waits.iter().copied().unzip();
            let (luckiest, unluckiest) = (median_and_most(luckiest), median_and_most(unluckiest));
            let count = waits.len();
            writeln!(f, "  {kind} ({count} times): the luckiest waited {luckiest}, the unluckiest {unluckiest}")?;
        }
        Ok(())
    }
}
