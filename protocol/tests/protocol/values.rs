//! One fixed value of everything that travels, for the golden vectors. Every byte is made up but the signatures.

use aside_protocol::content::*;
use aside_protocol::device_list::{DeviceEntry, DeviceList, SignedDeviceList, Signer, hash_of, signed_bytes};
use aside_protocol::envelope::{Envelope, EnvelopeKind, routing_of};
use aside_protocol::frame::*;
use aside_protocol::group::*;
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::login::{Mode, Transcript, pin};
use aside_protocol::refusal::*;
use aside_protocol::rejoin::{self, RejoinRequest, SeqRange, SignedRejoin};
use aside_protocol::request::*;
use aside_protocol::*;
use ed25519_dalek::{Signer as _, SigningKey};

pub const CHAT: ChatId = ChatId([0xc1; 32]);
pub const DEVICE: DeviceId = DeviceId([0xd1; 16]);
pub const OTHER_DEVICE: DeviceId = DeviceId([0xd2; 16]);
pub const ACCOUNT: AccountId = AccountId([0xa1; 32]);
pub const LOG: LogId = LogId([0x10; 16]);
pub const HASH: Hash = Hash([0x4a; 32]);
pub const TIME: Millis = Millis(1_790_000_000_000);
const SIGNATURE: Signature = Signature([0x51; 64]);
const MEETING: MeetingId = MeetingId([0x3e; 16]);
const PARTITION: PartitionId = PartitionId(0);

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn public(seed: u8) -> PublicKey {
    PublicKey(key(seed).verifying_key().to_bytes())
}

fn sign(seed: u8, message: &[u8]) -> Signature {
    Signature(key(seed).sign(message).to_bytes())
}

pub fn name() -> Name {
    Name::new("alice").unwrap()
}

pub fn body(text: &str) -> Body {
    Body::from(text.as_bytes().to_vec())
}

pub fn hello() -> Hello {
    let capabilities = vec!["groups".into()];
    Hello { versions: vec![VERSION], capabilities, nonce: Nonce([0x01; 32]), mode: Mode::Direct }
}

pub fn hello_ok() -> HelloOk {
    let signature = sign(1, &transcript().relay_signs());
    HelloOk { version: 1, capabilities: vec![], nonce: Nonce([0x02; 32]), identity: public(1), signature }
}

/// What [`hello`] and [`hello_ok`] lead to over a channel whose exporter gives 32 bytes of 0xee.
pub fn transcript() -> Transcript {
    Transcript {
        versions: vec![VERSION],
        offered: vec!["groups".into()],
        version: 1,
        capabilities: vec![],
        client_nonce: Nonce([0x01; 32]),
        relay_nonce: Nonce([0x02; 32]),
        relay: pin(&public(1)),
        mode: Mode::Direct,
        exporter: Some(vec![0xee; 32]),
    }
}

pub fn client_frames() -> Vec<ClientFrame> {
    let list = list_1();
    let secret = invite().secret;
    let signed = transcript().registration_signs(&secret.0, "alice", &public(2), &list);
    let ack = Ack { partition: PARTITION, pos: Pos(70_000) };
    vec![
        ClientFrame::Hello(hello()),
        ClientFrame::Login(Login { device: DEVICE, signature: sign(3, &transcript().device_signs(&DEVICE)) }),
        ClientFrame::Register(Register { secret, name: name(), root: public(2), list, signature: sign(3, &signed) }),
        ClientFrame::Attach(Attach { cursors: vec![Cursor { log: LOG, partition: PARTITION, pos: Pos(300) }] }),
        ClientFrame::Ack(ack),
        ClientFrame::Request(Asked { id: 9, request: Request::Routing(Routing { chat: CHAT }) }),
        ClientFrame::Ping(Ping {}),
        ClientFrame::Meet(meet()),
        ClientFrame::Claim(Claim {
            root: public(2),
            from_version: 0,
            signature: sign(2, &transcript().claim_signs(&account())),
        }),
        ClientFrame::Recover(Recover {
            account: account(),
            device: OTHER_DEVICE,
            list: list_recovered(),
            signature: sign(4, &transcript().recovery_signs(&list_recovered())),
        }),
    ]
}

pub fn relay_frames() -> Vec<RelayFrame> {
    let fault = Fault { rule: "FRM-3".into(), message: "Attach does not belong here".into(), fatal: true };
    let mut frames = vec![
        RelayFrame::HelloOk(hello_ok()),
        RelayFrame::LoginOk(login_ok(Vec::new())),
        RelayFrame::LoginRefused(Refusal::InviteUsed(Plain {})),
        RelayFrame::CaughtUp(CaughtUp { partition: PARTITION, pos: Pos(70_000) }),
        RelayFrame::Answer(Answered { id: 9, answer: Answer::Done(Done::default()) }),
        RelayFrame::Pong(Ping {}),
        RelayFrame::Fault(fault),
    ];
    frames.extend(envelopes().into_iter().take(FIRST_ENVELOPES).map(RelayFrame::Deliver));
    let reasons = [GoodbyeReason::ShuttingDown, GoodbyeReason::Replaced, GoodbyeReason::Silent, GoodbyeReason::Full];
    let goodbye = |reason| RelayFrame::Goodbye(Goodbye { reason, retry_after_ms: 1_000 });
    frames.extend(reasons.map(goodbye));
    frames.push(RelayFrame::Met(meet()));
    frames.push(RelayFrame::Claimed(Account { name: name(), root: public(2), lists: vec![list_1()] }));
    frames.extend(envelopes().into_iter().skip(FIRST_ENVELOPES).map(RelayFrame::Deliver));
    frames.push(RelayFrame::LoginOk(login_ok(addresses())));
    frames.push(RelayFrame::Nodes(Nodes { addresses: addresses() }));
    frames
}

fn login_ok(addresses: Vec<String>) -> LoginOk {
    LoginOk {
        account: ACCOUNT,
        name: name(),
        log: LOG,
        positions: vec![Position { partition: PARTITION, acked: Pos(300), head: Pos(70_000) }],
        key_packages: vec![KeyPackageCount { suite: Suite::XWing, one_time: 100, last_resort: true }],
        time: TIME,
        addresses,
    }
}

fn addresses() -> Vec<String> {
    vec!["b.example.org:7443".into(), "[2001:db8::1]:7443".into()]
}

fn meet() -> Meet {
    Meet { meeting: MEETING, body: body("opaque") }
}

/// Those that stand together in the vectors; what came later stands at the end.
const FIRST_ENVELOPES: usize = 10;

/// One of each kind, and an echo.
pub fn envelopes() -> Vec<Envelope> {
    let plain = |kind, pos| Envelope {
        partition: PARTITION,
        pos: Pos(pos),
        kind,
        chat: CHAT,
        from: DEVICE,
        account: ACCOUNT,
        time: TIME,
        seq: None,
        n: None,
        base: None,
        incarnation: None,
        hash: None,
        body: Some(body("opaque")),
        blob: None,
        routing: None,
    };
    let wide = |kind, pos, seq| Envelope {
        seq: Some(Seq(seq)),
        n: Some(N(seq)),
        base: Some(Seq(1)),
        hash: Some(Hash::of(b"opaque")),
        ..plain(kind, pos)
    };
    vec![
        wide(EnvelopeKind::Message, 302, 3),
        wide(EnvelopeKind::Commit, 303, 4),
        Envelope { base: Some(Seq(0)), incarnation: Some(1), ..wide(EnvelopeKind::Founding, 300, 1) },
        Envelope { base: Some(Seq(1)), incarnation: Some(1), ..plain(EnvelopeKind::Welcome, 301) },
        Envelope { base: Some(Seq(4)), ..plain(EnvelopeKind::Receipt, 304) },
        plain(EnvelopeKind::Rejoin, 305),
        Envelope { body: None, ..wide(EnvelopeKind::Message, 302, 3) },
        plain(EnvelopeKind::Leave, 306),
        plain(EnvelopeKind::Join, 307),
        Envelope { body: None, blob: Some(blob()), ..wide(EnvelopeKind::Commit, 308, 5) },
        Envelope { routing: routing_of(&[DEVICE], &[DEVICE, OTHER_DEVICE]), ..wide(EnvelopeKind::Commit, 309, 6) },
        Envelope { base: Some(Seq(6)), body: None, ..plain(EnvelopeKind::Routed, 310) },
    ]
}

pub fn blob() -> BlobRef {
    BlobRef { id: HASH, size: 1_500_000 }
}

pub fn requests() -> Vec<Request> {
    let welcome = || Some(Welcome { to: vec![OTHER_DEVICE], body: body("welcome"), blob: None });
    let upload = |suite, last_resort| KeyPackageUpload { suite, last_resort, body: body("package") };
    vec![
        Request::Lookup(Lookup { who: Who::Name(name()), from_version: 1 }),
        Request::Lookup(Lookup { who: Who::Account(ACCOUNT), from_version: 2 }),
        Request::PutKeyPackages(PutKeyPackages {
            packages: vec![upload(Suite::XWing, false), upload(Suite::Classical, true)],
        }),
        Request::FetchKeyPackages(FetchKeyPackages {
            id: RequestId([0x1d; 16]),
            account: ACCOUNT,
            suite: Suite::XWing,
        }),
        Request::PutDeviceList(PutDeviceList { list: list_2() }),
        Request::Found(Found {
            chat: ChatId::direct(&ACCOUNT, &AccountId([0xa2; 32])),
            accounts: vec![ACCOUNT, AccountId([0xa2; 32])],
            incarnation: 1,
            devices: vec![DEVICE, OTHER_DEVICE],
            body: body("commit"),
            welcome: welcome(),
            origin: None,
        }),
        Request::Send(Send { chat: CHAT, n: N(2), base: Seq(1), body: body("opaque") }),
        Request::Commit(Commit {
            chat: CHAT,
            n: N(3),
            base: Seq(1),
            body: body("commit"),
            add: vec![OTHER_DEVICE],
            remove: vec![OTHER_DEVICE],
            welcome: welcome(),
            blob: None,
        }),
        Request::Route(Route { chat: CHAT, refused: Seq(4) }),
        Request::Receipt(Receipt { chat: CHAT, base: Seq(4), body: Body(encode(&sealed_receipt())) }),
        Request::Rejoin(Rejoin { chat: CHAT, body: Body(encode(&signed_rejoin())) }),
        Request::Range(Range { chat: CHAT, from: Seq(5), to: Seq(68) }),
        Request::Routing(Routing { chat: CHAT }),
        Request::Found(Found {
            chat: ChatId::group(&ACCOUNT, &origin().nonce),
            accounts: vec![],
            incarnation: 1,
            devices: vec![DEVICE, OTHER_DEVICE],
            body: Body::from(HASH.0.to_vec()),
            welcome: Some(Welcome { to: vec![OTHER_DEVICE], body: Body::default(), blob: Some(blob()) }),
            origin: Some(origin()),
        }),
        Request::Commit(Commit {
            chat: CHAT,
            n: N(3),
            base: Seq(1),
            body: Body::default(),
            add: vec![],
            remove: vec![],
            welcome: None,
            blob: Some(blob()),
        }),
        Request::Chats(Chats { after: Some(CHAT) }),
        Request::Leave(Leave { chat: CHAT, body: Body(encode(&signed_leave())) }),
        Request::Join(Join { chat: CHAT, body: Body(encode(&signed_join())) }),
        Request::Receipts(Receipts { chat: CHAT, after: Pos(304) }),
        Request::Upload(Upload { blob: blob() }),
        Request::OpenMeeting(OpenMeeting { meeting: MEETING }),
        Request::Tell(Tell { meeting: MEETING, body: body("opaque") }),
    ]
}

pub fn answers() -> Vec<Answer> {
    vec![
        Answer::Refused(Refusal::NotMember(Plain {})),
        Answer::Done(Done { pos: Some(Pos(304)), hash: Some(HASH) }),
        Answer::Sent(Sent { n: N(2), seq: Seq(3), time: TIME }),
        Answer::Account(Account { name: name(), root: public(2), lists: vec![list_1(), list_2()] }),
        Answer::KeyPackages(vec![KeyPackageOf { device: OTHER_DEVICE, body: body("package") }]),
        Answer::KeyPackageCounts(vec![KeyPackageCount { suite: Suite::XWing, one_time: 99, last_resort: true }]),
        Answer::Envelopes(Envelopes { envelopes: envelopes().into_iter().take(1).collect(), first: Seq(3) }),
        Answer::Routing(Routed { devices: vec![DEVICE, OTHER_DEVICE], incarnation: 1, base: Seq(4), last: Seq(68) }),
        Answer::Chats(ChatsOf {
            chats: vec![ChatOf { chat: CHAT, incarnation: 1, base: Seq(4), last: Seq(68), routed: true }],
            more: true,
        }),
        Answer::Receipts(ReceiptsOf { receipts: envelopes().into_iter().skip(4).take(1).collect(), more: false }),
        Answer::Uploading(Uploading { token: Body::from(vec![0x70; 32]), offset: 65_536 }),
    ]
}

pub fn refusals() -> Vec<Refusal> {
    let later = RetryAfter { retry_after_ms: 2_000 };
    vec![
        Refusal::OutOfOrder(OutOfOrder { expected: N(3) }),
        Refusal::Stale(Stale { base: Seq(4) }),
        Refusal::Conflict(Conflict { n: N(2), hash: HASH }),
        Refusal::TooOld(Plain {}),
        Refusal::NotMember(Plain {}),
        Refusal::Exists(Exists { incarnation: 2, base: Seq(9) }),
        Refusal::DevicesChanged(DevicesChanged { account: ACCOUNT, version: 2 }),
        Refusal::NotFound(Plain {}),
        Refusal::NoKeyPackage(Plain {}),
        Refusal::NameTaken(Plain {}),
        Refusal::InviteUnknown(Plain {}),
        Refusal::InviteExpired(Plain {}),
        Refusal::InviteUsed(Plain {}),
        Refusal::Invalid(Plain {}),
        Refusal::TooLarge(TooLarge { limit: 65_536 }),
        Refusal::RateLimited(later),
        Refusal::Busy(later),
        Refusal::Unavailable(later),
        Refusal::Revoked(Plain {}),
        Refusal::AlreadyRegistered(Plain {}),
        Refusal::Unsupported(Plain {}),
    ]
}

pub fn invite() -> Invite {
    Invite {
        addresses: vec!["chat.example:7443".into(), "[2001:db8::1]:7443".into()],
        pin: pin(&public(1)),
        mode: Mode::Direct,
        secret: InviteSecret([0x5e; 16]),
    }
}

fn entry(device: DeviceId, seed: u8) -> DeviceEntry {
    DeviceEntry { device, key: public(seed), added: TIME }
}

/// The account whose root key has seed 2.
pub fn account() -> AccountId {
    AccountId::of(&public(2))
}

pub fn unsigned_list_1() -> DeviceList {
    DeviceList { account: account(), version: 1, previous: Hash([0; 32]), devices: vec![entry(DEVICE, 3)] }
}

/// What the root key leaves of both lists: the second device alone.
pub fn list_recovered() -> Body {
    let devices = vec![entry(OTHER_DEVICE, 4)];
    let list = DeviceList { account: account(), version: 2, previous: hash_of(&encode(&unsigned_list_1())), devices };
    signed_list(&list, Signer::Root(Plain {}), 2)
}

pub fn unsigned_list_2() -> DeviceList {
    let devices = vec![entry(DEVICE, 3), entry(OTHER_DEVICE, 4)];
    DeviceList { account: account(), version: 2, previous: hash_of(&encode(&unsigned_list_1())), devices }
}

/// Signed by the root.
pub fn list_1() -> Body {
    signed_list(&unsigned_list_1(), Signer::Root(Plain {}), 2)
}

/// Signed by the first device.
pub fn list_2() -> Body {
    signed_list(&unsigned_list_2(), Signer::Device(DEVICE), 3)
}

pub fn signed_list(list: &DeviceList, signer: Signer, seed: u8) -> Body {
    let list = Body(encode(list));
    let signature = sign(seed, &signed_bytes(&list));
    Body(encode(&SignedDeviceList { list, signer, signature }))
}

pub fn aad() -> Aad {
    Aad { chat: CHAT, n: N(2), base: Seq(1) }
}

pub fn content() -> Content {
    Content {
        id: MessageId([0x1d; 16]),
        time: TIME,
        list_version: 1,
        list_hash: HASH,
        body: ContentBody::Text(Text { text: "hello".into() }),
        again: None,
    }
}

pub fn content_again() -> Content {
    Content { again: Some(Again { device: DEVICE, seq: Seq(3) }), ..content() }
}

pub fn sealed_receipt() -> SealedReceipt {
    SealedReceipt { nonce: [0x24; 24], sealed: Body::from(vec![0x5e; 32]), signature: SIGNATURE }
}

pub fn rejoin_request() -> RejoinRequest {
    let missing = vec![SeqRange { from: Seq(2), to: Seq(9) }];
    RejoinRequest { chat: CHAT, incarnation: 1, device: DEVICE, key_package: body("package"), missing }
}

pub fn signed_rejoin() -> SignedRejoin {
    let request = Body(encode(&rejoin_request()));
    let signature = sign(3, &rejoin::signed_bytes(&request));
    SignedRejoin { request, signature }
}

pub fn credential() -> Credential {
    Credential { root: public(2), device: DEVICE, not_after: TIME }
}

pub fn chat_context() -> ChatContext {
    let accounts = vec![AccountState { account: ACCOUNT, version: 1, hash: HASH }];
    ChatContext { chat: CHAT, kind: ChatKind::Direct, incarnation: 1, accounts }
}

pub fn origin() -> Origin {
    Origin { account: ACCOUNT, nonce: GroupNonce([0x9e; 16]) }
}

pub fn roster() -> Roster {
    let entry = |account, role| RosterEntry { account, role, version: 1, hash: HASH, since: 1 };
    Roster { entries: vec![entry(ACCOUNT, Role::Owner), entry(AccountId([0xa2; 32]), Role::Member)] }
}

pub fn group_state() -> GroupState {
    GroupState { title: "gardeners".into(), roster: roster().hash(), origin: origin(), join: Some(public(5)) }
}

pub fn account_lists() -> AccountLists {
    AccountLists { root: public(2), lists: vec![list_1(), list_2()] }
}

pub fn pack() -> Pack {
    Pack { roster: roster(), accounts: vec![account_lists()] }
}

pub fn evidence() -> Vec<Evidence> {
    vec![
        Evidence::Rejoin(Body(encode(&signed_rejoin()))),
        Evidence::Lists(account_lists()),
        Evidence::Leave(Body(encode(&signed_leave()))),
        Evidence::Role(RoleChange { account: ACCOUNT, role: Role::Admin }),
        Evidence::Join(Body(encode(&signed_join()))),
    ]
}

pub fn leave_request() -> LeaveRequest {
    LeaveRequest { chat: CHAT, incarnation: 1, account: account(), device: DEVICE, since: 7 }
}

pub fn signed_leave() -> SignedLeave {
    let request = Body(encode(&leave_request()));
    let signature = sign(3, &leave_signs(&request));
    SignedLeave { request, signature }
}

pub fn join_request() -> JoinRequest {
    JoinRequest { chat: CHAT, account: account_lists(), device: DEVICE, key_package: body("package") }
}

pub fn signed_join() -> SignedJoin {
    let request = Body(encode(&join_request()));
    let (proof, signature) = (sign(5, &join_signs(&request)), sign(3, &join_signs(&request)));
    SignedJoin { request, proof, signature }
}

/// Content for the own account's other devices, with one of each item.
pub fn content_sync() -> Content {
    let chunk = Chunk { blob: blob(), key: Body::from(vec![0x6b; 32]), messages: 1_000 };
    let history = History { device: OTHER_DEVICE, transfer: RequestId([0x1f; 16]), manifest: chunk };
    let items = vec![
        SyncItem::Read(ReadUpTo { chat: CHAT, seq: Seq(68) }),
        SyncItem::Mute(Muted { chat: CHAT, until: TIME }),
        SyncItem::Contact(Decided { root: public(2), name: "alice".into(), trust: 0, verified: TIME }),
        SyncItem::Draft(Drafted { chat: CHAT, since: TIME }),
        SyncItem::History(history),
    ];
    Content { body: ContentBody::Sync(Sync { items }), ..content() }
}
