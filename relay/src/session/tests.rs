#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod partitions;

use super::*;
use aside_protocol::frame::{Attach, Hello, Login, LoginOk, Position, VERSION};
use aside_protocol::login::Transcript;
use aside_protocol::request::{Lookup, Request, Who};
use aside_protocol::{AccountId, Cursor, DeviceId, Millis, Name, PartitionId, Pos, PublicKey, Signature};
use aside_relay_core::read::DeviceInfo;
use ed25519_dalek::{Signer, SigningKey};

const DEVICE: DeviceId = DeviceId([4; 16]);

struct Talk {
    session: Session,
    setup: Arc<Setup>,
    key: SigningKey,
    now: Now,
    _folder: tempfile::TempDir,
}

impl Talk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity::open(&folder.path().join("identity.key")).unwrap();
        let blobs = BlobLimits { quota: 1 << 20, most: 1 << 16 };
        let setup = Arc::new(Setup { identity, mode: Mode::Direct, log: LogId([8; 16]), window: 4, blobs });
        let now = Now { wall: Millis(1_000_000), steady: 50 };
        let channel = Channel { nonce: Nonce([2; 32]), exporter: Some(vec![3; 32]) };
        let session = Session::new(setup.clone(), channel, now);
        Self { session, setup, key: SigningKey::from_bytes(&[6; 32]), now, _folder: folder }
    }

    fn input(&mut self, input: Input) -> Vec<Output> {
        self.session.handle(input, self.now)
    }

    fn frame(&mut self, frame: &ClientFrame) -> Vec<Output> {
        self.input(Input::Frame(codec::encode(frame)))
    }

    fn wait(&mut self, ms: u64) -> Vec<Output> {
        self.now.steady += ms;
        self.input(Input::Tick)
    }

    fn hello(&mut self) -> Transcript {
        let (versions, offered) = (vec![VERSION], vec!["x".to_owned()]);
        let hello = Hello { versions, capabilities: offered, nonce: Nonce([1; 32]), mode: Mode::Direct };
        let outputs = self.frame(&ClientFrame::Hello(hello.clone()));
        let [Output::Send(bytes)] = outputs.as_slice() else { panic!("{outputs:?}") };
        let RelayFrame::HelloOk(ok) = codec::decode(bytes).unwrap() else { panic!("no hello-ok") };
        assert!(ok.capabilities.is_empty());
        Transcript::of(hello, &ok, self.setup.identity.pin(), vec![3; 32])
    }

    fn login(&mut self) -> Vec<Output> {
        let transcript = self.hello();
        let signature = Signature(self.key.sign(&transcript.device_signs(&DEVICE)).to_bytes());
        self.frame(&ClientFrame::Login(Login { device: DEVICE, signature }))
    }

    fn info(&self) -> DeviceInfo {
        DeviceInfo {
            key: PublicKey(self.key.verifying_key().to_bytes()),
            account: AccountId([5; 32]),
            name: Name::new("alice").unwrap(),
            revoked: false,
            acked: Pos(7),
            head: Pos(20),
            key_packages: vec![],
        }
    }

    fn live() -> Self {
        Self::live_in(&[(7, 20)])
    }

    /// Logged in, with so much acknowledged in each partition, and those heads.
    fn live_in(partitions: &[(u64, u64)]) -> Self {
        let mut talk = Self::new();
        assert_eq!(talk.login(), [Output::FindDevice(DEVICE)]);
        assert!(!talk.session.wants_frames(), "nothing is read before the login is decided");
        let wanted: Vec<_> = (0..).zip(partitions).map(|(number, place)| position(number, *place)).collect();
        let found = Found { info: talk.info(), positions: wanted.clone() };
        let outputs = talk.input(Input::Device(Ok(Some(Box::new(found)))));
        let [Output::Subscribe(DEVICE), Output::Send(bytes)] = outputs.as_slice() else { panic!("{outputs:?}") };
        let RelayFrame::LoginOk(LoginOk { log, positions, .. }) = codec::decode(bytes).unwrap() else {
            panic!("not logged in");
        };
        assert_eq!((log, positions), (LogId([8; 16]), wanted));
        talk
    }

    fn attach(&mut self, log: LogId, pos: u64) -> Vec<Output> {
        let cursor = Cursor { log, partition: PartitionId(0), pos: Pos(pos) };
        self.frame(&ClientFrame::Attach(Attach { cursors: vec![cursor] }))
    }
}

fn position(partition: u16, (acked, head): (u64, u64)) -> Position {
    Position { partition: PartitionId(partition), acked: Pos(acked), head: Pos(head) }
}

/// What is found of a device in the only partition there is.
fn found(info: DeviceInfo) -> Input {
    Input::Device(Ok(Some(Box::new(Found { info, positions: vec![position(0, (7, 20))] }))))
}

fn said(outputs: &[Output]) -> (String, bool) {
    let Some(Output::Send(bytes)) = outputs.first() else { panic!("{outputs:?}") };
    let what = match codec::decode(bytes).unwrap() {
        RelayFrame::Fault(fault) => fault.rule,
        RelayFrame::Goodbye(goodbye) => format!("{:?}", goodbye.reason),
        RelayFrame::LoginRefused(refusal) => refusal.name().to_owned(),
        other => other.name().to_owned(),
    };
    (what, outputs.last() == Some(&Output::Close))
}

#[test]
fn who_does_not_log_in_in_time_is_told_and_closed() {
    let mut talk = Talk::new();
    assert_eq!(talk.wait(LOGIN_MS - 1), []);
    assert_eq!(said(&talk.wait(1)), ("LOG-4".to_owned(), true));
    assert!(!talk.session.wants_frames());
}

/// A meeting's guest may take its time, and then log in; it is given up at the latest when no meeting lasts so long.
#[test]
fn a_guest_logs_in_later() {
    let meeting = aside_protocol::MeetingId([5; 16]);
    let body = |text: &[u8]| aside_protocol::Body::from(text.to_vec());
    let said = |text: &[u8]| Input::Said(Said::new(meeting, body(text)));
    let mut talk = Talk::new();
    talk.hello();
    talk.wait(LOGIN_MS - 1);
    let outputs = talk.frame(&ClientFrame::Meet(Meet { meeting, body: body(b"hello") }));
    assert_eq!(outputs, [Output::Meeting(crate::meetings::Talk::Meet { meeting, body: body(b"hello") })]);
    assert_eq!(talk.input(Input::Meeting(Ok(()))), []);
    for _ in 0..20 {
        assert_eq!(said_name(&talk.frame(&ClientFrame::Ping(Ping {}))), "Pong");
        assert_eq!(talk.wait(LOGIN_MS), []);
    }
    assert_eq!(said_name(&talk.input(said(b"welcome"))), "Met");
    assert_eq!(said_name(&talk.input(said(b""))), "Met");
    assert_eq!(talk.wait(LOGIN_MS - 1), [], "the meeting is over, and its time to log in begins");
    assert_eq!(super::tests::said(&talk.wait(1)), ("LOG-4".to_owned(), true));

    let mut talk = Talk::new();
    talk.hello();
    talk.input(Input::Meeting(Ok(())));
    for _ in 0..MEETING_MS / LOGIN_MS - 1 {
        talk.frame(&ClientFrame::Ping(Ping {}));
        assert_eq!(talk.wait(LOGIN_MS), []);
    }
    assert_eq!(super::tests::said(&talk.wait(LOGIN_MS)), ("LOG-4".to_owned(), true));

    let mut talk = Talk::new();
    talk.hello();
    talk.input(Input::Meeting(Err(Refusal::NotFound(Default::default()))));
    assert_eq!(super::tests::said(&talk.wait(LOGIN_MS)), ("LOG-4".to_owned(), true), "who was refused is no guest");
}

fn said_name(outputs: &[Output]) -> String {
    said(outputs).0
}

#[test]
fn silence_ends_a_connection_and_a_ping_breaks_it() {
    let mut talk = Talk::live();
    assert_eq!(talk.wait(SILENCE_MS - 1), []);
    assert_eq!(said(&talk.frame(&ClientFrame::Ping(Ping {}))), ("Pong".to_owned(), false));
    assert_eq!(talk.wait(SILENCE_MS - 1), []);
    assert_eq!(said(&talk.wait(1)), ("Silent".to_owned(), true));
}

#[test]
fn a_login_needs_the_devices_key_and_a_present_device() {
    let mut talk = Talk::new();
    talk.login();
    let impostor = DeviceInfo { key: PublicKey([9; 32]), ..talk.info() };
    assert_eq!(said(&talk.input(found(impostor))), ("LOG-3".to_owned(), true));

    let mut talk = Talk::new();
    talk.login();
    let revoked = DeviceInfo { revoked: true, ..talk.info() };
    assert_eq!(said(&talk.input(found(revoked))), ("Revoked".to_owned(), false));
    assert!(talk.session.wants_frames(), "the connection stays in its state");

    let mut talk = Talk::new();
    talk.login();
    assert_eq!(said(&talk.input(Input::Device(Err(Unreadable)))), ("Unavailable".to_owned(), false));
}

#[test]
fn a_second_login_while_one_is_decided_is_out_of_state() {
    let mut talk = Talk::new();
    talk.login();
    let login = ClientFrame::Login(Login { device: DEVICE, signature: Signature([0; 64]) });
    assert_eq!(said(&talk.frame(&login)), ("FRM-3".to_owned(), true));
    let info = talk.info();
    assert_eq!(talk.input(found(info)), [], "nothing happens after the close");
}

#[test]
fn a_cursor_of_another_log_or_ahead_of_this_one_counts_for_nothing() {
    for (log, pos, from, acked) in
        [([8; 16], 12, 12, true), ([8; 16], 5, 5, false), ([8; 16], 21, 0, false), ([9; 16], 12, 0, false)]
    {
        let mut talk = Talk::live();
        let outputs = talk.attach(LogId(log), pos);
        assert!(outputs.contains(&Output::StartCatchUp(DEVICE, PartitionId(0), Pos(from))), "{outputs:?}");
        assert_eq!(outputs.contains(&Output::Ack(DEVICE, PartitionId(0), Pos(pos))), acked);
    }
}

#[test]
fn reading_stops_while_too_many_requests_wait() {
    let mut talk = Talk::live();
    let lookup = || Request::Lookup(Lookup { who: Who::Account(AccountId([0; 32])), from_version: 1 });
    for id in 0..UNANSWERED_REQUESTS as u64 {
        assert!(talk.session.wants_frames());
        talk.frame(&ClientFrame::Request(aside_protocol::frame::Asked { id, request: lookup() }));
    }
    assert!(!talk.session.wants_frames());
    let answer = Answer::Done(Default::default());
    assert_eq!(said(&talk.input(Input::ReadAnswer { token: 0, answer })), ("Answer".to_owned(), false));
    assert!(talk.session.wants_frames());
}

/// Answers may be large, and a client may not take them: only one is ever made before the last one was written.
#[test]
fn questions_are_asked_one_after_the_other() {
    let mut talk = Talk::live();
    let lookup = |id| {
        let request = Request::Lookup(Lookup { who: Who::Account(AccountId([0; 32])), from_version: 1 });
        ClientFrame::Request(aside_protocol::frame::Asked { id, request })
    };
    let reads = |outputs: &[Output]| outputs.iter().filter(|output| matches!(output, Output::Read { .. })).count();
    assert_eq!(reads(&talk.frame(&lookup(1))), 1);
    assert_eq!(reads(&talk.frame(&lookup(2))), 0);
    // The answer to a command of the same number is not the answer to the question.
    assert_eq!(reads(&talk.input(Input::Answer { token: 1, answer: Answer::Done(Default::default()) })), 0);
    let outputs = talk.input(Input::ReadAnswer { token: 1, answer: Answer::Done(Default::default()) });
    assert!(matches!(outputs.as_slice(), [Output::Send(_), Output::Read { token: 2, .. }]), "{outputs:?}");
}

#[test]
fn pushes_before_the_attach_are_left_for_the_log() {
    let mut talk = Talk::live();
    let partition = PartitionId(0);
    let push = Push { partition, pos: Pos(21), weight: 1, frame: Bytes::from_static(b"x") };
    assert_eq!(talk.input(Input::Push(push.clone())), []);
    talk.attach(LogId([8; 16]), 20);
    assert_eq!(talk.input(Input::Push(push)), []);
    let done = Page { envelopes: vec![], done_up_to: Some(Pos(20)) };
    let outputs = talk.input(Input::Page { partition, page: Ok(done) });
    assert!(matches!(outputs.last(), Some(Output::NextPage { .. })), "what was pushed meanwhile is read again");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), live: bool) {
        let mut talk = if live { Talk::live() } else { Talk::new() };
        talk.input(Input::Frame(Bytes::from(bytes)));
    }
}

fn nodes(names: &[&str]) -> Input {
    let member = |name: &&str| crate::nodes::Member {
        name: (*name).to_owned(),
        addresses: vec![format!("{name}:1")],
        leaving: false,
    };
    Input::Nodes(Arc::new(Nodes::new(names.iter().map(member).collect())))
}

fn told(output: &Output) -> Vec<String> {
    let Output::Send(bytes) = output else { panic!("{output:?}") };
    match codec::decode(bytes).unwrap() {
        RelayFrame::LoginOk(ok) => ok.addresses,
        RelayFrame::Nodes(nodes) => nodes.addresses,
        other => panic!("{other:?}"),
    }
}

/// Rule `NOD-1`.
#[test]
fn a_device_is_told_the_nodes_at_its_login_and_whenever_they_change() {
    let mut talk = Talk::new();
    assert_eq!(talk.input(nodes(&["a", "b"])), [], "nobody is there yet");
    talk.login();
    let info = talk.info();
    let outputs = talk.input(found(info));
    let mut both = told(&outputs[1]);
    assert_eq!(talk.input(nodes(&["b", "a"])), [], "the same ones");
    let outputs = talk.input(nodes(&["b", "a", "c"]));
    assert_eq!(outputs.len(), 1);
    let mut three = told(&outputs[0]);
    three.retain(|address| address != "c:1");
    assert_eq!(three, both, "the others keep their order");
    let outputs = talk.input(nodes(&["c"]));
    assert_eq!(told(&outputs[0]), ["c:1"]);
    assert!(told(&talk.input(nodes(&[]))[0]).is_empty());
    both.sort();
    assert_eq!(both, ["a:1", "b:1"]);
}
