//! What waits for one session, in the order it came: answers, pages, pushes, a goodbye. Never blocks who puts it there.
//!
//! One lock and one wake-up for all of it: a batch of the log puts everything into the mailboxes it touches before it
//! wakes anybody, and a session takes all that waits at once.

use crate::hub::Push;
use crate::session::{Input, Unreadable};
use aside_protocol::PartitionId;
use aside_relay_core::{CatchUp, Page};
use futures_util::task::AtomicWaker;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// One thing for a session.
#[derive(Debug)]
pub enum Mail {
    /// As it is.
    Input(Input),
    /// A page, and the catch-up that was lent for it.
    Page {
        /// The partition.
        partition: PartitionId,
        /// What was lent.
        catch_up: Box<CatchUp>,
        /// What was read.
        page: Result<Page, Unreadable>,
    },
}

/// A session's mailbox. Pushes are bounded by its capacity, the rest by what the session has asked for.
#[derive(Debug)]
pub struct Mailbox {
    inner: Mutex<Inner>,
    waker: AtomicWaker,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Inner {
    mail: VecDeque<Mail>,
    pushes: usize,
    /// Pushes are dropped until the session has taken the `Lagged` that lies in `mail`.
    lagged: bool,
    /// A goodbye was put in at some time.
    over: bool,
}

impl Mailbox {
    /// With room for so many pushes; past that the session reads the log again.
    pub fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), waker: AtomicWaker::new(), capacity: capacity.max(1) })
    }

    /// Puts something in and wakes the session.
    pub fn put(&self, mail: Mail) {
        let mut inner = self.lock();
        inner.over |= matches!(mail, Mail::Input(Input::Goodbye(_)));
        inner.mail.push_back(mail);
        drop(inner);
        self.waker.wake();
    }

    /// Whether the session has been told to end, be it that it has not taken that yet.
    pub fn is_over(&self) -> bool {
        self.lock().over
    }

    /// Puts something in; the session is woken with `wakes`.
    pub fn leave(self: &Arc<Self>, mail: Mail, wakes: &mut Wakes) {
        let mut inner = self.lock();
        inner.mail.push_back(mail);
        self.note(&inner, wakes);
    }

    /// Puts a push in. Once one did not fit, the next ones are dropped too, and the session is told in their place.
    pub fn offer(self: &Arc<Self>, push: Push, wakes: &mut Wakes) {
        let mut inner = self.lock();
        let mail = match (inner.lagged, inner.pushes < self.capacity) {
            (true, _) => return,
            (false, true) => Input::Push(push),
            (false, false) => Input::Lagged,
        };
        inner.lagged = matches!(mail, Input::Lagged);
        inner.pushes += 1;
        inner.mail.push_back(Mail::Input(mail));
        self.note(&inner, wakes);
    }

    /// Only the first thing in an empty mailbox needs a wake-up: it was announced already otherwise.
    fn note(self: &Arc<Self>, inner: &Inner, wakes: &mut Wakes) {
        if inner.mail.len() == 1 {
            wakes.0.push(self.clone());
        }
    }

    /// Waits until there is something. For one task at a time.
    pub async fn arrived(&self) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.lock().mail.is_empty() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    }

    /// Takes everything, into an empty buffer whose room the mailbox keeps for what comes next.
    pub fn take(&self, into: &mut VecDeque<Mail>) {
        let mut inner = self.lock();
        std::mem::swap(&mut inner.mail, into);
        inner.pushes = 0;
        inner.lagged = false;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Mailboxes that got something and whose sessions do not know yet. They are woken when this is dropped.
#[derive(Debug, Default)]
pub struct Wakes(Vec<Arc<Mailbox>>);

impl Drop for Wakes {
    fn drop(&mut self) {
        self.0.iter().for_each(|mailbox| mailbox.waker.wake());
    }
}

#[cfg(test)]
mod tests;
