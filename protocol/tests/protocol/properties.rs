//! What holds for all values and all bytes: round trips, no panic, tolerance of what is to come, no copies.

use crate::any;
use crate::tree::Tree;
use aside_protocol::content::{pad, unpad};
use aside_protocol::device_list::verify_next;
use aside_protocol::frame::{Answered, Asked, ClientFrame, RelayFrame};
use aside_protocol::invite::Invite;
use aside_protocol::request::{Answer, Request};
use aside_protocol::{Body, PublicKey, decode, encode, rejoin};
use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let bytes = encode(value);
    prop_assert_eq!(&decode::<T>(&bytes).unwrap(), value);
    // The other reader understands the same bytes, and its writer agrees that they are the shortest.
    prop_assert_eq!(Tree::read(&bytes).write(), bytes.to_vec());
    Ok(())
}

/// Whatever these make of bytes, they return.
fn survive(bytes: &[u8]) {
    let frame = Bytes::copy_from_slice(bytes);
    let _ = decode::<ClientFrame>(&frame);
    let _ = decode::<RelayFrame>(&frame);
    let _ = unpad(bytes);
    let body = Body(frame);
    let _ = rejoin::open(&body);
    let _ = verify_next(&PublicKey([3; 32]), None, &body);
    let _ = Invite::from_link(&String::from_utf8_lossy(bytes));
}

/// One thing that happens to bytes on a bad day, or in an attacker's hands.
#[derive(Debug, Clone)]
enum Damage {
    Set(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let at = |index: &Index| index.index(bytes.len() + 1);
    match damage {
        Damage::Set(place, byte) => {
            let place = at(place);
            if let Some(slot) = bytes.get_mut(place) {
                *slot = *byte;
            }
        }
        Damage::Cut(place) => bytes.truncate(at(place)),
        Damage::Insert(place, new) => {
            let place = at(place);
            bytes.splice(place..place, new.iter().copied());
        }
        Damage::Repeat(one, other) => {
            let (one, other) = (at(one), at(other));
            let part = bytes[one.min(other)..one.max(other)].to_vec();
            bytes.extend(part);
        }
    }
}

/// What is readable at all means the same when it is written and read again.
fn settled<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(value) = decode::<T>(&Bytes::copy_from_slice(bytes)) {
        prop_assert_eq!(decode::<T>(&encode(&value)).unwrap(), value);
    }
    Ok(())
}

/// Adds fields nobody knows to every map, and turns its order around.
fn from_the_future(bytes: &[u8]) -> Bytes {
    let novelty = Tree::Array(vec![Tree::Number(7), Tree::Map(vec![(Tree::Number(1), Tree::Null)]), Tree::Bool(true)]);
    let change = |mut entries: Vec<(Tree, Tree)>| {
        entries.push((Tree::Text("zz_to_come".into()), novelty.clone()));
        entries.reverse();
        entries.push((Tree::Text("".into()), Tree::Bytes(vec![0; 40])));
        entries
    };
    Bytes::from(Tree::read(bytes).each_map(&change).write())
}

fn bodies_of_request(request: &Request) -> Vec<&Body> {
    match request {
        Request::Send(send) => vec![&send.body],
        Request::Commit(commit) => {
            std::iter::once(&commit.body).chain(commit.welcome.as_ref().map(|w| &w.body)).collect()
        }
        Request::Found(found) => std::iter::once(&found.body).chain(found.welcome.as_ref().map(|w| &w.body)).collect(),
        Request::Receipt(receipt) => vec![&receipt.body],
        Request::Rejoin(rejoin) => vec![&rejoin.body],
        Request::PutDeviceList(put) => vec![&put.list],
        Request::PutKeyPackages(put) => put.packages.iter().map(|package| &package.body).collect(),
        _ => vec![],
    }
}

fn bodies(frame: &ClientFrame) -> Vec<&Body> {
    match frame {
        ClientFrame::Request(Asked { request, .. }) => bodies_of_request(request),
        ClientFrame::Register(register) => vec![&register.list],
        _ => vec![],
    }
}

fn delivered(frame: &RelayFrame) -> Vec<&Body> {
    match frame {
        RelayFrame::Deliver(envelope) => envelope.body.iter().collect(),
        RelayFrame::Answer(Answered { answer: Answer::Envelopes(some), .. }) => {
            some.envelopes.iter().filter_map(|envelope| envelope.body.as_ref()).collect()
        }
        _ => vec![],
    }
}

fn lies_in(frame: &Bytes, body: &Body) -> bool {
    let (whole, part) = (frame.as_ptr_range(), body.as_ptr_range());
    body.is_empty() || (whole.start <= part.start && part.end <= whole.end)
}

proptest! {
    #[test]
    fn client_frames_round_trip(frame in any::client_frame()) {
        round_trip(&frame)?;
    }

    #[test]
    fn relay_frames_round_trip(frame in any::relay_frame()) {
        round_trip(&frame)?;
    }

    #[test]
    fn receipts_and_rejoin_requests_round_trip(receipt in any::receipt(), request in any::rejoin()) {
        round_trip(&receipt)?;
        round_trip(&request)?;
    }

    #[test]
    fn contents_round_trip_through_their_padding(content in any::content()) {
        round_trip(&content)?;
        let padded = pad(&content);
        prop_assert_eq!(unpad(&padded).unwrap(), content);
    }

    #[test]
    fn invites_round_trip_through_their_link(invite in any::invite()) {
        round_trip(&invite)?;
        let link = invite.to_link();
        prop_assert_eq!(&Invite::from_link(&link).unwrap(), &invite);
        prop_assert_eq!(&Invite::from_link(&format!(" \n{link}\r\n")).unwrap(), &invite);
    }

    #[test]
    fn numbers_no_database_can_hold_are_malformed(number in (1u64 << 63)..) {
        let bytes = encode(&(number,));
        prop_assert!(decode::<(aside_protocol::Seq,)>(&bytes).is_err());
        prop_assert!(decode::<(aside_protocol::Millis,)>(&bytes).is_err());
        let marks = [number.to_be_bytes(), 0u64.to_be_bytes()].concat();
        prop_assert!(aside_protocol::content::Watermarks::from_bytes(&marks).is_none());
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }

    #[test]
    fn no_damage_to_a_frame_makes_a_reader_panic(
        client in any::client_frame(),
        relay in any::relay_frame(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        for bytes in [encode(&client), encode(&relay)] {
            let mut bytes = bytes.to_vec();
            damages.iter().for_each(|damage| apply(&mut bytes, damage));
            survive(&bytes);
            settled::<ClientFrame>(&bytes)?;
            settled::<RelayFrame>(&bytes)?;
        }
    }

    #[test]
    fn no_cut_frame_is_a_frame(frame in any::client_frame(), at in any::<Index>()) {
        let bytes = encode(&frame);
        prop_assert!(decode::<ClientFrame>(&bytes.slice(..at.index(bytes.len()))).is_err());
    }

    #[test]
    fn unknown_fields_are_skipped_and_order_does_not_matter(client in any::client_frame(), relay in any::relay_frame()) {
        prop_assert_eq!(decode::<ClientFrame>(&from_the_future(&encode(&client))).unwrap(), client);
        prop_assert_eq!(decode::<RelayFrame>(&from_the_future(&encode(&relay))).unwrap(), relay);
    }

    #[test]
    fn bodies_share_the_buffer_of_their_frame(client in any::client_frame(), relay in any::relay_frame()) {
        let bytes = encode(&client);
        let frame: ClientFrame = decode(&bytes).unwrap();
        prop_assert!(bodies(&frame).into_iter().all(|body| lies_in(&bytes, body)));
        let bytes = encode(&relay);
        let frame: RelayFrame = decode(&bytes).unwrap();
        prop_assert!(delivered(&frame).into_iter().all(|body| lies_in(&bytes, body)));
    }
}
