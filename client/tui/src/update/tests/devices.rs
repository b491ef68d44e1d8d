//! The user's devices, links and codes.

use super::*;
use crate::data::devices::{Admission, Code, Decision, Device, History};
use crate::data::{Group, Kind, Role};
use aside_protocol::channel::{ChannelLink, LinkSecret};
use aside_protocol::invite::{Invite, InviteSecret};
use aside_protocol::{ChatId, DeviceId, Hash};

fn device(number: u8) -> Device {
    Device {
        id: DeviceId([number; 16]),
        machine: Some(format!("machine {number}")),
        added: NOW,
        fingerprint: "0123".into(),
        this: number == 1,
        leaving: number == 3,
    }
}

fn shown() -> Model {
    let mut model = desk(SIZE);
    assert_eq!(alt(&mut model, KeyCode::Char('l')), [Cmd::LoadDevices]);
    update(&mut model, Msg::Devices(vec![device(1), device(2), device(3)]));
    model
}

fn admission(model: &Model) -> Option<&Admission> {
    match overlay(model) {
        Some(Overlay::Devices(devices)) => devices.admission.as_ref(),
        _ => None,
    }
}

fn code() -> Code {
    Code { link: "aside://secret".to_owned().into(), drawn: String::new().into() }
}

fn asks() -> Msg {
    Msg::Admission(Admission::Asks { machine: "laptop".into(), fingerprint: "0123".into() })
}

#[test]
fn a_device_is_removed_after_a_question_and_neither_this_one_nor_one_that_is_leaving() {
    let mut model = shown();
    press(&mut model, KeyCode::Char('x'));
    assert!(model.note.as_ref().unwrap().0.contains("device you are at"));
    assert_eq!(press(&mut model, KeyCode::Char('y')), []);
    press(&mut model, KeyCode::Down);
    assert_eq!(press(&mut model, KeyCode::Char('x')), []);
    assert_eq!(press(&mut model, KeyCode::Enter), [], "any other key is no");
    press(&mut model, KeyCode::Char('x'));
    assert_eq!(press(&mut model, KeyCode::Char('y')), [Cmd::Revoke(DeviceId([2; 16]))]);
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Char('x'));
    assert!(model.note.as_ref().unwrap().0.contains("already"));
}

#[test]
fn one_that_asks_comes_in_after_two_answers_and_with_the_history_chosen() {
    for (letter, history) in [('a', History::All), ('n', History::None)] {
        let mut model = shown();
        assert_eq!(press(&mut model, KeyCode::Char('a')), [Cmd::Admit]);
        update(&mut model, Msg::Admission(Admission::Code(code())));
        assert_eq!(press(&mut model, KeyCode::Char('y')), [], "nobody asks yet");
        update(&mut model, asks());
        assert_eq!(press(&mut model, KeyCode::Char('a')), [], "nobody has agreed");
        assert_eq!(press(&mut model, KeyCode::Char('y')), []);
        assert_eq!(press(&mut model, KeyCode::Char(letter)), [Cmd::Decide(Decision::Admit(history))]);
        assert_eq!(admission(&model), Some(&Admission::Adding));
        assert_eq!(press(&mut model, KeyCode::Char(letter)), [], "once");
        update(&mut model, Msg::Admission(Admission::Over("It is in.".into())));
        assert_eq!(press(&mut model, KeyCode::Enter), [Cmd::LoadDevices]);
        assert_eq!(admission(&model), None);
    }
}

#[test]
fn whoever_turns_away_lets_nobody_in_but_who_was_agreed_to_goes_on() {
    let mut model = shown();
    press(&mut model, KeyCode::Char('a'));
    assert_eq!(press(&mut model, KeyCode::Esc), [Cmd::EndAdmission]);
    let mut model = shown();
    press(&mut model, KeyCode::Char('a'));
    update(&mut model, asks());
    assert_eq!(press(&mut model, KeyCode::Char('n')), [Cmd::Decide(Decision::Refuse)]);
    let mut model = shown();
    press(&mut model, KeyCode::Char('a'));
    update(&mut model, asks());
    press(&mut model, KeyCode::Char('y'));
    press(&mut model, KeyCode::Char('a'));
    assert_eq!(press(&mut model, KeyCode::Esc), []);
    update(&mut model, Msg::Admission(Admission::Over("It is in.".into())));
    assert_eq!(model.note.as_ref().unwrap().0, "It is in.");
    assert!(overlay(&model).is_none());
}

#[test]
fn codes_are_never_printed_for_debugging() {
    let mut model = shown();
    press(&mut model, KeyCode::Char('a'));
    let msg = Msg::Admission(Admission::Code(code()));
    assert!(!format!("{msg:?}").contains("secret"));
    update(&mut model, msg);
    assert!(!format!("{model:?}").contains("secret"));
}

fn link() -> ChannelLink {
    let invite = Invite {
        addresses: vec!["chat.example.org:7443".into()],
        pin: Hash([1; 32]),
        mode: aside_protocol::login::Mode::Direct,
        secret: InviteSecret([0; 16]),
    };
    ChannelLink { invite, chat: ChatId([4; 32]), title: "news".into(), secret: LinkSecret([5; 32]) }
}

#[test]
fn a_channels_link_is_pasted_into_the_switcher_however_it_was_broken() {
    let mut model = desk(SIZE);
    ctrl(&mut model, 'p');
    let text = link().to_link();
    let (one, two) = text.split_at(60);
    update(&mut model, Msg::Paste(format!("join us: {one}\n{two}\n")));
    assert_eq!(press(&mut model, KeyCode::Enter), [Cmd::Join(link())]);
    update(&mut model, Msg::Made(Err("It is another relay's.".into())));
    assert_eq!(model.note.as_ref().unwrap().0, "It is another relay's.");
    assert!(matches!(overlay(&model), Some(Overlay::Switcher(switcher)) if switcher.looking.is_none()));
    ctrl(&mut model, 'u');
    write(&mut model, &text[..60]);
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    assert!(matches!(overlay(&model), Some(Overlay::Switcher(switcher)) if switcher.failed.is_some()));
}

#[test]
fn admins_see_and_end_a_channels_link_and_groups_have_none() {
    for (kind, role, command) in
        [(Kind::Channel, Role::Admin, true), (Kind::Channel, Role::Member, false), (Kind::Group, Role::Owner, false)]
    {
        let mut model = desk(SIZE);
        update(&mut model, Msg::Chats(vec![group(10, kind, "news", Some(role))]));
        press(&mut model, KeyCode::Char('i'));
        let (title, members, due) = ("news".into(), Vec::new(), Vec::new());
        let known = Group { title, kind, role: Some(role), id: "0a".into(), members, due };
        update(&mut model, Msg::Group(account(10), known));
        let wanted = [Cmd::ShowLink(account(10))];
        assert_eq!(press(&mut model, KeyCode::Char('k')) == wanted, command, "{kind:?} {role:?}");
        if command {
            assert_eq!(press(&mut model, KeyCode::Char('x')), [], "there is none yet");
            update(&mut model, Msg::ChannelLink(account(10), Ok(code())));
            assert_eq!(press(&mut model, KeyCode::Char('x')), [Cmd::DropLink(account(10))]);
        }
    }
}
