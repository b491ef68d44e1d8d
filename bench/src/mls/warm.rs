//! What an addition costs once some members have renewed their keys: nodes above the leaves have keys then, and whoever
//! commits seals to few of them. Each renewal is taken by all who are here.

use super::case::{Cast, Size, Told, add, follow, join, merge_own};
use super::party::{Party, Took, mls_error};
use crate::error::BenchError;
use crate::figures::Figures;
use aside_crypto::Group;
use std::path::Path;

/// Founds a group in which so many members have databases, at places spread over the tree as chance would.
pub fn measure(size: Size, warm: usize, folder: &Path) -> Result<Figures, BenchError> {
    let warm = warm.min(size.leaves.saturating_sub(1));
    let mut cast = Cast::new(size, &folder.join("founder"), size.leaves.saturating_sub(warm + 1))?;
    let mut members = (0..warm).map(|at| Party::create(&folder.join(at.to_string()))).collect::<Result<Vec<_>, _>>()?;
    let packages = members.iter_mut().map(|party| party.package(size.suite)).collect::<Result<Vec<_>, _>>()?;
    let mut places: Vec<usize> = (0..warm).map(|at| at * 7919 % size.leaves).collect();
    places.sort_unstable();
    let among = places.into_iter().zip(members.iter().map(|party| &party.who).zip(packages)).collect();
    let (checked, _) = cast.packages_among(among)?;
    let here: Vec<_> = members.iter().map(|party| &party.who).collect();
    let (mut group, founded, _) = cast.found(&checked, &here)?;
    merge_own(&mut cast.founder, &mut group)?;
    let welcome = founded.welcome.unwrap_or_default();
    let mut groups =
        members.iter_mut().map(|party| Ok(join(party, &welcome)?.0)).collect::<Result<Vec<_>, BenchError>>()?;
    let mut bytes = 0;
    for at in 0..warm {
        bytes += renew(&mut cast, &mut group, (&mut members, &mut groups), at)?;
    }
    let here: Vec<_> = members.iter().map(|party| &party.who).collect();
    let (added, took): (_, Took) = add(&mut cast, &mut group, &here)?;
    merge_own(&mut cast.founder, &mut group)?;
    Ok(Told(Figures::default(), size)
        .count("warmed_by", warm)
        .count("warming_commits_bytes", bytes)
        .took("warm_add", took)
        .count("warm_add_commit_bytes", added.commit.len())
        .0)
}

/// One member renews its keys, and everybody follows. The bytes of its commit.
fn renew(
    cast: &mut Cast,
    group: &mut Group,
    (members, groups): (&mut [Party], &mut [Group]),
    at: usize,
) -> Result<usize, BenchError> {
    let aad = cast.aad(1);
    let made = match (members.get_mut(at), groups.get_mut(at)) {
        (Some(party), Some(own)) => {
            let (made, _) = party.step(|scope| own.update_keys(scope, &aad).map_err(mls_error))?;
            merge_own(party, own)?;
            made
        }
        _ => return Ok(0),
    };
    follow(&mut cast.founder, group, &made.commit)?;
    for (_, (party, other)) in members.iter_mut().zip(groups).enumerate().filter(|(other, _)| *other != at) {
        follow(party, other, &made.commit)?;
    }
    Ok(made.commit.len())
}
