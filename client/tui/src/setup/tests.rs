#![allow(clippy::unwrap_used)]

use super::*;

mod keys;
mod screens;

const WORDS: &str = "abandon ability able about above absent absorb abstract absurd abuse access accident account accuse \
                     achieve acid acoustic acquire across act action actor actress actual";

fn invite() -> Invite {
    Invite {
        addresses: vec!["chat.example.org:4433".to_owned()],
        pin: aside_protocol::Hash([7; 32]),
        mode: aside_protocol::login::Mode::Direct,
        secret: aside_protocol::invite::InviteSecret([9; 16]),
    }
}

fn registered() -> Heard {
    Heard::Registered { words: Zeroizing::new(WORDS.to_owned()), asked: [2, 10, 23] }
}

fn press(setup: &mut Setup, code: KeyCode) -> Vec<Cmd> {
    setup.key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn control(setup: &mut Setup, c: char) -> Vec<Cmd> {
    setup.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

fn type_in(setup: &mut Setup, text: &str) {
    for c in text.chars() {
        assert!(press(setup, KeyCode::Char(c)).is_empty());
    }
}

fn enter(setup: &mut Setup, text: &str) -> Vec<Cmd> {
    type_in(setup, text);
    press(setup, KeyCode::Enter)
}

fn at_name() -> Setup {
    let mut setup = Setup::new(None);
    setup.paste(&invite().to_link());
    assert!(press(&mut setup, KeyCode::Enter).is_empty());
    assert_eq!(setup.step, Step::Name);
    setup
}

fn at_registering() -> Setup {
    let mut setup = at_name();
    assert_eq!(enter(&mut setup, "anna").len(), 1);
    assert_eq!(setup.step, Step::Registering);
    setup
}

fn at_check() -> Setup {
    let mut setup = Setup::begin(registered());
    press(&mut setup, KeyCode::Enter);
    assert_eq!(setup.step, Step::Check);
    setup
}
