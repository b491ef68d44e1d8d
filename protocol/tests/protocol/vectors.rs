//! Golden vectors: fixed values encode to exactly the bytes in `protocol/vectors`, and decode back from them.
//!
//! The files are for other implementations too. `ASIDE_WRITE_VECTORS=1` writes them anew; a change of an existing line
//! is a second format, and that must not be.

use crate::tree::Tree;
use crate::values::*;
use aside_protocol::content::{SealedReceipt, Watermarks, pad, unpad};
use aside_protocol::device_list::{self, verify_chain};
use aside_protocol::frame::{ClientFrame, RelayFrame};
use aside_protocol::group::Evidence;
use aside_protocol::invite::Invite;
use aside_protocol::login::pin;
use aside_protocol::request::{Answer, Request};
use aside_protocol::*;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::path::PathBuf;

/// A name, what the bytes are, and the bytes.
struct Vector {
    name: String,
    what: String,
    bytes: Vec<u8>,
}

fn derived(name: &str, what: &str, bytes: &[u8]) -> Vector {
    Vector { name: name.into(), what: what.into(), bytes: bytes.to_vec() }
}

fn cbor<T: Serialize>(name: &str, value: &T) -> Vector {
    let bytes = encode(value).to_vec();
    Vector { name: name.into(), what: Tree::read(&bytes).to_string(), bytes }
}

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "vectors", file].iter().collect()
}

/// The file must hold exactly these. Returns its bytes by name, as read from the file.
fn check(file: &str, vectors: &[Vector]) -> Vec<(String, Bytes)> {
    let blocks = vectors.iter().map(|v| format!("{}\n  = {}\n  {}\n", v.name, v.what, HEXLOWER.encode(&v.bytes)));
    let text = blocks.collect::<Vec<_>>().join("\n");
    if std::env::var_os("ASIDE_WRITE_VECTORS").is_some() {
        std::fs::write(path(file), &text).unwrap();
    }
    let kept = std::fs::read_to_string(path(file)).unwrap_or_default();
    for (now, then) in text.split("\n\n").zip(kept.split("\n\n")) {
        assert_eq!(now.trim_end(), then.trim_end(), "{file} changed");
    }
    assert_eq!(text, kept, "{file} has other vectors than this test");
    kept.split("\n\n").map(block).collect()
}

fn block(text: &str) -> (String, Bytes) {
    let lines: Vec<&str> = text.lines().collect();
    let bytes = HEXLOWER.decode(lines[2].trim().as_bytes()).unwrap();
    (lines[0].to_owned(), Bytes::from(bytes))
}

/// Checks a file of one enum, and that each of its codes has a vector and no other code is known.
fn check_enum<T>(file: &str, values: &[T], code: fn(&T) -> u64, name: fn(&T) -> &'static str, unknown: fn(u64) -> T)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let vectors: Vec<Vector> = values.iter().map(|value| cbor(name(value), value)).collect();
    let kept = check(file, &vectors);
    for ((_, bytes), value) in kept.iter().zip(values) {
        assert_eq!(decode::<T>(bytes).unwrap(), *value);
    }
    for number in 0..256u64 {
        let known = values.iter().any(|value| code(value) == number);
        let skipped = decode::<T>(&encode(&(number, ()))).is_ok_and(|value| value == unknown(number));
        assert_ne!(known, skipped, "{file}: code {number} needs a vector");
    }
}

#[test]
fn client_frames_are_golden() {
    let (code, name) = (ClientFrame::code, ClientFrame::name);
    check_enum("client_frames.txt", &client_frames(), code, name, ClientFrame::Unknown);
}

#[test]
fn relay_frames_are_golden() {
    check_enum("relay_frames.txt", &relay_frames(), RelayFrame::code, RelayFrame::name, RelayFrame::Unknown);
}

#[test]
fn requests_are_golden() {
    check_enum("requests.txt", &requests(), Request::code, Request::name, Request::Unknown);
}

#[test]
fn answers_are_golden() {
    check_enum("answers.txt", &answers(), Answer::code, Answer::name, Answer::Unknown);
}

#[test]
fn refusals_are_golden() {
    check_enum("refusals.txt", &refusals(), Refusal::code, Refusal::name, Refusal::Unknown);
}

#[test]
fn evidence_is_golden() {
    check_enum("evidence.txt", &evidence(), Evidence::code, Evidence::name, Evidence::Unknown);
    let alone = Body(encode(&signed_rejoin()));
    assert_eq!(Evidence::read(&alone).unwrap(), Evidence::Rejoin(alone.clone()));
    for one in evidence() {
        assert_eq!(Evidence::read(&Body(encode(&one))).unwrap(), one);
    }
}

#[test]
fn every_kind_of_envelope_has_a_vector() {
    use aside_protocol::envelope::EnvelopeKind;
    for code in 0..64 {
        let known = !matches!(EnvelopeKind::from_code(code), EnvelopeKind::Other(_));
        assert_eq!(known, envelopes().iter().any(|envelope| envelope.kind.code() == code), "kind {code}");
    }
}

#[test]
fn invite_links_are_golden() {
    let link = invite().to_link();
    let vectors = [
        cbor("Invite", &invite()),
        derived("link", &link, link.as_bytes()),
        derived("pin", "H(\"aside/1 relay identity\", identity key of seed 01…01)", &pin(&public(1)).0),
        derived("secret hash", "H(\"aside/1 invite\", 5e…5e)", &invite().secret.hash().0),
    ];
    let kept = check("invite.txt", &vectors);
    assert_eq!(Invite::from_link(std::str::from_utf8(&kept[1].1).unwrap()).unwrap(), invite());
    assert_eq!(decode::<Invite>(&kept[0].1).unwrap(), invite());
}

#[test]
fn what_a_login_signs_is_golden() {
    let transcript = transcript();
    let secret = invite().secret;
    let registration = transcript.registration_signs(&secret.0, "alice", &public(2), &list_1());
    let without = aside_protocol::login::Transcript { exporter: None, ..transcript.clone() };
    let vectors = [
        cbor("Transcript", &transcript),
        cbor("Transcript without exporter", &without),
        derived("relay signs", "H(\"aside/1 relay\", Transcript)", &transcript.relay_signs()),
        derived("device signs", "H(\"aside/1 login\", Transcript, device id)", &transcript.device_signs(&DEVICE)),
        derived("new device signs", "H(\"aside/1 register\", Transcript, secret, name, root, list)", &registration),
        derived(
            "root signs to claim",
            "H(\"aside/1 claim\", Transcript, account)",
            &transcript.claim_signs(&account()),
        ),
        derived(
            "recovered device signs",
            "H(\"aside/1 recover\", Transcript, list)",
            &transcript.recovery_signs(&list_recovered()),
        ),
    ];
    check("login.txt", &vectors);
    let by_relay = Signature(hello_ok().signature.0);
    assert!(public(1).verifies(&transcript.relay_signs(), &by_relay));
}

#[test]
fn device_lists_and_ids_are_golden() {
    let (one, two) = (encode(&unsigned_list_1()), encode(&unsigned_list_2()));
    let direct = ChatId::direct(&ACCOUNT, &AccountId([0xa2; 32]));
    let vectors = [
        derived("account id", "H(\"aside/1 account\", root key of seed 02…02)", &account().0),
        derived("direct chat id", "H(\"aside/1 direct chat\", a1…a1, a2…a2)", &direct.0),
        cbor("DeviceList 1", &unsigned_list_1()),
        derived("hash 1", "H(\"aside/1 device list\", DeviceList 1)", &device_list::hash_of(&one).0),
        derived("signed 1", "H(\"aside/1 device list signature\", DeviceList 1)", &device_list::signed_bytes(&one)),
        derived("SignedDeviceList 1, by the root", &Tree::read(&list_1()).to_string(), &list_1()),
        cbor("DeviceList 2", &unsigned_list_2()),
        derived("hash 2", "H(\"aside/1 device list\", DeviceList 2)", &device_list::hash_of(&two).0),
        derived("SignedDeviceList 2, by the device", &Tree::read(&list_2()).to_string(), &list_2()),
        derived(
            "group chat id",
            "H(\"aside/1 group chat\", a1…a1, 9e…9e)",
            &ChatId::group(&ACCOUNT, &origin().nonce).0,
        ),
    ];
    let kept = check("device_lists.txt", &vectors);
    let chain = [Body(kept[5].1.clone()), Body(kept[8].1.clone())];
    let last = verify_chain(&public(2), None, &chain).unwrap().unwrap();
    assert_eq!((last.list, last.hash.0.to_vec()), (unsigned_list_2(), kept[7].1.to_vec()));
}

#[test]
fn what_stands_inside_the_encryption_is_golden() {
    let receipt = SealedReceipt::aad(&CHAT, &DEVICE, Seq(4));
    let sealed = sealed_receipt();
    let signed = SealedReceipt::signed_bytes(&receipt, &sealed.nonce, &sealed.sealed);
    let request = encode(&rejoin_request());
    let marks = Watermarks { delivered: Seq(9), read: Seq(7) };
    let vectors = [
        cbor("Aad", &aad()),
        cbor("Content", &content()),
        cbor("Content sent again", &content_again()),
        derived("Content, padded", "length, Content, zeros", &pad(&content())),
        derived("Watermarks", "delivered 9, read 7", &marks.to_bytes()),
        derived("receipt aad", "H(\"aside/1 receipt\", chat, device, base 4)", &receipt),
        derived("receipt signed", "H(\"aside/1 receipt signature\", aad, nonce, sealed)", &signed),
        cbor("SealedReceipt", &sealed),
        cbor("RejoinRequest", &rejoin_request()),
        derived("rejoin signed", "H(\"aside/1 rejoin\", RejoinRequest)", &rejoin::signed_bytes(&request)),
        cbor("SignedRejoin", &signed_rejoin()),
        cbor("Credential", &credential()),
        cbor("ChatContext", &chat_context()),
        cbor("Content, sync", &content_sync()),
        cbor("Roster", &roster()),
        derived("roster hash", "H(\"aside/1 roster\", Roster)", &roster().hash().0),
        cbor("GroupState", &group_state()),
        cbor("Pack", &pack()),
        cbor("LeaveRequest", &leave_request()),
        derived("leave signed", "H(\"aside/1 leave\", LeaveRequest)", &group::leave_signs(&encode(&leave_request()))),
        cbor("SignedLeave", &signed_leave()),
        cbor("JoinRequest", &join_request()),
        derived("join signed", "H(\"aside/1 join\", JoinRequest)", &group::join_signs(&encode(&join_request()))),
        cbor("SignedJoin", &signed_join()),
    ];
    let kept = check("inside.txt", &vectors);
    assert_eq!(decode::<content::Aad>(&kept[0].1).unwrap(), aad());
    assert_eq!(decode::<content::Content>(&kept[2].1).unwrap(), content_again());
    assert_eq!(unpad(&kept[3].1).unwrap(), content());
    assert_eq!(Watermarks::from_bytes(&kept[4].1).unwrap(), marks);
    assert_eq!(decode::<SealedReceipt>(&kept[7].1).unwrap(), sealed);
    assert_eq!(rejoin::open(&Body(kept[10].1.clone())).unwrap(), (rejoin_request(), signed_rejoin()));
    assert_eq!(decode::<group::Credential>(&kept[11].1).unwrap(), credential());
    assert_eq!(decode::<group::ChatContext>(&kept[12].1).unwrap(), chat_context());
    assert_eq!(decode::<content::Content>(&kept[13].1).unwrap(), content_sync());
    assert_eq!(decode::<group::Roster>(&kept[14].1).unwrap(), roster());
    assert_eq!(decode::<group::GroupState>(&kept[16].1).unwrap(), group_state());
    assert_eq!(decode::<group::Pack>(&kept[17].1).unwrap(), pack());
    assert_eq!(decode::<group::SignedLeave>(&kept[20].1).unwrap(), signed_leave());
    assert_eq!(decode::<group::SignedJoin>(&kept[23].1).unwrap(), signed_join());
}
