//! Strategies: arbitrary values of everything that travels. The large ones are boxed, or they overflow a stack.

use aside_protocol::content::{Again, Content, ContentBody, SealedReceipt, Text};
use aside_protocol::envelope::{Envelope, EnvelopeKind};
use aside_protocol::frame::*;
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::login::Mode;
use aside_protocol::refusal::*;
use aside_protocol::rejoin::{RejoinRequest, SeqRange};
use aside_protocol::request::*;
use aside_protocol::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A struct from a strategy for each field.
macro_rules! of {
    ($type:ident { $($field:ident: $strategy:expr),+ $(,)? }) => {
        ($($strategy,)+).prop_map(|($($field,)+)| $type { $($field),+ })
    };
}

macro_rules! ids {
    ($($function:ident: $type:ident,)+) => {
        $(fn $function() -> impl Strategy<Value = $type> { any::<[u8; $type::LEN]>().prop_map($type) })+
    };
}

ids! {
    account_id: AccountId, device: DeviceId, chat: ChatId, message_id: MessageId, request_id: RequestId, log: LogId,
    hash: Hash, nonce: Nonce, group_nonce: GroupNonce, meeting: MeetingId,
}

fn signature() -> impl Strategy<Value = Signature> {
    vec(any::<u8>(), 64).prop_map(|bytes| Signature::from_slice(&bytes).unwrap())
}

fn key() -> impl Strategy<Value = PublicKey> {
    any::<[u8; 32]>().prop_map(PublicKey)
}

/// Numbers at the edges of CBOR's lengths as often as others.
fn number() -> BoxedStrategy<u64> {
    prop_oneof![
        any::<u64>().prop_map(|number| number >> 1),
        0..30u64,
        Just(255),
        Just(256),
        Just(65_535),
        Just(65_536),
        Just(u64::from(u32::MAX)),
        Just(u64::from(u32::MAX) + 1),
        Just(u64::MAX >> 1),
    ]
    .boxed()
}

fn pos() -> impl Strategy<Value = Pos> {
    number().prop_map(Pos)
}

fn seq() -> impl Strategy<Value = Seq> {
    number().prop_map(Seq)
}

fn n() -> impl Strategy<Value = N> {
    number().prop_map(N)
}

fn millis() -> impl Strategy<Value = Millis> {
    number().prop_map(Millis)
}

fn partition() -> impl Strategy<Value = PartitionId> {
    any::<u16>().prop_map(PartitionId)
}

pub fn body() -> BoxedStrategy<Body> {
    prop_oneof![vec(any::<u8>(), 0..40), vec(any::<u8>(), 250..300)].prop_map(Body::from).boxed()
}

pub fn name() -> impl Strategy<Value = Name> {
    "[a-z0-9][a-z0-9._-]{2,31}".prop_map(|text| Name::new(text).unwrap())
}

fn mode() -> impl Strategy<Value = Mode> {
    number().prop_map(Mode::from_code)
}

fn suite() -> impl Strategy<Value = Suite> {
    prop_oneof![Just(Suite::XWing), Just(Suite::Classical), number().prop_map(Suite::from_code)]
}

fn plain() -> impl Strategy<Value = Plain> {
    Just(Plain {})
}

fn retry() -> impl Strategy<Value = RetryAfter> {
    of!(RetryAfter { retry_after_ms: number() })
}

pub fn refusal() -> BoxedStrategy<Refusal> {
    let plain = prop_oneof![
        plain().prop_map(Refusal::TooOld),
        plain().prop_map(Refusal::NotMember),
        plain().prop_map(Refusal::NotFound),
        plain().prop_map(Refusal::NoKeyPackage),
        plain().prop_map(Refusal::NameTaken),
        plain().prop_map(Refusal::InviteUnknown),
        plain().prop_map(Refusal::InviteExpired),
        plain().prop_map(Refusal::InviteUsed),
        plain().prop_map(Refusal::Invalid),
        plain().prop_map(Refusal::Revoked),
        plain().prop_map(Refusal::AlreadyRegistered),
        plain().prop_map(Refusal::Unsupported),
    ];
    let detailed = prop_oneof![
        of!(OutOfOrder { expected: n() }).prop_map(Refusal::OutOfOrder),
        of!(Stale { base: seq() }).prop_map(Refusal::Stale),
        of!(Conflict { n: n(), hash: hash() }).prop_map(Refusal::Conflict),
        of!(Exists { incarnation: number(), base: seq() }).prop_map(Refusal::Exists),
        of!(DevicesChanged { account: account_id(), version: number() }).prop_map(Refusal::DevicesChanged),
        of!(TooLarge { limit: number() }).prop_map(Refusal::TooLarge),
        retry().prop_map(Refusal::RateLimited),
        retry().prop_map(Refusal::Busy),
        retry().prop_map(Refusal::Unavailable),
        (22..1_000u64).prop_map(Refusal::Unknown),
    ];
    prop_oneof![plain, detailed].boxed()
}

fn blob() -> impl Strategy<Value = BlobRef> {
    of!(BlobRef { id: hash(), size: number() })
}

fn origin() -> impl Strategy<Value = Origin> {
    of!(Origin { account: account_id(), nonce: group_nonce() })
}

fn welcome() -> impl Strategy<Value = Option<Welcome>> {
    option::of(of!(Welcome { to: vec(device(), 0..4), body: body(), blob: option::of(blob()) }))
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![name().prop_map(Who::Name), account_id().prop_map(Who::Account)]
}

fn upload() -> impl Strategy<Value = KeyPackageUpload> {
    of!(KeyPackageUpload { suite: suite(), last_resort: any::<bool>(), body: body() })
}

fn found() -> impl Strategy<Value = Found> {
    of!(Found {
        chat: chat(),
        accounts: vec(account_id(), 0..3),
        incarnation: number(),
        devices: vec(device(), 0..5),
        body: body(),
        welcome: welcome(),
        origin: option::of(origin()),
    })
}

fn commit() -> impl Strategy<Value = Commit> {
    of!(Commit {
        chat: chat(),
        n: n(),
        base: seq(),
        body: body(),
        add: vec(device(), 0..3),
        remove: vec(device(), 0..3),
        welcome: welcome(),
        blob: option::of(blob()),
    })
}

pub fn request() -> BoxedStrategy<Request> {
    prop_oneof![
        of!(Lookup { who: who(), from_version: number() }).prop_map(Request::Lookup),
        of!(PutKeyPackages { packages: vec(upload(), 0..3) }).prop_map(Request::PutKeyPackages),
        of!(FetchKeyPackages { id: request_id(), account: account_id(), suite: suite() })
            .prop_map(Request::FetchKeyPackages),
        of!(PutDeviceList { list: body() }).prop_map(Request::PutDeviceList),
        found().prop_map(Request::Found),
        of!(Send { chat: chat(), n: n(), base: seq(), body: body() }).prop_map(Request::Send),
        commit().prop_map(Request::Commit),
        of!(Route { chat: chat(), refused: seq() }).prop_map(Request::Route),
        of!(Receipt { chat: chat(), base: seq(), body: body() }).prop_map(Request::Receipt),
        of!(Rejoin { chat: chat(), body: body() }).prop_map(Request::Rejoin),
        of!(Range { chat: chat(), from: seq(), to: seq() }).prop_map(Request::Range),
        of!(Routing { chat: chat() }).prop_map(Request::Routing),
        of!(Chats { after: option::of(chat()) }).prop_map(Request::Chats),
        of!(Leave { chat: chat(), body: body() }).prop_map(Request::Leave),
        of!(Join { chat: chat(), body: body() }).prop_map(Request::Join),
        of!(Receipts { chat: chat(), after: pos() }).prop_map(Request::Receipts),
        of!(Upload { blob: blob() }).prop_map(Request::Upload),
        of!(OpenMeeting { meeting: meeting() }).prop_map(Request::OpenMeeting),
        of!(Tell { meeting: meeting(), body: body() }).prop_map(Request::Tell),
        (19..1_000u64).prop_map(Request::Unknown),
    ]
    .boxed()
}

pub fn client_frame() -> BoxedStrategy<ClientFrame> {
    let hello = of!(Hello {
        versions: vec(number(), 0..4),
        capabilities: vec("[ -~]{0,12}", 0..4),
        nonce: nonce(),
        mode: mode(),
    });
    let secret = any::<[u8; 16]>().prop_map(InviteSecret);
    let register = of!(Register { secret: secret, name: name(), root: key(), list: body(), signature: signature() });
    let cursor = of!(Cursor { log: log(), partition: partition(), pos: pos() });
    prop_oneof![
        hello.prop_map(ClientFrame::Hello),
        of!(Login { device: device(), signature: signature() }).prop_map(ClientFrame::Login),
        register.prop_map(ClientFrame::Register),
        of!(Attach { cursors: vec(cursor, 0..4) }).prop_map(ClientFrame::Attach),
        of!(Ack { partition: partition(), pos: pos() }).prop_map(ClientFrame::Ack),
        of!(Asked { id: number(), request: request() }).prop_map(ClientFrame::Request),
        Just(ClientFrame::Ping(Ping {})),
        of!(Meet { meeting: meeting(), body: body() }).prop_map(ClientFrame::Meet),
        of!(Claim { root: key(), from_version: any::<u64>(), signature: signature() }).prop_map(ClientFrame::Claim),
        of!(Recover { account: account_id(), device: device(), list: body(), signature: signature() })
            .prop_map(ClientFrame::Recover),
        (10..1_000u64).prop_map(ClientFrame::Unknown),
    ]
    .boxed()
}

pub fn envelope() -> BoxedStrategy<Envelope> {
    let outside = (partition(), pos(), number(), chat(), device(), account_id(), millis());
    let inside = (
        option::of(seq()),
        option::of(n()),
        option::of(seq()),
        option::of(number()),
        option::of(hash()),
        option::of(body()),
        option::of(blob()),
        option::of(hash()),
    );
    (outside, inside)
        .prop_map(|(outside, inside)| {
            let (partition, pos, kind, chat, from, account, time) = outside;
            let (seq, n, base, incarnation, hash, body, blob, routing) = inside;
            let kind = EnvelopeKind::from_code(kind);
            Envelope {
                partition,
                pos,
                kind,
                chat,
                from,
                account,
                time,
                seq,
                n,
                base,
                incarnation,
                hash,
                body,
                blob,
                routing,
            }
        })
        .boxed()
}

fn chat_of() -> impl Strategy<Value = ChatOf> {
    of!(ChatOf { chat: chat(), incarnation: number(), base: seq(), last: seq(), routed: any::<bool>() })
}

fn count() -> impl Strategy<Value = KeyPackageCount> {
    of!(KeyPackageCount { suite: suite(), one_time: number(), last_resort: any::<bool>() })
}

pub fn answer() -> BoxedStrategy<Answer> {
    let routed = of!(Routed { devices: vec(device(), 0..5), incarnation: number(), base: seq(), last: seq() });
    prop_oneof![
        refusal().prop_map(Answer::Refused),
        of!(Done { pos: option::of(pos()), hash: option::of(hash()) }).prop_map(Answer::Done),
        of!(Sent { n: n(), seq: seq(), time: millis() }).prop_map(Answer::Sent),
        of!(Account { name: name(), root: key(), lists: vec(body(), 0..3) }).prop_map(Answer::Account),
        vec(of!(KeyPackageOf { device: device(), body: body() }), 0..3).prop_map(Answer::KeyPackages),
        vec(count(), 0..3).prop_map(Answer::KeyPackageCounts),
        of!(Envelopes { envelopes: vec(envelope(), 0..3), first: seq() }).prop_map(Answer::Envelopes),
        routed.prop_map(Answer::Routing),
        of!(ChatsOf { chats: vec(chat_of(), 0..3), more: any::<bool>() }).prop_map(Answer::Chats),
        of!(ReceiptsOf { receipts: vec(envelope(), 0..3), more: any::<bool>() }).prop_map(Answer::Receipts),
        of!(Uploading { token: body(), offset: number() }).prop_map(Answer::Uploading),
        (11..1_000u64).prop_map(Answer::Unknown),
    ]
    .boxed()
}

pub fn relay_frame() -> BoxedStrategy<RelayFrame> {
    let hello_ok = of!(HelloOk {
        version: number(),
        capabilities: vec("[ -~]{0,12}", 0..4),
        nonce: nonce(),
        identity: key(),
        signature: signature(),
    });
    let position = of!(Position { partition: partition(), acked: pos(), head: pos() });
    let login_ok = of!(LoginOk {
        account: account_id(),
        name: name(),
        log: log(),
        positions: vec(position, 0..3),
        key_packages: vec(count(), 0..3),
        time: millis(),
        addresses: vec("[ -~]{0,12}", 0..4),
    });
    let fault = of!(Fault { rule: "[A-Z]{3}-[0-9]{1,2}", message: ".{0,60}", fatal: any::<bool>() });
    let reason = number().prop_map(GoodbyeReason::from_code);
    prop_oneof![
        hello_ok.prop_map(RelayFrame::HelloOk),
        login_ok.prop_map(RelayFrame::LoginOk),
        refusal().prop_map(RelayFrame::LoginRefused),
        envelope().prop_map(RelayFrame::Deliver),
        of!(CaughtUp { partition: partition(), pos: pos() }).prop_map(RelayFrame::CaughtUp),
        of!(Answered { id: number(), answer: answer() }).prop_map(RelayFrame::Answer),
        Just(RelayFrame::Pong(Ping {})),
        fault.prop_map(RelayFrame::Fault),
        of!(Goodbye { reason: reason, retry_after_ms: number() }).prop_map(RelayFrame::Goodbye),
        of!(Meet { meeting: meeting(), body: body() }).prop_map(RelayFrame::Met),
        of!(Account { name: name(), root: key(), lists: vec(body(), 0..3) }).prop_map(RelayFrame::Claimed),
        of!(Nodes { addresses: vec("[ -~]{0,12}", 0..4) }).prop_map(RelayFrame::Nodes),
        (12..1_000u64).prop_map(RelayFrame::Unknown),
    ]
    .boxed()
}

pub fn content() -> impl Strategy<Value = Content> {
    let text = prop_oneof![".{0,80}", ".{900,1200}"].prop_map(|text| ContentBody::Text(Text { text }));
    of!(Content {
        id: message_id(),
        time: millis(),
        list_version: number(),
        list_hash: hash(),
        body: text,
        again: option::of(of!(Again { device: device(), seq: seq() })),
    })
}

pub fn receipt() -> impl Strategy<Value = SealedReceipt> {
    of!(SealedReceipt { nonce: any::<[u8; 24]>(), sealed: body(), signature: signature() })
}

pub fn rejoin() -> impl Strategy<Value = RejoinRequest> {
    of!(RejoinRequest {
        chat: chat(),
        incarnation: number(),
        device: device(),
        key_package: body(),
        missing: vec(of!(SeqRange { from: seq(), to: seq() }), 0..5),
    })
}

pub fn invite() -> impl Strategy<Value = Invite> {
    let address = ("[a-z][a-z0-9.-]{0,20}", any::<u16>()).prop_map(|(host, port)| format!("{host}:{port}"));
    let secret = any::<[u8; 16]>().prop_map(InviteSecret);
    of!(Invite { addresses: vec(address, 1..4), pin: hash(), mode: mode(), secret: secret })
}
