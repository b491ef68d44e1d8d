//! Real senders: registered accounts whose agents found chats with the device and fill its queue while it is away.

use super::programs::Home;
use super::texts::text;
use crate::error::BenchError;
use aside::agent::Agent;
use aside_engine::Config;
use aside_protocol::{AccountId, MessageId};
use aside_store::history::{Entry, PageCursor};
use aside_store::{ProfileFolder, Store};
use aside_transport::Choice;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// The longest that filling a queue may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Messages put into a sender's outbox in one transaction.
const AT_ONCE: u64 = 200;

/// The senders; each has a chat with the device.
#[derive(Debug)]
pub(crate) struct Senders {
    homes: Vec<(String, Home)>,
    device: AccountId,
    runtime: Runtime,
}

/// What a device has to have after a round, by sender.
#[derive(Debug)]
pub(crate) struct Expected {
    /// The round's name, with which its texts begin.
    pub series: String,
    /// Messages of each sender.
    pub each: u64,
    /// Messages of all senders.
    pub total: u64,
}

impl Senders {
    /// Registers them and lets each say hello, so that all groups stand and both sides are known to each other.
    pub fn meet(invite: &str, device: &Home, folder: &Path, count: u64) -> Result<Self, BenchError> {
        let mut homes = Vec::new();
        for number in 0..count {
            let name = format!("sender-{number}");
            let home = Home::new(folder.join(&name))?;
            home.register(invite, &name)?;
            home.aside(&["send", "device", "hello"])?;
            homes.push((name, home));
        }
        let count = count.to_string();
        device.aside(&["recv", "--follow", "--timeout", "60s", "--limit", &count])?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Self { homes, device: account(&device.profile())?, runtime })
    }

    /// One of them, by number.
    pub fn profile(&self, number: usize) -> Result<ProfileFolder, BenchError> {
        let missing = || BenchError::Failed(format!("there is no sender {number}"));
        self.homes.get(number).map(|(_, home)| home.profile()).ok_or_else(missing)
    }

    /// Whom they write to.
    pub fn device(&self) -> AccountId {
        self.device
    }

    /// Sends about `messages` to the device, which is away; returns when the relay has confirmed them all.
    pub fn fill_queue(&self, round: u64, messages: u64) -> Result<Expected, BenchError> {
        let each = messages.div_ceil(self.homes.len() as u64);
        let series = format!("round {round}");
        self.runtime.block_on(async {
            let mut sending = Vec::new();
            for (_, home) in &self.homes {
                sending.push(tokio::spawn(send(home.profile(), self.device, series.clone(), each)));
            }
            for task in sending {
                task.await.map_err(|e| BenchError::Failed(format!("a sender failed: {e}")))??;
            }
            Ok::<_, BenchError>(())
        })?;
        Ok(Expected { series, each, total: each * self.homes.len() as u64 })
    }

    /// Every text of the round is in the history once, in the order it was sent.
    pub fn check(&self, device: &ProfileFolder, expected: &Expected) -> Result<(), BenchError> {
        let mut store = Store::open(device)?;
        for (name, home) in &self.homes {
            let peer = account(&home.profile())?;
            let found = texts(&mut store, &peer, &expected.series)?;
            let wanted: Vec<String> = (0..expected.each).map(|number| text(&expected.series, number)).collect();
            if found != wanted {
                let first = found.iter().zip(&wanted).position(|(found, wanted)| found != wanted);
                return Err(BenchError::Delivery(format!(
                    "{name} sent {} texts, {} arrived, the first difference is at {first:?}",
                    wanted.len(),
                    found.len()
                )));
            }
        }
        Ok(())
    }
}

fn account(folder: &ProfileFolder) -> Result<AccountId, BenchError> {
    let profile = Store::open(folder)?.read::<_, BenchError>(|tx| Ok(tx.profile()?))?;
    profile.map(|profile| profile.account).ok_or_else(|| BenchError::Failed("a profile is not registered".into()))
}

async fn send(folder: ProfileFolder, to: AccountId, series: String, count: u64) -> Result<(), BenchError> {
    let agent = Agent::open(&folder, Config::default(), Choice::Auto)?;
    let handle = agent.handle();
    for first in (0..count).step_by(AT_ONCE as usize) {
        let series = series.clone();
        handle
            .step(move |step| {
                for number in first..count.min(first + AT_ONCE) {
                    let id = MessageId(aside_engine::fresh(&mut aside::agent::SystemRandom));
                    let _accepted = step.send_text(&to, id, &text(&series, number))?;
                }
                Ok(())
            })
            .await?;
    }
    let unsent = handle.wait(Instant::now() + PATIENCE, |engine| {
        let left = engine.read(|tx| Ok(tx.unsent_count()?))?;
        Ok((left == 0).then_some(()))
    });
    if unsent.await?.is_none() {
        return Err(BenchError::Failed("the senders did not get rid of their messages in time".into()));
    }
    agent.close(Duration::from_secs(10)).await;
    Ok(())
}

/// The texts of a series that a chat's history holds, oldest first.
fn texts(store: &mut Store, peer: &AccountId, series: &str) -> Result<Vec<String>, BenchError> {
    let mut found = store.read::<_, BenchError>(|tx| {
        let mut found = Vec::new();
        let chats = tx.chats()?;
        let Some(chat) = chats.iter().find(|chat| chat.peer == *peer) else { return Ok(found) };
        let mut before = Some(PageCursor::NEWEST);
        while let Some(cursor) = before {
            let page = tx.page(chat.row, cursor, 1000)?;
            let texts = page.entries.into_iter().rev().filter_map(|entry| match entry {
                Entry::Message(message) if !message.notice => Some(message.text),
                _ => None,
            });
            found.extend(texts.filter(|text| text.starts_with(&format!("{series} "))));
            before = page.next;
        }
        Ok(found)
    })?;
    found.reverse();
    Ok(found)
}
