#![allow(clippy::unwrap_used)]
use super::*;
use aside_protocol::linking::{LinkSecret, Linked, NotLinked};
use aside_protocol::login::Mode;
use aside_protocol::{AccountId, MeetingId, Name, PublicKey};

fn code() -> LinkCode {
    LinkCode {
        addresses: vec!["relay.example:7443".into()],
        pin: Hash([1; 32]),
        mode: Mode::Direct,
        account: AccountId([2; 32]),
        meeting: MeetingId([3; 16]),
        secret: LinkSecret([4; 32]),
    }
}

fn host_is() -> HostIs {
    HostIs { name: Name::new("alice").unwrap(), machine: "desk".into() }
}

fn key() -> DeviceKey {
    DeviceKey::from_seed(&[7; 32])
}

/// A guest and a host that have met.
fn met() -> (MetHost, MetGuest) {
    let (guest, begun) = Guest::begin(code(), &[5; 32]);
    let (host, answer) = MetGuest::answer(&code(), &[6; 32], &begun, host_is()).unwrap();
    let (guest, said) = guest.answered(&answer).unwrap();
    assert_eq!(said, host_is());
    (guest, host)
}

#[test]
fn two_devices_with_one_code_meet() {
    let (mut guest, mut host) = met();
    let new = host.introduced(&guest.introduce(DeviceId([9; 16]), &key(), "laptop")).unwrap();
    assert_eq!((new.device, new.key, new.machine.as_str()), (DeviceId([9; 16]), key().public(), "laptop"));
    let linked = Linked {
        name: Name::new("alice").unwrap(),
        root: PublicKey([8; 32]),
        list_version: 2,
        list_hash: Hash([9; 32]),
        history: Some(3),
    };
    for word in [HostWord::Linked(linked), HostWord::NotLinked(NotLinked::Refused)] {
        assert_eq!(guest.hear(&host.tell(&word)).unwrap(), word);
    }
}

#[test]
fn without_the_secret_neither_side_gets_on() {
    let other = LinkCode { secret: LinkSecret([44; 32]), ..code() };
    // A host that only knows what the relay sees.
    let (guest, begun) = Guest::begin(code(), &[5; 32]);
    let (_, answer) = MetGuest::answer(&other, &[6; 32], &begun, host_is()).unwrap();
    assert_eq!(guest.answered(&answer).unwrap_err(), LinkError::WrongSecret);
    // A guest that does: it cannot read the answer, and whatever it seals is not taken.
    let (mut host, answer) = MetGuest::answer(&code(), &[6; 32], &begun, host_is()).unwrap();
    let (stranger, _) = Guest::begin(other.clone(), &[5; 32]);
    assert_eq!(stranger.answered(&answer).unwrap_err(), LinkError::WrongSecret);
    let (foreign, begun) = Guest::begin(other.clone(), &[5; 32]);
    let (_, answer) = MetGuest::answer(&other, &[6; 32], &begun, host_is()).unwrap();
    let (mut foreign, _) = foreign.answered(&answer).unwrap();
    let said = foreign.introduce(DeviceId([9; 16]), &key(), "laptop");
    assert_eq!(host.introduced(&said).unwrap_err(), LinkError::WrongSecret);
}

#[test]
fn keys_are_bound_to_meeting_account_relay_and_both_keys() {
    let (guest, begun) = Guest::begin(code(), &[5; 32]);
    let changed = [
        LinkCode { meeting: MeetingId([33; 16]), ..code() },
        LinkCode { account: AccountId([22; 32]), ..code() },
        LinkCode { pin: Hash([11; 32]), ..code() },
    ];
    for other in changed {
        let (_, answer) = MetGuest::answer(&other, &[6; 32], &begun, host_is()).unwrap();
        assert_eq!(guest.answered(&answer).unwrap_err(), LinkError::WrongSecret);
    }
}

#[test]
fn a_key_swapped_on_the_way_is_noticed() {
    // Somebody in between puts keys of their own into both messages, without knowing the secret.
    let (guest, _) = Guest::begin(code(), &[5; 32]);
    let (_, own) = Guest::begin(code(), &[66; 32]);
    let (mut host, answer) = MetGuest::answer(&code(), &[6; 32], &own, host_is()).unwrap();
    assert_eq!(guest.answered(&answer).unwrap_err(), LinkError::WrongSecret);
    let Ok(LinkMessage::Answer(true_answer)) = read(&answer) else { panic!("an answer") };
    let swapped = LinkAnswer { key: [9; 32], sealed: true_answer.sealed };
    let swapped = Body(encode(&LinkMessage::Answer(swapped)));
    assert_eq!(guest.answered(&swapped).unwrap_err(), LinkError::WrongSecret);
    // What the true guest says in its own handshake is nothing in that of the one in between.
    let (mut true_guest, _) = met();
    let said = true_guest.introduce(DeviceId([9; 16]), &key(), "laptop");
    assert_eq!(host.introduced(&said).unwrap_err(), LinkError::WrongSecret);
}

#[test]
fn points_of_small_order_are_refused() {
    let one = {
        let mut one = [0; 32];
        one[0] = 1;
        one
    };
    for weak in [[0; 32], one] {
        let begun = Body(encode(&LinkMessage::Begin(LinkKey { key: weak })));
        assert_eq!(MetGuest::answer(&code(), &[6; 32], &begun, host_is()).unwrap_err(), LinkError::WeakKey);
        let (guest, _) = Guest::begin(code(), &[5; 32]);
        let answer = LinkMessage::Answer(LinkAnswer { key: weak, sealed: Body::default() });
        assert_eq!(guest.answered(&Body(encode(&answer))).unwrap_err(), LinkError::WeakKey);
    }
}

#[test]
fn nothing_is_taken_twice_and_nothing_of_another_handshake() {
    let (mut guest, mut host) = met();
    let said = guest.introduce(DeviceId([9; 16]), &key(), "laptop");
    host.introduced(&said).unwrap();
    assert_eq!(host.introduced(&said).unwrap_err(), LinkError::WrongSecret);
    // The same guest comes again: the host has a fresh key, so what was said before is worth nothing.
    let (_, begun) = Guest::begin(code(), &[5; 32]);
    let (mut again, _) = MetGuest::answer(&code(), &[60; 32], &begun, host_is()).unwrap();
    assert_eq!(again.introduced(&said).unwrap_err(), LinkError::WrongSecret);
    // A word of the host comes once, and cannot be sent back to it.
    let word = HostWord::NotLinked(NotLinked::Refused);
    let told = host.tell(&word);
    assert_eq!(guest.hear(&told).unwrap(), word);
    assert_eq!(guest.hear(&told).unwrap_err(), LinkError::WrongSecret);
    assert_eq!(host.introduced(&told).unwrap_err(), LinkError::WrongSecret);
    // Noise takes no turn.
    let told = host.tell(&word);
    guest.hear(&Body(encode(&LinkMessage::Sealed(Body::from(vec![1, 2, 3]))))).unwrap_err();
    assert_eq!(guest.hear(&told).unwrap(), word);
}

#[test]
fn a_device_without_its_key_is_refused() {
    let (mut guest, mut host) = met();
    let claimed = PublicKey([1; 32]);
    let signs = new_device_signs(&guest.binding, &DeviceId([9; 16]), &claimed, "laptop");
    let new =
        NewDevice { device: DeviceId([9; 16]), key: claimed, machine: "laptop".into(), signature: key().sign(&signs) };
    let said = Body(encode(&LinkMessage::Sealed(guest.to_host.seal(&new))));
    assert_eq!(host.introduced(&said).unwrap_err(), LinkError::BadProof);
}

#[test]
fn nonsense_is_out_of_place() {
    let (guest, begun) = Guest::begin(code(), &[5; 32]);
    for noise in [Body::default(), Body::from(vec![0xff; 9]), begun.clone()] {
        assert_eq!(guest.answered(&noise).unwrap_err(), LinkError::OutOfPlace);
    }
    let (mut met_host, mut met_guest) = met();
    assert_eq!(met_guest.introduced(&begun).unwrap_err(), LinkError::OutOfPlace);
    assert_eq!(met_host.hear(&begun).unwrap_err(), LinkError::OutOfPlace);
}

#[test]
fn names_of_machines_are_cut_between_characters() {
    assert_eq!(machine_name("laptop"), "laptop");
    let long = "ü".repeat(100);
    assert_eq!(machine_name(&long), "ü".repeat(64));
    let (mut guest, mut host) = met();
    assert_eq!(host.introduced(&guest.introduce(DeviceId([9; 16]), &key(), &long)).unwrap().machine, "ü".repeat(64));
}

#[test]
fn debug_shows_no_secret() {
    let (guest, _) = Guest::begin(code(), &[5; 32]);
    let shown = format!("{guest:?} {:?} {:?}", met(), code());
    assert!(!shown.contains("5, 5") && !shown.contains("4, 4") && !shown.contains("0404"), "{shown}");
}

/// Golden: another implementation must come to the same bytes.
#[test]
fn golden_handshake() {
    let (guest, begun) = Guest::begin(code(), &[5; 32]);
    let (_, answer) = MetGuest::answer(&code(), &[6; 32], &begun, host_is()).unwrap();
    let (mut guest, _) = guest.answered(&answer).unwrap();
    let said = guest.introduce(DeviceId([9; 16]), &key(), "laptop");
    let shown = |body: &[u8]| Hash::of(body).to_hex();
    assert_eq!(
        [shown(&begun), shown(&answer), shown(&said), guest.binding.to_hex()],
        [
            "843085166ee13145e106a9c783cd23da4d8bdc962cdb3b2505946079466c26b8",
            "b808a7026af36de579b4766297d1e87ff30b9c0050c1f8b04ee560cdfa07b19c",
            "3b5fcd361be148fcf1c6ab1cd23450d24ab9edee80c7fbaa4462db50fa5a744f",
            "0078832c4ca8686b0b82f9228a720a972c33fea38d1a9207f3a65ac628cde4b3"
        ]
    );
    assert!(code().to_link().starts_with("aside://link/"), "{}", code().to_link());
    assert_eq!(LinkCode::from_link(&code().to_link()).unwrap(), code());
}
