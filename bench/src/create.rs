//! `bench create`: a big group from end to end, with the real programs: from `aside group create` to its being there, and
//! from a member's login to its being in it.
//!
//! The other members are accounts with a key package each, which fast clients of ours registered.

use crate::client::programs::{Home, last_json};
use crate::error::BenchError;
use crate::figures::Figures;
use crate::member::Member;
use crate::mls::new_mls;
use crate::person::Person;
use crate::processes::Relay;
use crate::wire::Transport;
use aside::agent::Agent;
use aside_engine::Config;
use aside_protocol::request::{Answer, KeyPackageUpload, PutKeyPackages, Request, Suite};
use aside_store::Store;
use aside_store::chats::ChatState;
use aside_transport::Choice;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::time::{Duration, Instant};

/// Accounts set up at a time.
const AT_A_TIME: usize = 16;
/// The longest that creating or joining may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// The member that is a real client.
const JOINER: &str = "joiner";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Members of the group, its owner and one more real client included.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(3..=1_000))]
    members: u64,
}

/// Measures.
///
/// # Errors
/// A program that is missing or fails, or a group that is not what was asked for.
pub async fn run(args: Args) -> Result<Figures, BenchError> {
    let folder = tempfile::tempdir()?;
    let relay = Relay::start()?;
    let invite = relay.invite.to_link();
    let (owner, joiner) = (Home::new(folder.path().join("owner"))?, Home::new(folder.path().join(JOINER))?);
    owner.register(&invite, "owner")?;
    joiner.register(&invite, JOINER)?;
    // With its first connection it uploads key packages.
    joiner.aside(&["send", "owner", "hello"])?;
    let others = args.members as usize - 2;
    stream::iter(0..others)
        .map(|number| register(&relay, number))
        .buffer_unordered(AT_A_TIME)
        .try_collect::<Vec<()>>()
        .await?;
    let names: Vec<String> = (0..others).map(|number| format!("bench-{number}")).collect();
    let words = ["group", "create", "big", "--json", "--timeout", "600s", JOINER];
    let arguments: Vec<&str> = words.into_iter().chain(names.iter().map(String::as_str)).collect();
    let began = Instant::now();
    let made = last_json(&owner.aside(&arguments)?)?;
    let create_ms = began.elapsed().as_secs_f64() * 1000.0;
    let (join_ms, members) = join(&joiner).await?;
    if members != args.members {
        return Err(BenchError::Delivery(format!(
            "the joiner sees {members} members instead of {}: {made}",
            args.members
        )));
    }
    Ok(Figures::default()
        .count("members", args.members)
        .number("create_ms", create_ms, 0)
        .number("join_ms", join_ms, 0)
        .number("owner_database_mib", owner.database_bytes()? as f64 / f64::from(1 << 20), 1)
        .number("joiner_database_mib", joiner.database_bytes()? as f64 / f64::from(1 << 20), 1))
}

/// An account with one key package.
async fn register(relay: &Relay, number: usize) -> Result<(), BenchError> {
    let person = Person::new(number)?;
    let body = person.key_package(&new_mls()?, &mut Store::in_memory()?)?;
    let mut member = Member::register(&relay.invite, &person, Transport::Ws).await?;
    let packages = vec![KeyPackageUpload { suite: Suite::XWing, last_resort: false, body }];
    match member.ask(Request::PutKeyPackages(PutKeyPackages { packages })).await? {
        Answer::KeyPackageCounts(_) => Ok(()),
        other => Err(BenchError::unexpected("how many key packages there are", &other)),
    }
}

/// Logs a member in and waits until it is in the group; how long that took, and how many members it sees.
async fn join(home: &Home) -> Result<(f64, u64), BenchError> {
    let began = Instant::now();
    let agent = Agent::open(&home.profile(), Config::default(), Choice::Auto)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let handle = agent.handle();
    let joined = handle.wait(deadline, |engine| {
        engine.read(|tx| {
            let chats = tx.chats()?;
            let group = chats.iter().find(|chat| !chat.is_direct() && chat.state == ChatState::Live);
            Ok(group.map(|group| tx.member_count(group.row)).transpose()?)
        })
    });
    let members = joined.await?.ok_or(BenchError::Stuck(PATIENCE.as_secs(), "a member joined"))?;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    agent.close(Duration::from_secs(10)).await;
    Ok((took, members))
}
