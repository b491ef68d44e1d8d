//! Every screen at three sizes. Each picture ends with where the cursor is.

use super::*;
use crate::plain::shoot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn shots(name: &str, setup: &Setup) {
    shoot(&format!("setup_{name}"), |frame| setup.view(frame, frame.area()));
}

#[test]
fn invite_screens() {
    let mut setup = Setup::new(None);
    shots("invite", &setup);
    press(&mut setup, KeyCode::Enter);
    shots("invite_empty", &setup);
    enter(&mut setup, "https://example.org/join");
    shots("invite_wrong", &setup);
    setup.paste(&invite().to_link());
    shots("invite_pasted", &setup);
    control(&mut setup, 'c');
    shots("leaving", &setup);
}

#[test]
fn name_screens() {
    let mut setup = at_name();
    shots("name", &setup);
    type_in(&mut setup, "Anna");
    shots("name_wrong", &setup);
    control(&mut setup, 'u');
    enter(&mut setup, "anna");
    shots("registering", &setup);
    setup.heard(Heard::Failed { why: "That name is taken; choose another.".to_owned(), at: At::Name });
    shots("name_taken", &setup);
    let begun = Begun { invite: invite(), name: Name::new("anna").unwrap() };
    shots("name_begun", &Setup::new(Some(begun)));
}

#[test]
fn word_screens() {
    let mut setup = Setup::begin(registered());
    shots("words", &setup);
    press(&mut setup, KeyCode::Char('s'));
    shots("words_skip", &setup);
    press(&mut setup, KeyCode::Char('n'));
    press(&mut setup, KeyCode::Enter);
    shots("check", &setup);
    enter(&mut setup, "able");
    enter(&mut setup, "accident");
    shots("check_wrong", &setup);
    control(&mut setup, 'u');
    enter(&mut setup, "access");
    enter(&mut setup, "actual");
    shots("opening", &setup);
}

#[test]
fn every_word_is_seen_at_40_by_12() {
    let mut terminal = Terminal::new(TestBackend::new(40, 12)).unwrap();
    terminal.draw(|frame| Setup::begin(registered()).view(frame, frame.area())).unwrap();
    let shown = terminal.backend().to_string();
    for (at, word) in WORDS.split(' ').enumerate() {
        assert!(shown.contains(&format!("{} {word}", at + 1)), "{word} is not in {shown}");
    }
}

#[test]
fn any_size_can_be_drawn() {
    for width in (0..90).step_by(7) {
        for height in 0..26 {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            for setup in [Setup::new(None), at_name(), Setup::begin(registered()), at_check()] {
                terminal.draw(|frame| setup.view(frame, frame.area())).unwrap();
            }
        }
    }
}
