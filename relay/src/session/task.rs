//! The task of one connection: a carrier and a session, and between them whatever the session asks for.

use super::{Carrier, Channel, Input, Output, Over, Query, Session, Unreadable};
use crate::hub::Subscription;
use crate::server::Shared;
use aside_protocol::frame::GoodbyeReason;
use aside_protocol::refusal::{Plain, RetryAfter};
use aside_protocol::request::Answer;
use aside_protocol::{DeviceId, Refusal};
use aside_relay_core::{CatchUp, CoreError, View};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How often silence and the login's deadline are looked at.
const TICK: Duration = Duration::from_secs(5);
/// A peer that takes nothing for this long is gone.
const WRITE: Duration = Duration::from_secs(30);
/// How long the peer gets to end its side after a goodbye.
const DRAIN: Duration = Duration::from_secs(1);
/// After a write that took this long the carrier is read before anything else is judged.
const LISTEN_FIRST: Duration = Duration::from_secs(1);
/// Waiting inputs taken before what they caused is flushed.
const BURST: usize = 64;

/// What comes back from other threads. Bounded by the requests and pages under way.
enum Event {
    Input(Input),
    Page(Box<CatchUp>, Input),
}

/// Runs a connection to its end.
pub async fn run<C: Carrier>(carrier: C, shared: Arc<Shared>, channel: Channel) {
    let session = Session::new(shared.setup.clone(), channel, shared.now());
    let room = shared.room.clone().try_acquire_owned();
    let (events, incoming) = unbounded_channel();
    let mut task = Task { carrier, shared, session, events, subscription: None, catch_up: None };
    let ended = match room {
        Ok(_room) => task.run(incoming).await,
        Err(_) => task.handle(Input::Goodbye(GoodbyeReason::Full)).await,
    };
    if ended.is_err() {
        tracing::debug!("a connection broke off");
    }
}

struct Task<C> {
    carrier: C,
    shared: Arc<Shared>,
    session: Session,
    events: UnboundedSender<Event>,
    subscription: Option<Subscription>,
    catch_up: Option<Box<CatchUp>>,
}

impl<C: Carrier> Task<C> {
    async fn run(&mut self, mut events: UnboundedReceiver<Event>) -> Result<(), Over> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop = self.shared.stopping();
        loop {
            let wants_frames = self.session.wants_frames();
            let input = tokio::select! {
                Some(event) = events.recv() => self.take(event),
                input = next_push(&mut self.subscription) => input,
                heard = self.carrier.hear(), if wants_frames => heard?,
                _ = ticks.tick() => Some(Input::Tick),
                _ = stop.wait_for(|stop| *stop) => Some(Input::Goodbye(GoodbyeReason::ShuttingDown)),
            };
            if let Some(Input::Goodbye(_)) = input {
                // What was answered before the goodbye is said before it.
                self.burst(&mut events).await?;
            }
            let began = Instant::now();
            if let Some(input) = input {
                self.handle(input).await?;
            }
            self.burst(&mut events).await?;
            in_time(self.carrier.flush()).await?;
            // Nothing was heard while a slow link took its time: listen again before silence is judged.
            if began.elapsed() > LISTEN_FIRST {
                ticks.reset();
            }
        }
    }

    /// Takes what else is waiting, so that one flush serves many inputs.
    async fn burst(&mut self, events: &mut UnboundedReceiver<Event>) -> Result<(), Over> {
        for _ in 0..BURST {
            let input = match events.try_recv() {
                Ok(event) => self.take(event),
                Err(_) => match waiting_push(&mut self.subscription) {
                    Some(input) => Some(input),
                    None => return Ok(()),
                },
            };
            if let Some(input) = input {
                self.handle(input).await?;
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Option<Input> {
        match event {
            Event::Input(input) => Some(input),
            Event::Page(catch_up, input) => {
                self.catch_up = Some(catch_up);
                Some(input)
            }
        }
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
                let events = self.events.clone();
                let reply = move |answer| drop(events.send(Event::Input(Input::Answer { token, answer })));
                self.shared.log.submit(*command, Box::new(reply));
            }
            Output::Ack(device, pos) => self.shared.log.ack(device, pos),
            Output::Subscribe(device) => self.subscription = Some(self.shared.hub.subscribe(device)),
            Output::FindDevice(device) => self.read(
                move |view| {
                    let found = view.device(&device)?;
                    Ok(Input::Device(Ok(found.map(Box::new))))
                },
                || Input::Device(Err(Unreadable)),
            ),
            Output::Read { token, device, query } => self.read(
                move |view| Ok(Input::ReadAnswer { token, answer: answer(view, &device, &query)? }),
                move || Input::ReadAnswer { token, answer: unavailable() },
            ),
            Output::StartCatchUp(device, from) => self.catch_up = Some(Box::new(CatchUp::new(device, from))),
            Output::NextPage { most, bytes } => self.next_page(most, bytes),
            Output::Send(_) | Output::Close => {}
        }
    }

    fn read(
        &self,
        read: impl FnOnce(&View<'_>) -> rusqlite::Result<Input> + Send + 'static,
        failed: impl FnOnce() -> Input + Send + 'static,
    ) {
        let events = self.events.clone();
        self.shared.readers.run(move |reader| {
            let input = reader.snapshot(read).unwrap_or_else(|error| {
                unread(&error);
                failed()
            });
            drop(events.send(Event::Input(input)));
        });
    }

    /// Lends the catch-up to a reader thread for one page.
    fn next_page(&mut self, most: usize, bytes: usize) {
        let Some(mut catch_up) = self.catch_up.take() else {
            return;
        };
        let events = self.events.clone();
        self.shared.readers.run(move |reader| {
            let page = reader.snapshot(|view| catch_up.next_page(view, most, bytes));
            let page = page.map_err(|error| {
                unread(&error);
                Unreadable
            });
            drop(events.send(Event::Page(catch_up, Input::Page(page))));
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

/// A write, unless the peer takes nothing for too long.
async fn in_time(write: impl Future<Output = Result<(), Over>>) -> Result<(), Over> {
    timeout(WRITE, write).await.unwrap_or(Err(Over))
}

/// Waits for the hub; forever before the login.
async fn next_push(subscription: &mut Option<Subscription>) -> Option<Input> {
    let Some(subscription) = subscription else {
        return std::future::pending().await;
    };
    tokio::select! {
        Some(push) = subscription.queue.recv() => Some(Input::Push(push)),
        () = subscription.signal.changed() => signalled(subscription),
    }
}

fn waiting_push(subscription: &mut Option<Subscription>) -> Option<Input> {
    let subscription = subscription.as_mut()?;
    match subscription.queue.try_recv() {
        Ok(push) => Some(Input::Push(push)),
        Err(_) => signalled(subscription),
    }
}

/// A goodbye at once; a lag only when the queue is empty, so that its order is kept.
fn signalled(subscription: &mut Subscription) -> Option<Input> {
    if let Some(reason) = subscription.signal.goodbye() {
        return Some(Input::Goodbye(reason));
    }
    let lagged = subscription.queue.is_empty() && subscription.signal.take_lagged();
    lagged.then_some(Input::Lagged)
}

fn answer(view: &View<'_>, device: &DeviceId, query: &Query) -> rusqlite::Result<Answer> {
    Ok(match query {
        Query::Lookup(lookup) => view.account(lookup)?.map(Answer::Account),
        Query::Range(range) => view.range(device, range)?.map(Answer::Envelopes),
        Query::Routing(routing) => view.routing(device, &routing.chat)?.map(Answer::Routing),
    }
    .unwrap_or(Answer::Refused(Refusal::NotFound(Plain {}))))
}

fn unavailable() -> Answer {
    Answer::Refused(Refusal::Unavailable(RetryAfter { retry_after_ms: 2_000 }))
}

fn unread(error: &CoreError) {
    tracing::error!(%error, "the database cannot be read");
}
