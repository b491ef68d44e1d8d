//! Makes a failing plan short: actions are left out, ever fewer at a time, as long as it still fails (delta debugging).

use super::client::NAMES;
use super::plan::Plan;
use super::run::run;

/// Most runs spent on one plan.
const MOST_RUNS: usize = 400;

/// A shorter plan that still fails in the same way, if leaving something out allows it.
pub fn shrink(plan: &Plan) -> Plan {
    let kind = run(plan, false).failure.map(|failure| kind(&failure));
    let mut shortest = plan.clone();
    let mut runs = 0;
    let mut chunk = shortest.actions.len().div_ceil(2);
    while chunk > 0 && runs < MOST_RUNS {
        let mut start = 0;
        let mut shorter = false;
        while start < shortest.actions.len() && runs < MOST_RUNS {
            let mut candidate = shortest.clone();
            let end = (start + chunk).min(candidate.actions.len());
            candidate.actions.drain(start..end);
            runs += 1;
            if run(&candidate, false).failure.map(|failure| self::kind(&failure)) == kind {
                shortest = candidate;
                shorter = true;
            } else {
                start += chunk;
            }
        }
        if !shorter || chunk > 1 {
            chunk /= 2;
        }
    }
    shortest
}

/// What broke, without who and which: a shorter plan that fails in another way is another story.
fn kind(failure: &str) -> String {
    let line = failure.lines().next().unwrap_or_default();
    let general = |word: &&str| !word.contains(|c: char| c.is_ascii_digit() || c == '"') && !NAMES.contains(word);
    line.split(' ').filter(general).collect::<Vec<_>>().join(" ")
}
