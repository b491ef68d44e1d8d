//! Lengths, depths and codes at their bounds: what is allowed fits a frame, what is not is refused, what is to come is
//! skipped.

use crate::tree::Tree;
use crate::values::*;
use aside_protocol::content::{ContentBody, Text, pad, unpad};
use aside_protocol::device_list::{DeviceEntry, DeviceList, ListError, Signer, verify_next};
use aside_protocol::envelope::Envelope;
use aside_protocol::frame::{Answered, Asked, Attach, ClientFrame, LoginOk, Position, RelayFrame};
use aside_protocol::limits::*;
use aside_protocol::login::Mode;
use aside_protocol::refusal::Plain;
use aside_protocol::rejoin::{self, MAX_RANGES, RejoinRequest, SeqRange, SignedRejoin};
use aside_protocol::request::*;
use aside_protocol::*;
use bytes::Bytes;

/// A group's devices, the most that one commit names (a channel's are added in batches).
const GROUP_DEVICES: usize = 2_000;

fn zeros(length: usize) -> Body {
    Body::from(vec![0; length])
}

fn asked(request: Request) -> Bytes {
    encode(&ClientFrame::Request(Asked { id: u64::MAX, request }))
}

fn answered(answer: Answer) -> Bytes {
    encode(&RelayFrame::Answer(Answered { id: u64::MAX, answer }))
}

fn fits(frame: &Bytes) {
    assert!(frame.len() <= MAX_FRAME, "{} bytes", frame.len());
}

/// Positions and cursors name every partition.
#[test]
fn frames_with_many_partitions_fit() {
    const PARTITIONS: u16 = 256;
    let (first, most) = (u16::MAX - PARTITIONS, Pos(i64::MAX as u64));
    let partitions = || (first..u16::MAX).map(PartitionId);
    let cursors = partitions().map(|partition| Cursor { log: LogId([0xff; 16]), partition, pos: most }).collect();
    let attach = ClientFrame::Attach(Attach { cursors });
    let positions = partitions().map(|partition| Position { partition, acked: most, head: most }).collect();
    let RelayFrame::LoginOk(login_ok) = relay_frames().remove(1) else { panic!("no login-ok") };
    let login_ok = RelayFrame::LoginOk(LoginOk { positions, ..login_ok });
    let (sent, told) = (encode(&attach), encode(&login_ok));
    assert!(sent.len().max(told.len()) < MAX_FRAME / 16, "{} and {} bytes", sent.len(), told.len());
    assert_eq!((codec::decode(&sent), codec::decode(&told)), (Ok(attach), Ok(login_ok)));
}

#[test]
fn the_largest_requests_fit_a_frame() {
    let (n, base) = (N(u64::MAX), Seq(u64::MAX));
    let devices = |count: usize| (0..count).map(|i| DeviceId((i as u128).to_be_bytes())).collect::<Vec<_>>();
    let welcome = |count| Some(Welcome { to: devices(count), body: zeros(MAX_HANDSHAKE), blob: None });
    fits(&asked(Request::Send(Send { chat: CHAT, n, base, body: zeros(MAX_MESSAGE) })));
    let (add, remove) = (devices(GROUP_DEVICES), devices(GROUP_DEVICES));
    let welcomed = welcome(GROUP_DEVICES);
    fits(&asked(Request::Commit(Commit {
        chat: CHAT,
        n,
        base,
        body: zeros(MAX_HANDSHAKE),
        add,
        remove,
        welcome: welcomed,
        blob: None,
    })));
    fits(&asked(Request::Found(Found {
        chat: CHAT,
        accounts: vec![ACCOUNT; 2],
        incarnation: u64::MAX,
        devices: devices(2 * MAX_DEVICES),
        body: zeros(MAX_HANDSHAKE),
        welcome: welcome(2 * MAX_DEVICES),
        origin: None,
    })));
    let package = KeyPackageUpload { suite: Suite::XWing, last_resort: false, body: zeros(MAX_KEY_PACKAGE) };
    fits(&asked(Request::PutKeyPackages(PutKeyPackages { packages: vec![package; KEY_PACKAGE_UPLOAD] })));
    fits(&asked(Request::Rejoin(Rejoin { chat: CHAT, body: zeros(MAX_REJOIN) })));
    fits(&asked(Request::PutDeviceList(PutDeviceList { list: zeros(MAX_DEVICE_LIST) })));
}

#[test]
fn the_largest_answers_and_deliveries_fit_a_frame() {
    let most = Envelope { body: Some(zeros(MAX_HANDSHAKE)), ..envelopes()[2].clone() };
    fits(&encode(&RelayFrame::Deliver(most)));
    // A page of a range ends at half a mebibyte, whatever its envelopes are.
    let body = Some(zeros((512 << 10) / RANGE_PAGE));
    let page = vec![Envelope { body, ..envelopes()[2].clone() }; RANGE_PAGE];
    fits(&answered(Answer::Envelopes(Envelopes { envelopes: page, first: Seq(u64::MAX) })));
    let package = KeyPackageOf { device: DEVICE, body: zeros(MAX_KEY_PACKAGE) };
    fits(&answered(Answer::KeyPackages(vec![package; MAX_DEVICES])));
    let devices = vec![DEVICE; 10_000];
    fits(&answered(Answer::Routing(Routed { devices, incarnation: 1, base: Seq(1), last: Seq(1) })));
}

#[test]
fn the_longest_text_fits_a_message_once_padded() {
    let text = "x".repeat(MAX_TEXT);
    let padded = pad(&content::Content { body: ContentBody::Text(Text { text }), ..content_again() });
    // MLS adds its header, the additional data, a signature and a tag: under 1 KiB.
    assert!(padded.len() + 1024 <= MAX_MESSAGE, "{}", padded.len());
}

#[test]
fn a_full_rejoin_request_and_device_list_are_within_their_limits() {
    let missing = vec![SeqRange { from: Seq(u64::MAX), to: Seq(u64::MAX) }; MAX_RANGES];
    let request = RejoinRequest { key_package: zeros(MAX_KEY_PACKAGE), missing, ..rejoin_request() };
    let signed = SignedRejoin { request: Body(encode(&request)), ..signed_rejoin() };
    assert!(encode(&signed).len() <= MAX_REJOIN);
    let full = many_devices(MAX_DEVICES);
    assert!(signed_list(&full, Signer::Root(Plain {}), 2).len() <= MAX_DEVICE_LIST);
    assert!(encode(&sealed_receipt()).len() <= MAX_RECEIPT);
}

#[test]
fn too_many_ranges_are_refused() {
    let missing = vec![SeqRange { from: Seq(1), to: Seq(1) }; MAX_RANGES + 1];
    let request = Body(encode(&RejoinRequest { missing, ..rejoin_request() }));
    let body = Body(encode(&SignedRejoin { request, ..signed_rejoin() }));
    assert!(matches!(rejoin::open(&body), Err(DecodeError::Malformed(_))));
}

fn many_devices(count: usize) -> DeviceList {
    let entry = |i: usize| DeviceEntry { device: DeviceId([i as u8; 16]), key: public(i as u8), added: TIME };
    DeviceList { devices: (1..=count).map(entry).collect(), ..unsigned_list_1() }
}

#[test]
fn a_list_has_one_to_sixteen_distinct_devices() {
    let judge = |list: &DeviceList| verify_next(&public(2), None, &signed_list(list, Signer::Root(Plain {}), 2));
    assert!(judge(&many_devices(MAX_DEVICES)).is_ok());
    assert_eq!(judge(&many_devices(0)), Err(ListError::DoesNotFollow));
    assert_eq!(judge(&many_devices(MAX_DEVICES + 1)), Err(ListError::DoesNotFollow));
    let mut twice = many_devices(2);
    twice.devices[1].key = twice.devices[0].key;
    assert_eq!(judge(&twice), Err(ListError::DoesNotFollow));
}

#[test]
fn a_list_must_follow_and_be_signed_by_who_may() {
    let first = verify_next(&public(2), None, &list_1()).unwrap();
    assert!(verify_next(&public(2), Some(&first), &list_2()).is_ok());
    let follows = |list: &DeviceList, signer, seed| {
        verify_next(&public(2), Some(&first), &signed_list(list, signer, seed)).map(|_| ())
    };
    let second = unsigned_list_2();
    let (root, device) = (|| Signer::Root(Plain {}), Signer::Device(DEVICE));
    // A version signed by the root outranks all.
    assert_eq!(follows(&second, root(), 2), Ok(()));
    assert_eq!(follows(&second, root(), 3), Err(ListError::BadSignature));
    assert_eq!(follows(&second, device.clone(), 4), Err(ListError::BadSignature));
    // The device that the version itself adds cannot vouch for it.
    assert_eq!(follows(&second, Signer::Device(OTHER_DEVICE), 4), Err(ListError::BadSignature));
    let skipped = DeviceList { version: 3, ..second.clone() };
    assert_eq!(follows(&skipped, device.clone(), 3), Err(ListError::DoesNotFollow));
    let forked = DeviceList { previous: HASH, ..second.clone() };
    assert_eq!(follows(&forked, device.clone(), 3), Err(ListError::DoesNotFollow));
    let others = DeviceList { account: ACCOUNT, ..second };
    assert_eq!(follows(&others, device, 3), Err(ListError::DoesNotFollow));
}

#[test]
fn a_frame_over_the_limit_is_not_looked_at() {
    let bytes = Bytes::from(vec![0; MAX_FRAME + 1]);
    let error = decode::<ClientFrame>(&bytes).unwrap_err();
    assert_eq!(error, DecodeError::TooLong(MAX_FRAME + 1));
    assert_eq!(error.rule(), "COD-1");
}

#[test]
fn bytes_after_the_value_are_refused() {
    let mut bytes = encode(&client_frames()[6]).to_vec();
    bytes.extend([0xf6, 0xf6]);
    let error = decode::<ClientFrame>(&Bytes::from(bytes)).unwrap_err();
    assert_eq!(error, DecodeError::Trailing(2));
    assert_eq!(error.rule(), "COD-2");
}

/// `[6, {"zz": [[[…]]]}]`: a ping with an unknown field, or with `[99, …]` an unknown frame, `depth` arrays deep.
fn nested(head: &[u8], open: u8, depth: usize) -> Bytes {
    let mut bytes = head.to_vec();
    bytes.extend(vec![open; depth]);
    bytes.push(0xf6);
    Bytes::from(bytes)
}

#[test]
fn nesting_is_bounded_where_it_is_skipped_too() {
    const PING_WITH: &[u8] = &[0x82, 6, 0xa1, 0x62, b'z', b'z'];
    const UNKNOWN_FRAME: &[u8] = &[0x82, 0x18, 99];
    for head in [PING_WITH, UNKNOWN_FRAME] {
        assert!(decode::<ClientFrame>(&nested(head, 0x81, 16)).is_ok(), "room for fields to come");
        // Arrays of one, maps under the key of a map, tags, and arrays of no stated length.
        for open in [0x81, 0xa1, 0xc1, 0x9f] {
            for depth in [MAX_NESTING + 1, 10_000, 1_000_000] {
                let error = decode::<ClientFrame>(&nested(head, open, depth)).unwrap_err();
                assert_eq!(error.rule(), "COD-2", "{open:x} {depth}: {error}");
            }
        }
    }
    assert!(decode::<ClientFrame>(&nested(&[], 0x81, 10_000)).is_err());
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    // Byte strings, texts, arrays and maps of 2^63 items, where a body, a name or a list should be.
    for open in [0x5b, 0x7b, 0x9b, 0xbb] {
        for head in [&[0x82, 6][..], &[0x82, 3, 0xa1, 0x67, b'c', b'u', b'r', b's', b'o', b'r', b's'], &[]] {
            let mut bytes = head.to_vec();
            bytes.push(open);
            bytes.extend(0x7fff_ffff_ffff_ffffu64.to_be_bytes());
            assert!(decode::<ClientFrame>(&Bytes::from(bytes)).is_err());
        }
    }
}

#[test]
fn the_deepest_of_ours_leaves_room() {
    let frames = client_frames().iter().map(encode).chain(relay_frames().iter().map(encode)).collect::<Vec<_>>();
    let requests = requests().into_iter().map(asked);
    let answers = answers().into_iter().map(answered);
    let deepest = frames.into_iter().chain(requests).chain(answers).map(|bytes| Tree::read(&bytes).depth()).max();
    assert!(deepest.is_some_and(|depth| depth <= 8), "{deepest:?} of {MAX_NESTING}");
}

#[test]
fn unknown_codes_are_kept_and_their_payload_skipped() {
    let payload = ("anything", vec![1u64, 2, 3], Some(4u64));
    assert_eq!(decode::<ClientFrame>(&encode(&(99u64, &payload))).unwrap(), ClientFrame::Unknown(99));
    assert_eq!(decode::<RelayFrame>(&encode(&(99u64, &payload))).unwrap(), RelayFrame::Unknown(99));
    assert_eq!(decode::<Request>(&encode(&(99u64, &payload))).unwrap(), Request::Unknown(99));
    assert_eq!(decode::<Refusal>(&encode(&(99u64, &payload))).unwrap(), Refusal::Unknown(99));
    // An element after the payload is one to come.
    assert_eq!(decode::<Refusal>(&encode(&(4u64, Plain {}, "more"))).unwrap(), Refusal::TooOld(Plain {}));
    assert_eq!(decode::<Mode>(&encode(&9u64)).unwrap(), Mode::Other(9));
    assert_eq!(encode(&Mode::Other(9)), encode(&9u64));
}

#[test]
fn padding_has_few_sizes() {
    let padded = |length: usize| {
        let text = "x".repeat(length);
        pad(&content::Content { body: ContentBody::Text(Text { text }), ..content() }).len()
    };
    let mut sizes: Vec<usize> = (0..4_000).map(padded).collect();
    assert!(sizes.is_sorted());
    sizes.dedup();
    assert_eq!(sizes, [128, 256, 512, 1024, 2048, 3072, 4096, 5120]);
}

#[test]
fn padding_that_is_not_zeros_or_too_short_is_refused() {
    let good = pad(&content());
    let mut bytes = good.clone();
    *bytes.last_mut().unwrap() = 1;
    assert!(unpad(&bytes).is_err());
    assert!(unpad(&good[..40]).is_err());
    assert!(unpad(&[0, 0]).is_err());
    assert!(unpad(&u32::MAX.to_be_bytes()).is_err());
}
