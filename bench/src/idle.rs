//! `bench idle`: how much the relay's memory grows with each connection that is logged in, attached and quiet.

use crate::error::BenchError;
use crate::figures::Figures;
use crate::member::Member;
use crate::processes::Relay;
use crate::reader::Reader;
use crate::wire::Transport;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::Duration;
use tokio::time::sleep;

/// Connections set up at a time.
const AT_A_TIME: usize = 32;
/// Between two looks at a memory that may still change.
const LOOK: Duration = Duration::from_millis(500);
/// Two looks that differ by less agree.
const SAME_KIB: u64 = 64;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Connections.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..))]
    connections: u64,
    /// What carries the frames.
    #[arg(long, value_enum, default_value = "ws")]
    transport: Transport,
}

pub async fn run(args: Args) -> Result<Figures, BenchError> {
    let relay = Relay::start()?;
    let count = usize::try_from(args.connections).unwrap_or(1);
    let registering = (0..count).map(|number| Reader::register(&relay.invite, number, args.transport));
    let readers: Vec<Reader> = stream::iter(registering).buffered(AT_A_TIME).try_collect().await?;
    // A fresh process: what registering has left in its memory must not hide what a connection needs.
    let relay = relay.restart()?;
    let before = settled(&relay).await?;
    let coming = readers.iter().map(|reader| reader.come_back(&relay.invite, args.transport));
    let members: Vec<Member> = stream::iter(coming).buffered(AT_A_TIME).try_collect().await?;
    let after = settled(&relay).await?;
    drop(members);
    Ok(Figures::default()
        .word("transport", args.transport.word())
        .count("connections", args.connections)
        .number("relay_rss_idle_mib", before as f64 / 1024.0, 1)
        .number("relay_rss_mib", after as f64 / 1024.0, 1)
        .number("rss_per_connection_kib", after.saturating_sub(before) as f64 / args.connections as f64, 1))
}

/// Memory in KiB once several looks agree.
async fn settled(relay: &Relay) -> Result<u64, BenchError> {
    let (mut before, mut agreed) = (relay.process.rss_kib()?, 0);
    while agreed < 4 {
        sleep(LOOK).await;
        let now = relay.process.rss_kib()?;
        agreed = if now.abs_diff(before) < SAME_KIB { agreed + 1 } else { 0 };
        before = now;
    }
    Ok(before)
}
