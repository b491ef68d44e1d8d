//! The hands: do what the model wants done, through the agent's [`Handle`], and tell it what came of it.
//!
//! Commands reach the engine in the order they came, whether anybody waits for their answers or not; so a draft that was
//! saved is in the page that is read after it. Answers are waited for side by side: a name that is looked up holds
//! nothing up. Nothing here touches the terminal.

mod contacts;
mod devices;
mod groups;
mod list;
mod loads;
mod news;
mod writing;

use crate::agent::Handle;
use aside_tui::data::devices::Decision;
use aside_tui::{Cmd, Msg};
use loads::{Load, Loads};
use news::PAUSE;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Where results go.
pub trait Tell: Fn(Msg) + Clone + Send + 'static {}

impl<T: Fn(Msg) + Clone + Send + 'static> Tell for T {}

/// Does each command and answers it, and tells of changes and of the connection, until there are no more commands; then
/// waits until what was to be stored is stored. `Setup`, `Suspend` and `Quit` are not for the hands.
pub async fn run(handle: Handle, mut cmds: UnboundedReceiver<Cmd>, msgs: impl Tell) {
    let mut news = JoinSet::new();
    news.spawn(news::changes(handle.clone(), msgs.clone()));
    news.spawn(news::link(handle.clone(), msgs.clone()));
    news.spawn(news::moving(handle.clone(), msgs.clone()));
    let (reads, writes) = (JoinSet::new(), JoinSet::new());
    let mut hands =
        Hands { handle, msgs, loads: Loads::default(), reads, writes, decisions: None, meeting: Arc::default() };
    loop {
        tokio::select! {
            cmd = cmds.recv() => match cmd {
                Some(cmd) => hands.take(cmd),
                None => break,
            },
            Some(read) = hands.reads.join_next() => hands.read(read.ok().flatten()),
            Some(_) = hands.writes.join_next() => {}
        }
    }
    while hands.writes.join_next().await.is_some() {}
}

struct Hands<M> {
    handle: Handle,
    msgs: M,
    loads: Loads,
    /// What may be dropped at the end. A load says which one it was.
    reads: JoinSet<Option<Load>>,
    /// What must be done before the end.
    writes: JoinSet<()>,
    /// To whoever lets another device in.
    decisions: Option<UnboundedSender<Decision>>,
    /// Whose turn it is to do that.
    meeting: Arc<Mutex<()>>,
}

impl<M: Tell> Hands<M> {
    /// Asks the engine; never waits.
    fn take(&mut self, cmd: Cmd) {
        let (handle, msgs) = (&self.handle, self.msgs.clone());
        match cmd {
            Cmd::LoadChats => self.load(Load::Chats),
            Cmd::Load { peer, turn, span, reach } => self.load(Load::Page { peer, turn, span, reach }),
            Cmd::LoadInfo(peer) => self.load(Load::Info(peer)),
            Cmd::LoadUnsent(peer) => self.load(Load::Unsent(peer)),
            Cmd::LoadGroup(peer) => self.load(Load::Group(peer)),
            Cmd::LoadReaders { row, .. } => self.load(Load::Readers(row)),
            Cmd::LookAtReceipts(peer) => drop(self.writes.spawn(groups::look(handle, msgs, peer))),
            Cmd::MakeGroup { kind, title, members } => {
                drop(self.writes.spawn(groups::make(handle, msgs, (kind, title, members))));
            }
            Cmd::ShowLink(peer) => drop(self.writes.spawn(groups::link(handle, msgs, peer))),
            Cmd::DropLink(peer) => drop(self.writes.spawn(groups::drop_link(handle, msgs, peer))),
            Cmd::Join(link) => drop(self.writes.spawn(groups::join(handle, msgs, link))),
            Cmd::Verify { peer, same } => drop(self.writes.spawn(contacts::verify(handle, msgs, peer, same))),
            Cmd::LoadDevices => self.load(Load::Devices),
            Cmd::Admit => self.admit(),
            Cmd::Decide(decision) => drop(self.decisions.as_ref().map(|to| to.send(decision))),
            Cmd::EndAdmission => self.decisions = None,
            Cmd::Revoke(device) => drop(self.writes.spawn(devices::revoke(handle, msgs, device))),
            Cmd::Mute { peer, on } => drop(self.writes.spawn(writing::mute(handle, msgs, peer, on))),
            Cmd::ChangeGroup { peer, change } => {
                drop(self.writes.spawn(groups::change(handle, msgs, peer, change)));
            }
            Cmd::Send { peer, text } => drop(self.writes.spawn(writing::send(handle, msgs, peer, text))),
            Cmd::MarkRead { peer, up_to } => drop(self.writes.spawn(writing::mark_read(handle, msgs, peer, up_to))),
            Cmd::SaveDraft { peer, text } => drop(self.writes.spawn(writing::save_draft(handle, msgs, peer, text))),
            Cmd::Withdraw { peer, row } => drop(self.writes.spawn(writing::withdraw(handle, msgs, peer, row))),
            Cmd::AcceptKey { peer, rival } => drop(self.writes.spawn(contacts::accept(handle, msgs, peer, rival))),
            Cmd::Retry => drop(self.writes.spawn(writing::retry(handle, msgs))),
            Cmd::LookUp(name) => {
                let found = contacts::look_up(handle.clone(), msgs, name);
                self.reads.spawn(async move { (found.await, None).1 });
            }
            Cmd::Setup(_) | Cmd::Redraw | Cmd::Reopen | Cmd::Suspend | Cmd::Quit => {}
        }
    }

    /// An earlier attempt ends. A program that ends meanwhile leaves a meeting that nobody comes to.
    fn admit(&mut self) {
        let (decisions, decided) = unbounded_channel();
        self.decisions = Some(decisions);
        let admitted = devices::admit((self.handle.clone(), self.meeting.clone()), self.msgs.clone(), decided);
        self.reads.spawn(async move { (admitted.await, None).1 });
    }

    /// Starts a load, unless the same one is on its way: that one is then done once more, since it may have looked too
    /// early.
    fn load(&mut self, load: Load) {
        if self.loads.begin(&load) {
            let done = self.answer(&load);
            self.reads.spawn(async move {
                done.await;
                // What is asked for again meanwhile is done after a pause, so that a flood of changes leaves the engine time.
                sleep(PAUSE).await;
                Some(load)
            });
        }
    }

    fn read(&mut self, load: Option<Load>) {
        if let Some(load) = load
            && self.loads.end(&load)
        {
            self.load(load);
        }
    }

    /// Asks the engine for what a load wants; the answer is told when it comes.
    fn answer(&self, load: &Load) -> impl Future<Output = ()> + Send + use<M> {
        let asked = loads::ask(&self.handle, load);
        let msgs = self.msgs.clone();
        async move {
            match asked.await {
                Ok(msg) => msgs(msg),
                Err(error) => msgs(Msg::Failed(error.to_string())),
            }
        }
    }
}

#[cfg(test)]
mod tests;
