use super::*;
use crate::plain::shoot;

#[test]
fn screens() {
    for (name, closed) in [
        ("locked", Closed::locked("work", 4711)),
        ("newer", Closed::newer(9, 3)),
        ("corrupt", Closed::corrupt("/home/anna/.local/share/aside/profiles/default/history.db")),
        ("key_missing", Closed::key_missing("/home/anna/.local/share/aside/profiles/default")),
        ("no_permission", Closed::no_permission("/home/anna/.local/share/aside/profiles/default")),
        ("disk_full", Closed::disk_full()),
        ("no_home", Closed::no_home("/home/anna/.local/share/aside")),
    ] {
        shoot(&format!("closed_{name}"), |frame| closed.view(frame, frame.area()));
    }
}

#[test]
fn enter_tries_again_where_that_can_help_and_the_rest_leaves() {
    let press = |closed: &Closed, code, modifiers| closed.key(KeyEvent::new(code, modifiers));
    let (full, newer) = (Closed::disk_full(), Closed::newer(2, 1));
    assert_eq!(press(&full, KeyCode::Enter, KeyModifiers::NONE), [Cmd::Reopen]);
    assert_eq!(press(&newer, KeyCode::Enter, KeyModifiers::NONE), []);
    for closed in [&full, &newer] {
        for (code, modifiers) in [
            (KeyCode::Esc, KeyModifiers::NONE),
            (KeyCode::Char('q'), KeyModifiers::NONE),
            (KeyCode::Char('c'), KeyModifiers::CONTROL),
        ] {
            assert_eq!(press(closed, code, modifiers), [Cmd::Quit]);
        }
        assert_eq!(press(closed, KeyCode::Char('z'), KeyModifiers::CONTROL), [Cmd::Suspend]);
        assert_eq!(press(closed, KeyCode::Char('c'), KeyModifiers::NONE), []);
        let mut released = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(closed.key(released), []);
    }
}

#[test]
fn nobody_is_named_who_did_not_say() {
    assert!(!Closed::locked("default", 0).what.contains("process"));
}
