//! What people type: names, addresses, invite links.

use crate::values::invite;
use aside_protocol::invite::{InvalidInvite, Invite, InviteSecret, PREFIX, is_address};
use aside_protocol::login::Mode;
use aside_protocol::{AccountId, Body, ChatId, DeviceId, Hash, Name, decode, encode};
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;

#[test]
fn names_have_3_to_32_of_the_allowed_characters() {
    for good in ["bob", "a.b", "0_0", "x--", "alice.smith-2", &"a".repeat(32)] {
        assert_eq!(Name::new(good).unwrap().as_str(), good);
    }
    for bad in ["", "al", "Alice", ".ab", "-ab", "_ab", "a b", "älice", "a/b", "bob\n", "a\0b", &"a".repeat(33)] {
        assert!(Name::new(bad).is_err(), "{bad:?}");
        assert!(decode::<Name>(&encode(&bad)).is_err(), "{bad:?} on the wire");
    }
}

#[test]
fn addresses_are_host_and_port() {
    for good in ["localhost:1", "127.0.0.1:7443", "chat.example:65535", "[::1]:7443", "a_b-c.d:0"] {
        assert!(is_address(good), "{good}");
    }
    let long = format!("{}:1", "a".repeat(254));
    for bad in [
        "",
        "host",
        "host:",
        ":7443",
        "host:65536",
        "host:-1",
        "::1:7443",
        "[::1]",
        "[x]:1",
        "a b:1",
        "http://a:1",
        &long,
    ] {
        assert!(!is_address(bad), "{bad}");
    }
}

#[test]
fn links_that_are_none_and_links_that_are_damaged_are_told_apart() {
    assert_eq!(Invite::from_link("https://example.org"), Err(InvalidInvite::NotALink));
    assert_eq!(Invite::from_link(""), Err(InvalidInvite::NotALink));
    let link = invite().to_link();
    assert_eq!(Invite::from_link(&link[..link.len() - 3]), Err(InvalidInvite::Damaged));
    assert_eq!(Invite::from_link(&format!("{link}AAAA")), Err(InvalidInvite::Damaged));
    assert_eq!(Invite::from_link(&link.replace(PREFIX, &format!("{PREFIX}="))), Err(InvalidInvite::Damaged));
    assert_eq!(Invite::from_link(PREFIX), Err(InvalidInvite::Damaged));
}

#[test]
fn an_invite_names_sound_addresses() {
    for addresses in [vec![], vec!["nowhere".to_owned()], vec!["a:1".to_owned(); 33]] {
        let link = Invite { addresses, ..invite() }.to_link();
        assert_eq!(Invite::from_link(&link), Err(InvalidInvite::Damaged));
    }
    // A mode to come is not damage: the client says that it cannot speak it.
    let later = Invite { mode: Mode::Other(7), ..invite() };
    assert_eq!(Invite::from_link(&later.to_link()).unwrap(), later);
}

#[test]
fn every_character_of_a_link_counts() {
    let link = invite().to_link();
    let coded = link.strip_prefix(PREFIX).unwrap();
    let mut bytes = BASE64URL_NOPAD.decode(coded.as_bytes()).unwrap();
    bytes.reverse();
    let other = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes));
    assert_eq!(Invite::from_link(&other), Err(InvalidInvite::Damaged));
}

#[test]
fn secrets_and_bodies_are_not_shown() {
    assert_eq!(format!("{:?}", InviteSecret([0xab; 16])), "InviteSecret(…)");
    assert!(!format!("{:?}", invite()).contains("ab, 94"));
    assert_eq!(format!("{:?}", Body::from(vec![1, 2, 3])), "Body(3 bytes)");
}

#[test]
fn a_direct_chat_is_the_same_from_either_side_and_parts_are_kept_apart() {
    let (a, b) = (AccountId([1; 32]), AccountId([2; 32]));
    assert_eq!(ChatId::direct(&a, &b), ChatId::direct(&b, &a));
    assert_ne!(ChatId::direct(&a, &b), ChatId::direct(&a, &a));
    assert_ne!(Hash::labelled("l", &[b"ab", b"c"]), Hash::labelled("l", &[b"a", b"bc"]));
    assert_ne!(Hash::labelled("l", &[b"ab"]), Hash::labelled("l", &[b"ab", b""]));
}

#[test]
fn ids_read_their_hexadecimal() {
    let id = DeviceId([0xd1; 16]);
    assert_eq!(DeviceId::from_hex(&id.to_hex()), Some(id));
    assert_eq!(DeviceId::from_hex(&id.to_hex().to_uppercase()), Some(id));
    assert_eq!(DeviceId::from_hex("d1"), None);
    assert_eq!(DeviceId::from_hex("zz"), None);
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "\\PC{0,60}") {
        let _ = (Name::new(&*text), is_address(&text), Invite::from_link(&text));
        let _ = Invite::from_link(&format!("{PREFIX}{text}"));
    }

    #[test]
    fn a_name_is_what_its_rule_says(text in "[a-cA-C0-2._ -]{0,5}") {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c);
        let first = text.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let expected = text.len() >= 3 && first && text.chars().all(allowed);
        prop_assert_eq!(Name::new(&*text).is_ok(), expected);
    }
}
