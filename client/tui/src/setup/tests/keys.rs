//! What each key does in each step.

use super::*;

#[test]
fn an_invite_is_pasted_or_typed_and_a_wrong_one_is_kept_to_be_mended() {
    let mut setup = Setup::new(None);
    assert!(press(&mut setup, KeyCode::Enter).is_empty());
    assert_eq!((setup.step, setup.invite.invite()), (Step::Invite, None));
    let link = invite().to_link();
    let (head, last) = link.split_at(link.len() - 1);
    enter(&mut setup, head);
    assert_eq!(setup.step, Step::Invite, "cut short");
    enter(&mut setup, last);
    assert_eq!(setup.step, Step::Name);
    press(&mut setup, KeyCode::Esc);
    assert_eq!((setup.step, setup.invite.invite()), (Step::Invite, Some(invite())));
}

#[test]
fn a_link_is_found_in_what_is_pasted_and_takes_the_place_of_what_was_there() {
    let mut setup = Setup::new(None);
    type_in(&mut setup, "something else");
    let link = invite().to_link();
    let (one, two) = link.split_at(30);
    setup.paste(&format!("Join us: {one}\r\n  {two}\n"));
    assert_eq!(setup.invite.invite(), Some(invite()));
    setup.paste(&"x".repeat(1 << 20));
    assert_eq!(setup.step, Step::Invite, "a megabyte is cut, and is no invite");
    assert_eq!(setup.invite.invite(), None);
}

#[test]
fn a_name_is_checked_and_then_asked_for() {
    let mut setup = at_name();
    assert!(enter(&mut setup, "an").is_empty());
    assert_eq!(setup.step, Step::Name);
    let asked = enter(&mut setup, "na ");
    let name = Name::new("anna").unwrap();
    assert_eq!(asked, [Cmd::Setup(Ask::Register { invite: invite(), name })]);
    assert_eq!(setup.step, Step::Registering);
    assert!(press(&mut setup, KeyCode::Enter).is_empty(), "once is enough");
    assert!(press(&mut setup, KeyCode::Esc).is_empty());
    assert_eq!(setup.step, Step::Registering, "what is on its way cannot be taken back");
}

#[test]
fn a_failure_leads_to_its_step_and_keeps_what_was_typed() {
    for (at, step) in [(At::Invite, Step::Invite), (At::Name, Step::Name), (At::Again, Step::Name)] {
        let mut setup = at_registering();
        setup.heard(Heard::Failed { why: "that did not work".to_owned(), at });
        assert_eq!(setup.step, step);
        assert_eq!((setup.invite.invite(), setup.name.text()), (Some(invite()), "anna"));
        press(&mut setup, KeyCode::Enter);
        let asked = if step == Step::Invite { press(&mut setup, KeyCode::Enter) } else { vec![] };
        assert_eq!((setup.step, asked.len()), (Step::Registering, usize::from(step == Step::Invite)));
    }
}

#[test]
fn an_interrupted_registration_goes_on_with_one_key() {
    let begun = Begun { invite: invite(), name: Name::new("anna").unwrap() };
    let mut setup = Setup::begin(Heard::Needed(Some(begun)));
    let asked = press(&mut setup, KeyCode::Enter);
    assert_eq!(asked, [Cmd::Setup(Ask::Register { invite: invite(), name: Name::new("anna").unwrap() })]);
}

#[test]
fn three_words_are_typed_back_whatever_their_case_and_spaces() {
    let mut setup = at_check();
    assert!(enter(&mut setup, "able").is_empty());
    assert!(enter(&mut setup, " ACCESS ").is_empty());
    assert_eq!(setup.step, Step::Check);
    assert_eq!(enter(&mut setup, "Actual"), [Cmd::Setup(Ask::Begin)]);
    assert_eq!(setup.step, Step::Opening);
    assert!(press(&mut setup, KeyCode::Enter).is_empty());
}

#[test]
fn a_wrong_word_is_kept_and_the_words_can_be_seen_again() {
    let mut setup = at_check();
    enter(&mut setup, "able");
    assert!(press(&mut setup, KeyCode::Enter).is_empty(), "nothing typed");
    assert!(enter(&mut setup, "acces").is_empty());
    assert_eq!(setup.step, Step::Check);
    press(&mut setup, KeyCode::Esc);
    assert_eq!(setup.step, Step::Words);
    press(&mut setup, KeyCode::Enter);
    enter(&mut setup, "s");
    assert_eq!(enter(&mut setup, "actual"), [Cmd::Setup(Ask::Begin)], "the word before was right already");
}

#[test]
fn words_can_be_pasted_back() {
    let mut setup = at_check();
    for word in ["able\n", " access", "actual"] {
        setup.paste(word);
        assert_eq!(setup.step, Step::Check, "a paste confirms nothing");
        press(&mut setup, KeyCode::Enter);
    }
    assert_eq!(setup.step, Step::Opening);
}

#[test]
fn the_check_is_skipped_only_on_purpose() {
    let mut setup = Setup::begin(registered());
    press(&mut setup, KeyCode::Char('s'));
    assert!(press(&mut setup, KeyCode::Enter).is_empty());
    assert!(setup.words.skipping(), "only y and n are answers");
    press(&mut setup, KeyCode::Char('n'));
    assert_eq!((setup.step, setup.words.skipping()), (Step::Words, false));
    press(&mut setup, KeyCode::Char('s'));
    press(&mut setup, KeyCode::Esc);
    assert_eq!((setup.step, setup.words.skipping()), (Step::Words, false));
    press(&mut setup, KeyCode::Char('s'));
    assert_eq!(press(&mut setup, KeyCode::Char('y')), [Cmd::Setup(Ask::Begin)]);
}

#[test]
fn a_profile_that_does_not_open_shows_the_words_again() {
    let mut setup = at_check();
    setup.step = Step::Opening;
    setup.heard(Heard::Failed { why: "the disk is full".to_owned(), at: At::Again });
    assert_eq!(setup.step, Step::Words);
}

#[test]
fn the_words_scroll_and_stop_at_both_ends() {
    let mut setup = Setup::begin(registered());
    press(&mut setup, KeyCode::Up);
    assert_eq!(setup.words.from(), 0);
    (0..100).for_each(|_| drop(press(&mut setup, KeyCode::Down)));
    assert_eq!(setup.words.from(), 24);
    press(&mut setup, KeyCode::Up);
    assert_eq!(setup.words.from(), 23);
}

#[test]
fn ctrl_c_twice_leaves_from_every_step_and_once_does_not() {
    for mut setup in [Setup::new(None), at_name(), at_registering(), Setup::begin(registered()), at_check()] {
        assert!(control(&mut setup, 'c').is_empty());
        press(&mut setup, KeyCode::Left);
        assert!(control(&mut setup, 'c').is_empty(), "another key came in between");
        let mut released = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        released.kind = KeyEventKind::Release;
        assert!(setup.key(released).is_empty());
        assert_eq!(control(&mut setup, 'c'), [Cmd::Quit]);
        assert_eq!(control(&mut setup, 'z'), [Cmd::Suspend]);
    }
}

#[test]
fn debug_shows_no_secret() {
    let mut setup = at_check();
    type_in(&mut setup, "access");
    setup.invite = InviteStep::new(Some(&invite()));
    let shown = format!("{setup:?} {:?}", registered());
    assert!(WORDS.split(' ').all(|word| !shown.contains(&format!("{word} ")) && !shown.contains("access")), "{shown}");
    assert!(!shown.contains("aside://"), "{shown}");
}

fn link_code() -> LinkCode {
    LinkCode {
        addresses: vec!["chat.example.org:7443".into()],
        pin: aside_protocol::Hash([1; 32]),
        mode: aside_protocol::login::Mode::Direct,
        account: aside_protocol::AccountId([2; 32]),
        meeting: aside_protocol::MeetingId([3; 16]),
        secret: aside_protocol::linking::LinkSecret([4; 32]),
    }
}

#[test]
fn the_code_of_another_device_takes_the_place_of_an_invite() {
    let mut setup = Setup::new(None);
    let text = link_code().to_link();
    let (one, two) = text.split_at(50);
    setup.paste(&format!("{one}\n{two}"));
    assert_eq!(press(&mut setup, KeyCode::Enter), [Cmd::Setup(Ask::Link(link_code()))]);
    assert_eq!(press(&mut setup, KeyCode::Enter), [], "once");
    setup.heard(Heard::Met { name: "anna".into(), machine: "desk".into(), fingerprint: "0123".into() });
    setup.heard(Heard::Agreed);
    setup.heard(Heard::Failed { why: "It said no.".into(), at: At::Again });
    assert_eq!(setup.step, Step::Invite);
    assert_eq!(press(&mut setup, KeyCode::Enter), [Cmd::Setup(Ask::Link(link_code()))], "the same again may work");
}

#[test]
fn a_damaged_code_is_no_code() {
    let mut setup = Setup::new(None);
    setup.paste(&link_code().to_link()[..60]);
    assert_eq!(press(&mut setup, KeyCode::Enter), []);
    assert_eq!(setup.step, Step::Invite);
}
