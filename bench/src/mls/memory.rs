//! What many big groups cost a client in memory: founded by one process, loaded and written to by another.

use super::case::{Cast, Size};
use super::party::{Party, mls_error};
use crate::client::programs::last_json;
use crate::error::BenchError;
use crate::figures::Figures;
use crate::processes::{memory_kib, own_peak_kib};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Founds the groups, and lets a process of its own load them.
pub fn measure(size: Size, groups: usize, folder: &Path) -> Result<Figures, BenchError> {
    let profile = folder.join("many");
    let mut cast = Cast::new(size, &profile, size.leaves.saturating_sub(1))?;
    let (members, _) = cast.packages(None)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["mls", "--json", "--load"]).arg(&profile);
    for _ in 0..groups {
        let (mut group, ..) = cast.found(&members, &[])?;
        cast.founder.step(|scope| {
            group.merge_own(scope).map_err(mls_error)?;
            group.receipt_secret(scope).map_err(mls_error).map(drop)
        })?;
        command.arg("--id").arg(HEX.encode(&group.id()));
    }
    let bytes = cast.founder.database_bytes()?;
    drop(cast);
    let done = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?.wait_with_output()?;
    if !done.status.success() {
        return Err(BenchError::Failed(format!("the loading process ended with {}", done.status)));
    }
    let said = last_json(&String::from_utf8_lossy(&done.stdout))?;
    let figure = |key: &str| said[key].as_f64().unwrap_or_default();
    Ok(Figures::default()
        .word("memory_group", &size.name())
        .count("memory_groups", groups as u64)
        .number("memory_disk_mib", bytes as f64 / f64::from(1 << 20), 1)
        .number("memory_load_ms", figure("load_ms"), 1)
        .number("memory_rss_before_mib", figure("rss_before_mib"), 1)
        .number("memory_rss_mib", figure("rss_mib"), 1)
        .number("memory_rss_peak_mib", figure("rss_peak_mib"), 1))
}

/// Loads groups of a profile and keeps them, in a process that does nothing else.
pub fn load(folder: &Path, ids: &[String]) -> Result<Figures, BenchError> {
    let mut party = Party::open(folder)?;
    let before = memory_kib("self", "VmRSS:")?;
    let began = Instant::now();
    let mut groups = Vec::new();
    for id in ids {
        let id = HEX.decode(id.as_bytes()).map_err(|error| BenchError::Failed(error.to_string()))?;
        groups.push(party.load(&id)?.0);
    }
    let took = began.elapsed().as_secs_f64() * 1000.0;
    let now = memory_kib("self", "VmRSS:")?;
    drop(groups);
    let mib = |kib: u64| kib as f64 / 1024.0;
    Ok(Figures::default()
        .number("load_ms", took, 1)
        .number("rss_before_mib", mib(before), 1)
        .number("rss_mib", mib(now), 1)
        .number("rss_peak_mib", mib(own_peak_kib()?), 1))
}
