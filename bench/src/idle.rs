//! `bench idle`: how much the relay's memory grows with each connection that is logged in, attached and quiet; what its
//! coming costs, and what each of the pings by which it is known to live.

use crate::error::BenchError;
use crate::figures::Figures;
use crate::member::Member;
use crate::processes::Relay;
use crate::reader::Reader;
use crate::wire::Transport;
use aside_protocol::frame::RelayFrame;
use futures_util::future::try_join_all;
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
    /// Pings of each connection, one after the other; a real one sends one in 30 seconds.
    #[arg(long, default_value_t = 20)]
    pings: u64,
    /// How long all connections are left alone, in seconds.
    #[arg(long, default_value_t = 20)]
    quiet: u64,
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
    let cpu = relay.process.cpu_ms()?;
    let members: Vec<Member> = stream::iter(coming).buffered(AT_A_TIME).try_collect().await?;
    let logins = relay.process.cpu_ms()? - cpu;
    let after = settled(&relay).await?;
    let cpu = relay.process.cpu_ms()?;
    sleep(Duration::from_secs(args.quiet)).await;
    let quiet = relay.process.cpu_ms()? - cpu;
    let cpu = relay.process.cpu_ms()?;
    drop(try_join_all(members.into_iter().map(|member| ping(member, args.pings))).await?);
    let pings = relay.process.cpu_ms()? - cpu;
    let each = |cpu_ms: u64, times: u64| cpu_ms as f64 * 1000.0 / (args.connections * times.max(1)) as f64;
    Ok(Figures::default()
        .word("transport", args.transport.word())
        .count("connections", args.connections)
        .number("relay_rss_idle_mib", before as f64 / 1024.0, 1)
        .number("relay_rss_mib", after as f64 / 1024.0, 1)
        .number("rss_per_connection_kib", after.saturating_sub(before) as f64 / args.connections as f64, 1)
        .number("relay_cpu_us_per_login", each(logins, 1), 0)
        .number("relay_cpu_us_per_quiet_second", each(quiet, args.quiet), 2)
        .number("relay_cpu_us_per_ping", each(pings, args.pings), 1))
}

/// Asks whether the relay lives, and waits for its answer, so many times.
async fn ping(mut member: Member, times: u64) -> Result<Member, BenchError> {
    for _ in 0..times {
        member.ping().await?;
        while !matches!(member.next().await?, RelayFrame::Pong(_)) {}
    }
    Ok(member)
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
