//! Running one command: whether this partition takes it, and what is to handle it.

use crate::cache::Cache;
use crate::error::Stop;
use crate::layout::Part;
use crate::step::{Step, invalid};
use crate::{Command, Outcome, account, ack, blob, chat, invite, key_package, learn, retain};
use aside_protocol::request::{Answer, BlobRef, Done};
use aside_protocol::{Millis, Pos};
use rusqlite::Connection;

/// Runs one command. A refusal must have written nothing and taken no position (rule `REQ-3`).
pub(crate) fn run(
    db: &Connection,
    cache: &mut Cache,
    part: Part,
    now: Millis,
    head: &mut Pos,
    command: &Command,
) -> rusqlite::Result<Outcome> {
    let changes = db.total_changes();
    let mut step = Step {
        db,
        cache,
        part,
        pointed: &[],
        now,
        head: *head,
        deliveries: Vec::new(),
        revoked: Vec::new(),
        more: false,
    };
    match dispatch(&mut step, command) {
        Ok(answer) => {
            *head = step.head;
            Ok(Outcome { answer, deliveries: step.deliveries, revoked: step.revoked, more: step.more })
        }
        Err(Stop::Refused(refusal)) => {
            debug_assert_eq!((db.total_changes(), step.head), (changes, *head), "a refusal writes nothing");
            Ok(Outcome::refused(refusal))
        }
        Err(Stop::Storage(error)) => Err(error),
    }
}

fn dispatch<'a>(step: &mut Step<'a>, command: &'a Command) -> Result<Answer, Stop> {
    if !step.part.takes(command) {
        return Err(invalid());
    }
    match command {
        Command::Init { log } => init(step, log),
        Command::BeginLog { log } => begin_log(step, log),
        Command::CreateInvite { secret, uses, valid } => invite::create(step, secret, *uses, *valid),
        Command::Register(registration) => account::register(step, registration),
        Command::PutDeviceList(by, request) => account::put_list(step, by, &request.list),
        Command::PutKeyPackages(by, request) => key_package::put(step, by, &request.packages),
        Command::FetchKeyPackages(by, request) => key_package::fetch(step, by, request),
        Command::Found(by, hash, request) => chat::found(step, by, hash, request),
        Command::Send(by, hash, request) => chat::send(step, by, hash, request),
        Command::Commit(by, hash, request) => chat::commit(step, by, hash, request),
        Command::Route(by, request) => chat::route(step, by, request),
        Command::Receipt(by, request) => chat::receipt(step, by, request),
        Command::Rejoin(by, request) => chat::rejoin(step, by, request),
        Command::Leave(by, request) => chat::leave(step, by, request),
        Command::Join(by, request) => chat::join(step, by, request),
        Command::Recover(recovery) => account::recover(step, recovery),
        Command::Ack { device, pos } => ack::ack(step, device, *pos),
        Command::ReserveBlob(by, request, limits) => blob::reserve(step, by, request, limits),
        Command::CompleteBlob(request) => blob::complete(step, request),
        Command::BlobGone { id } => blob::gone(step, id),
        Command::BlobLost { id } => blob::lost(step, id),
        Command::PointTo(blobs) => blob::point_to(step, blobs),
        Command::Pointing { blobs, command, .. } => pointing(step, blobs, command),
        Command::Learn { changes } => learn::learn(step, changes),
        Command::Retain { limit } => retain::retain(step, *limit),
    }
}

fn begin_log(step: &mut Step<'_>, log: &aside_protocol::LogId) -> Result<Answer, Stop> {
    step.db.prepare_cached("UPDATE relay SET log = ?")?.execute([log.0])?;
    Ok(Answer::Done(Done::default()))
}

fn init(step: &mut Step<'_>, log: &aside_protocol::LogId) -> Result<Answer, Stop> {
    step.db.prepare_cached("UPDATE relay SET log = ? WHERE log IS NULL")?.execute([log.0])?;
    Ok(Answer::Done(Done::default()))
}

/// What is asked of a commit or founding stays as it is; only its blobs count as there.
fn pointing<'a>(step: &mut Step<'a>, blobs: &'a [BlobRef], inner: &'a Command) -> Result<Answer, Stop> {
    if !matches!(inner, Command::Commit(..) | Command::Found(..)) {
        return Err(invalid());
    }
    step.pointed = blobs;
    dispatch(step, inner)
}
