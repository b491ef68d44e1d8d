//! Screens as text. Styles are checked where a meaning hangs on them.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::view;
use crate::data::devices::{Admission, Code, Device, Moving};
use crate::data::{Group, Info, Kind, Link, Member, Page, Progress, Reader, Role, Unsent, What};
use crate::model::Model;
use crate::msg::Msg;
use crate::sample::*;
use crate::update;
use aside_protocol::DeviceId;
use crossterm::event::KeyCode;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::{Color, Modifier};

const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (200, 60)];

fn drawn(model: &Model) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| drop(view(model, frame))).unwrap();
    terminal
}

fn screen(model: &Model) -> String {
    drawn(model).backend().to_string()
}

/// A conversation with everything that can stand in one.
fn everything() -> Page {
    let mut entries = vec![
        peer(1, "good morning"),
        own(2, "Morning! Shall we meet at the station at six, or is that too early for you?", Progress::Read),
        own(3, "I could come later too.", Progress::Delivered),
        entry(4, What::Gap { count: 3, why: "no longer held by the relay" }),
        entry(5, What::KeyChanged),
        peer(6, "six is fine, here is the map: https://maps.example/station?x=1 (platform 2)"),
        peer(7, "two\nlines"),
        entry(8, What::Notice { text: "This chat was set up again.".into() }),
        own(9, "see you", Progress::Sent),
        own(10, "on my way", Progress::Pending),
    ];
    entries[0].time = Some(aside_protocol::Millis(NOW.0 - 86_400_000));
    Page { unread_from: Some(key(6)), ..page(entries) }
}

#[test]
fn chats_and_a_conversation() {
    for (columns, rows) in SIZES {
        let mut model = open((columns, rows), everything());
        write(&mut model, "an answer that is begun");
        insta::assert_snapshot!(format!("conversation_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Esc);
        insta::assert_snapshot!(format!("list_{columns}x{rows}"), screen(&model));
    }
}

#[test]
fn overlays() {
    for (columns, rows) in SIZES {
        let mut model = open((columns, rows), everything());
        press(&mut model, KeyCode::F(1));
        insta::assert_snapshot!(format!("help_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Esc);
        ctrl(&mut model, 'p');
        write(&mut model, "ar");
        insta::assert_snapshot!(format!("switcher_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Esc);
        alt(&mut model, KeyCode::Char('i'));
        let info = Info {
            name: "bob".into(),
            account: "0f".repeat(32),
            devices: 2,
            safety_number: "12345 67890 ".repeat(6),
            rival: None,
            verified: false,
            state: "Encrypted end to end, with post-quantum keys.",
        };
        update(&mut model, Msg::Info(account(1), info.clone()));
        insta::assert_snapshot!(format!("info_{columns}x{rows}"), screen(&model));
        update(&mut model, Msg::Info(account(1), Info { rival: Some((account(8), "54321 09876 ".repeat(6))), ..info }));
        insta::assert_snapshot!(format!("new_key_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Esc);
        alt(&mut model, KeyCode::Char('u'));
        let unsent = |row, deletable| Unsent { row, text: format!("message {row}\nsecond line"), time: NOW, deletable };
        let items = (1..=9).map(|row| unsent(row, row > 2)).collect();
        update(&mut model, Msg::Unsent(account(1), items, Some("The relay is full.".into())));
        insta::assert_snapshot!(format!("unsent_{columns}x{rows}"), screen(&model));
    }
}

#[test]
fn devices_and_codes() {
    let device = |number: u8, machine: Option<&str>| Device {
        id: DeviceId([number; 16]),
        machine: machine.map(str::to_owned),
        added: NOW,
        fingerprint: "0123 4567 89ab cdef 0123".into(),
        this: number == 1,
        leaving: number == 3,
    };
    let drawn = (0..29).map(|_| format!("{}\n", "█▀▄".repeat(19))).collect::<String>();
    let code = Code { link: format!("aside://link/{}", "abc0".repeat(50)).into(), drawn: drawn.into() };
    for (columns, rows) in SIZES {
        let mut model = open((columns, rows), everything());
        update(&mut model, Msg::Moving(Some(Moving { here: false, done: 1_200, total: 5_000 })));
        alt(&mut model, KeyCode::Char('l'));
        let known = vec![device(1, Some("desk")), device(2, Some("a laptop with a very long name")), device(3, None)];
        update(&mut model, Msg::Devices(known));
        press(&mut model, KeyCode::Down);
        press(&mut model, KeyCode::Char('x'));
        insta::assert_snapshot!(format!("devices_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Char('n'));
        press(&mut model, KeyCode::Char('a'));
        update(&mut model, Msg::Admission(Admission::Code(code.clone())));
        insta::assert_snapshot!(format!("code_{columns}x{rows}"), screen(&model));
        let (machine, fingerprint) = ("laptop\u{1b}[2J".into(), "0123 4567 89ab cdef 0123".into());
        update(&mut model, Msg::Admission(Admission::Asks { machine, fingerprint }));
        insta::assert_snapshot!(format!("admission_{columns}x{rows}"), screen(&model));
    }
}

fn member(number: u8, name: &str, role: Role) -> Member {
    let (own, verified, key_changed) = (number == 99, number == 1, number == 4);
    Member {
        account: account(number),
        name: name.into(),
        role,
        own,
        devices: usize::from(number % 3),
        verified,
        key_changed,
    }
}

/// Bob, a group that is open, a channel, and a group the user was removed from.
fn groups(size: (u16, u16)) -> Model {
    let mut model = desk(size);
    let lunch = group(10, Kind::Group, "lunch", Some(Role::Owner));
    let news = group(11, Kind::Channel, "news of the house", Some(Role::Member));
    let gone = group(12, Kind::Group, "once", None);
    update(&mut model, Msg::Chats(vec![lunch, chat(1, "bob", 0), chat(2, "carol", 0), news, gone]));
    press(&mut model, KeyCode::Enter);
    let notice = |text: &str| What::Notice { text: text.into() };
    load(
        &mut model,
        page(vec![
            entry(1, notice("alice added bob and carol.")),
            by(2, 2, "carol", "where shall we go?"),
            by(3, 1, "bob", "to the harbour, it is warm enough to sit outside by the water"),
            own(4, "at noon", Progress::Read),
            by(5, 7, "?0f0f0f0f", "who is this?"),
            own(6, "bring Zoe", Progress::Delivered),
        ]),
    );
    model
}

#[test]
fn groups_and_channels() {
    for (columns, rows) in SIZES {
        let mut model = groups((columns, rows));
        insta::assert_snapshot!(format!("group_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Esc);
        insta::assert_snapshot!(format!("group_list_{columns}x{rows}"), screen(&model));
        for _ in 0..3 {
            press(&mut model, KeyCode::Down);
        }
        press(&mut model, KeyCode::Enter);
        load(&mut model, page(vec![by(1, 2, "carol", "the lift works again")]));
        insta::assert_snapshot!(format!("channel_{columns}x{rows}"), screen(&model));
        alt(&mut model, KeyCode::Down);
        load(&mut model, page(vec![entry(1, What::Notice { text: "bob removed you.".into() })]));
        insta::assert_snapshot!(format!("removed_{columns}x{rows}"), screen(&model));
    }
}

#[test]
fn members_of_a_group() {
    for (columns, rows) in SIZES {
        let mut model = groups((columns, rows));
        alt(&mut model, KeyCode::Char('i'));
        let mut members = vec![member(99, "alice", Role::Owner), member(1, "bob", Role::Admin)];
        members.extend([member(2, "carol", Role::Member), member(4, "dave.the-long-named", Role::Member)]);
        members.extend((20..60).map(|number| member(number, &format!("number-{number}"), Role::Member)));
        let due = vec!["zoe comes in".into(), "a new name".into()];
        let lunch = Group {
            title: "lunch".into(),
            kind: Kind::Group,
            role: Some(Role::Owner),
            id: "0a0a0a0a0a0a".into(),
            members,
            due,
        };
        update(&mut model, Msg::Group(account(10), lunch));
        press(&mut model, KeyCode::Down);
        insta::assert_snapshot!(format!("members_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Char('x'));
        insta::assert_snapshot!(format!("members_remove_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Esc);
        alt(&mut model, KeyCode::Char('r'));
        let reader = |name: &str, progress| Reader { name: name.into(), progress };
        let readers = vec![
            reader("bob", Progress::Read),
            reader("carol", Progress::Delivered),
            reader("dave.the-long-named", Progress::Sent),
            reader("zoe", Progress::Sent),
        ];
        update(&mut model, Msg::Readers(6, readers));
        insta::assert_snapshot!(format!("readers_{columns}x{rows}"), screen(&model));
    }
}

#[test]
fn a_new_group() {
    for (columns, rows) in SIZES {
        let mut model = groups((columns, rows));
        alt(&mut model, KeyCode::Char('g'));
        write(&mut model, "tea");
        insta::assert_snapshot!(format!("new_group_{columns}x{rows}"), screen(&model));
        press(&mut model, KeyCode::Enter);
        write(&mut model, "bob");
        press(&mut model, KeyCode::Enter);
        insta::assert_snapshot!(format!("new_group_people_{columns}x{rows}"), screen(&model));
        write(&mut model, "ar");
        insta::assert_snapshot!(format!("new_group_typed_{columns}x{rows}"), screen(&model));
    }
}

#[test]
fn links_to_the_relay() {
    let why = || "cannot reach relay.example:7443: connection refused".to_owned();
    let links = [
        ("offline", Link::Offline { why: why() }),
        (
            "wrong_relay",
            Link::Stopped { why: "the relay has another key than the invite says".into(), wrong_relay: true },
        ),
        ("stopped", Link::Stopped { why: "the relay does not know this device".into(), wrong_relay: false }),
        ("failed", Link::Failed { why: "the disk is full".into() }),
    ];
    for (name, link) in links {
        let mut model = open((80, 24), everything());
        update(&mut model, Msg::Link(link));
        if name == "offline" || name == "failed" {
            alt(&mut model, KeyCode::Char('c'));
        }
        insta::assert_snapshot!(format!("link_{name}"), screen(&model));
    }
}

#[test]
fn a_first_look_without_chats() {
    for (columns, rows) in SIZES {
        let mut model = desk((columns, rows));
        update(&mut model, Msg::Chats(Vec::new()));
        insta::assert_snapshot!(format!("empty_{columns}x{rows}"), screen(&model));
    }
}

#[test]
fn the_composer_grows_to_a_third_of_the_screen() {
    let mut model = open((80, 24), everything());
    for line in 0..20 {
        write(&mut model, &format!("line {line}"));
        alt(&mut model, KeyCode::Enter);
    }
    insta::assert_snapshot!("composer_grown", screen(&model));
}

#[test]
fn what_a_peer_writes_cannot_steer_the_terminal() {
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}gnp.exe\r\u{8}\u{0} end";
    let mut model = open((80, 24), page(vec![peer(1, hostile)]));
    let mut chats = vec![chat(1, "bob", 0)];
    chats[0].last = Some(hostile.into());
    update(&mut model, Msg::Chats(chats));
    let terminal = drawn(&model);
    for cell in terminal.backend().buffer().content() {
        assert!(!cell.symbol().chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", cell.symbol());
    }
    assert!(screen(&model).contains("gnp.exe"), "it is visible");
}

#[test]
fn links_are_told_with_their_whole_address_and_underlined() {
    let model = open((40, 12), page(vec![peer(1, "look: https://a.example/a/very/long/path/that/wraps/around")]));
    let mut terminal = Terminal::new(TestBackend::new(40, 12)).unwrap();
    let mut links = Vec::new();
    terminal.draw(|frame| links = view(&model, frame)).unwrap();
    assert!(links.len() > 1, "one a row: {links:?}");
    for link in links {
        assert_eq!(link.url, "https://a.example/a/very/long/path/that/wraps/around");
        for x in link.x_from..link.x_to {
            let cell = &terminal.backend().buffer()[(x, link.y)];
            assert!(cell.modifier.contains(Modifier::UNDERLINED), "{x},{} {:?}", link.y, cell.symbol());
        }
    }
}

#[test]
fn nothing_is_coloured_where_no_colour_is_wanted() {
    let mut model = open((80, 24), everything());
    model.colours = false;
    for cell in drawn(&model).backend().buffer().content() {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
}

#[test]
fn backgrounds_stay_the_terminals_own() {
    let model = open((80, 24), everything());
    for cell in drawn(&model).backend().buffer().content() {
        assert_eq!(cell.bg, Color::Reset, "so that light and dark both stay readable");
        assert_ne!(cell.fg, Color::White);
        assert_ne!(cell.fg, Color::Black);
    }
}

#[test]
fn every_size_can_be_drawn() {
    for columns in (0..=70).chain([200]) {
        for rows in [0, 1, 2, 5, 6, 7, 12, 24] {
            let mut model = open((80, 24), everything());
            update(&mut model, Msg::Resize(columns, rows));
            if columns > 0 && rows > 0 {
                drawn(&model);
                for key in [KeyCode::F(1), KeyCode::Esc] {
                    press(&mut model, key);
                    drawn(&model);
                }
                ctrl(&mut model, 'p');
                drawn(&model);
                let mut model = groups((80, 24));
                update(&mut model, Msg::Resize(columns, rows));
                for letter in ['i', 'r', 'g'] {
                    alt(&mut model, KeyCode::Char(letter));
                    drawn(&model);
                    press(&mut model, KeyCode::Esc);
                }
            }
        }
    }
}
