//! `bench mls`: the client's side of groups and channels, with its own cryptography and its own encrypted database.
//!
//! Two devices of the group have databases; the other members are key packages, whose making does not count.

mod case;
mod memory;
mod party;
mod warm;

use crate::error::BenchError;
use crate::figures::Figures;
use aside_protocol::request::Suite;
use case::Size;
pub use party::new_mls;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Leaves of groups (X-Wing), a measurement each.
    #[arg(long, value_delimiter = ',', default_value = "2,100,1000,2000")]
    groups: Vec<usize>,
    /// Leaves of channels (classical), a measurement each.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000")]
    channels: Vec<usize>,
    /// Messages written and read, twice; the median counts.
    #[arg(long, default_value_t = 100)]
    messages: usize,
    /// Members who renew their keys before somebody is added once more, as they do in the first hour of a big group.
    #[arg(long, default_value_t = 0)]
    warm: usize,
    /// Groups of 1,000 that one client holds in memory; 0 leaves this out.
    #[arg(long, default_value_t = 10)]
    held: usize,
    /// The bench itself, as the process that loads: the profile's folder.
    #[arg(long, value_name = "FOLDER", hide = true)]
    load: Option<PathBuf>,
    /// Which groups to load.
    #[arg(long, hide = true)]
    id: Vec<String>,
}

/// Measures.
///
/// # Errors
/// A group that does not do what it should.
pub fn run(args: &Args) -> Result<Figures, BenchError> {
    if let Some(folder) = &args.load {
        return memory::load(folder, &args.id);
    }
    let groups = args.groups.iter().map(|leaves| Size { suite: Suite::XWing, leaves: *leaves });
    let channels = args.channels.iter().map(|leaves| Size { suite: Suite::Classical, leaves: *leaves });
    let mut figures = Figures::default();
    for size in groups.chain(channels).filter(|size| size.leaves >= 2) {
        let folder = tempfile::tempdir()?;
        figures = figures.and(case::measure(size, args.messages, folder.path())?);
        if args.warm > 0 {
            let folder = tempfile::tempdir()?;
            figures = figures.and(warm::measure(size, args.warm, folder.path())?);
        }
    }
    if args.held > 0 {
        let folder = tempfile::tempdir()?;
        figures = figures.and(memory::measure(Size { suite: Suite::XWing, leaves: 1_000 }, args.held, folder.path())?);
    }
    Ok(figures)
}
