//! The task of one connection: a carrier, a session and its mailbox, and between them whatever the session asks for.

use super::{Carrier, Channel, Found, Input, Output, Over, Pages, Session, Unreadable, Wanted};
use crate::hub::Subscription;
use crate::log::Reply;
use crate::mailbox::{Mail, Mailbox};
use crate::meetings::Seat;
use crate::readers::{States, Views};
use crate::server::Shared;
use aside_protocol::frame::GoodbyeReason;
use aside_protocol::refusal::RetryAfter;
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, Refusal};
use aside_relay_core::{CatchUp, Command, CoreError};
use futures_util::FutureExt;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often silence and the login's deadline are looked at.
const TICK: Duration = Duration::from_secs(5);
/// A peer that takes nothing for this long is gone.
const WRITE: Duration = Duration::from_secs(30);
/// How long the peer gets to end its side after a goodbye.
const DRAIN: Duration = Duration::from_secs(1);
/// After a write that took this long the carrier is read before anything else is judged.
const LISTEN_FIRST: Duration = Duration::from_secs(1);

/// Runs a connection to its end. The future holds each part once: an `async fn` would keep its arguments' places too.
pub fn run<C: Carrier>(carrier: C, shared: Arc<Shared>, channel: Channel) -> impl Future<Output = ()> + Send {
    let session = Session::new(shared.setup.clone(), channel, shared.now());
    let mailbox = Mailbox::new(shared.push_queue);
    let seat = Seat::new(shared.hub.meetings(), mailbox.clone());
    let mut task = Task { carrier, shared, session, mailbox, seat, subscription: None, pages: Pages::default() };
    async move {
        let room = task.shared.room.clone().try_acquire_owned();
        let ended = match room {
            _ if !task.shared.serves() => task.handle(Input::Goodbye(GoodbyeReason::ShuttingDown)).await,
            Ok(_room) => task.run().await,
            Err(_) => task.handle(Input::Goodbye(GoodbyeReason::Full)).await,
        };
        if ended.is_err() {
            tracing::debug!("a connection broke off");
        }
    }
}

struct Task<C> {
    carrier: C,
    shared: Arc<Shared>,
    session: Session,
    mailbox: Arc<Mailbox>,
    seat: Seat,
    subscription: Option<Subscription>,
    pages: Pages,
}

impl<C: Carrier> Task<C> {
    async fn run(&mut self) -> Result<(), Over> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stopped = pin!(self.shared.stopped());
        let mailbox = self.mailbox.clone();
        let mut nodes = self.shared.nodes.clone();
        let known = nodes.borrow_and_update().clone();
        self.handle(Input::Nodes(known)).await?;
        loop {
            let wants_frames = self.session.wants_frames();
            let input = tokio::select! {
                () = mailbox.arrived() => None,
                heard = self.carrier.hear(), if wants_frames => heard?,
                _ = ticks.tick() => Some(Input::Tick),
                Ok(()) = nodes.changed() => Some(Input::Nodes(nodes.borrow_and_update().clone())),
                () = &mut stopped => Some(Input::Goodbye(GoodbyeReason::ShuttingDown)),
            };
            let began = Instant::now();
            self.take(input).await?;
            in_time(self.carrier.flush()).await?;
            // Nothing was heard while a slow link took its time: listen again before silence is judged.
            if began.elapsed() > LISTEN_FIRST {
                ticks.reset();
            }
        }
    }

    /// Takes the mail and what came besides. A tick comes before what may write for long: silence is judged by what was
    /// heard until now. Everything else comes after the mail: what a replaced connection still says is not heard (rule
    /// `CON-5`), and what was answered before a goodbye is said before it.
    async fn take(&mut self, input: Option<Input>) -> Result<(), Over> {
        if let Some(Input::Tick) = input {
            self.handle(Input::Tick).await?;
            return self.read_mail().await;
        }
        self.read_mail().await?;
        if self.mailbox.is_over() {
            // The goodbye came while the mail was written out.
            self.read_mail().await?;
        }
        match input {
            Some(input) => self.handle(input).await,
            None => Ok(()),
        }
    }

    /// Takes all that waits, so that one flush serves it.
    async fn read_mail(&mut self) -> Result<(), Over> {
        let mut mail = VecDeque::new();
        self.mailbox.take(&mut mail);
        for mail in mail.drain(..) {
            match mail {
                Mail::Input(input) => self.handle(input).await?,
                Mail::Page { partition, catch_up, page } => {
                    self.pages.give_back(partition, catch_up);
                    self.handle(Input::Page { partition, page }).await?;
                    self.next_page();
                }
            }
        }
        Ok(())
    }

    async fn handle(&mut self, input: Input) -> Result<(), Over> {
        for output in self.session.handle(input, self.shared.now()) {
            match output {
                Output::Send(frame) => in_time(self.carrier.feed(frame)).await?,
                Output::Close => return self.close().await,
                other => self.carry_out(other),
            }
        }
        Ok(())
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Submit { token, command } => {
                let mailbox = self.mailbox.clone();
                let reserving = match command.as_ref() {
                    Command::ReserveBlob(by, blob, _) => Some((*by, *blob, self.shared.clone())),
                    _ => None,
                };
                let reply: Reply = Box::new(move |answer, wakes| {
                    let answer = match reserving {
                        Some((by, blob, shared)) => shared.blobs.admit(answer, &by, &blob, shared.now().wall),
                        None => answer,
                    };
                    mailbox.leave(Mail::Input(Input::Answer { token, answer }), wakes);
                });
                self.shared.log.submit(*command, reply);
            }
            Output::Ack(device, partition, pos) => self.shared.log.ack(device, partition, pos),
            Output::Subscribe(device) => {
                self.subscription = Some(self.shared.hub.subscribe(device, self.mailbox.clone()));
                self.shared.log.attached(device);
            }
            Output::FindDevice(device) => self.find(device),
            Output::Read { token, device, query } => read(
                &self.shared,
                self.mailbox.clone(),
                move |states| Ok(Input::ReadAnswer { token, answer: query.answer(states, &device)? }),
                move || Input::ReadAnswer { token, answer: unavailable() },
            ),
            Output::Meeting(talk) => self.seat.take(talk, self.shared.now().steady),
            Output::StartCatchUp(device, partition, from) => self.pages.start(partition, CatchUp::new(device, from)),
            Output::NextPage { partition, most, bytes } => {
                self.pages.want(Wanted { partition, most, bytes });
                self.next_page();
            }
            Output::Send(_) | Output::Close => {}
        }
    }

    /// Looks a device up that wants to log in: in the present, wherever it was connected before.
    fn find(&self, device: DeviceId) {
        let (shared, mailbox) = (self.shared.clone(), self.mailbox.clone());
        self.shared.log.when_current(Box::new(move |current| {
            let failed = || Input::Device(Err(Unreadable));
            if !current {
                return mailbox.put(Mail::Input(failed()));
            }
            let found = move |states: &States| Ok(Input::Device(Ok(Found::read(states, &device)?.map(Box::new))));
            read(&shared, mailbox, found, failed);
        }));
    }

    /// Lends a catch-up to a reader thread for one page, if one is wanted.
    fn next_page(&mut self) {
        let Some((Wanted { partition, most, bytes }, mut catch_up)) = self.pages.lend() else {
            return;
        };
        let mailbox = self.mailbox.clone();
        self.shared.readers.run(move |states| {
            let page = states.read(partition, |view| catch_up.next_page(view, most, bytes)).map_err(|error| {
                unread(&error);
                Unreadable
            });
            mailbox.put(Mail::Page { partition, catch_up, page });
        });
    }

    /// Sends what is left and closes; the connection is over either way.
    async fn close(&mut self) -> Result<(), Over> {
        in_time(self.carrier.finish()).await?;
        // The peer closes its side once it has read what was sent; without this wait a reset could overtake it.
        let _ = timeout(DRAIN, self.carrier.drain()).await;
        Err(Over)
    }
}

fn read(
    shared: &Shared,
    mailbox: Arc<Mailbox>,
    read: impl FnOnce(&States) -> Result<Input, CoreError> + Send + 'static,
    failed: impl FnOnce() -> Input + Send + 'static,
) {
    shared.readers.run(move |states| {
        let input = read(states).unwrap_or_else(|error| {
            unread(&error);
            failed()
        });
        mailbox.put(Mail::Input(input));
    });
}

/// A write, unless the peer takes nothing for too long. Most writes are done at once and need no timer.
async fn in_time(write: impl Future<Output = Result<(), Over>>) -> Result<(), Over> {
    let mut write = pin!(write);
    match write.as_mut().now_or_never() {
        Some(written) => written,
        None => timeout(WRITE, write).await.unwrap_or(Err(Over)),
    }
}

fn unavailable() -> Answer {
    Answer::Refused(Refusal::Unavailable(RetryAfter { retry_after_ms: 2_000 }))
}

fn unread(error: &CoreError) {
    tracing::error!(%error, "the database cannot be read");
}
