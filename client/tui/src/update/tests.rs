//! Every action, without a terminal.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::update;
use crate::cmd::{Cmd, Span};
use crate::data::{Chat, Info, Link, Page, Progress, Unsent};
use crate::model::{Anchor, Focus, Model, Overlay, TWICE};
use crate::msg::Msg;
use crate::sample::*;
use aside_protocol::Millis;
use aside_protocol::limits::MAX_TEXT;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent, MouseEventKind};

const SIZE: (u16, u16) = (80, 24);

fn opened(model: &Model) -> Option<&str> {
    model.desk().unwrap().open.as_ref().map(|open| open.name.as_str())
}

fn anchor(model: &Model) -> Anchor {
    model.desk().unwrap().open.as_ref().unwrap().anchor
}

fn overlay(model: &Model) -> Option<&Overlay> {
    model.desk().unwrap().overlay.as_ref()
}

fn loads(cmds: &[Cmd]) -> Vec<Span> {
    cmds.iter().filter_map(|cmd| if let Cmd::Load { span, .. } = cmd { Some(*span) } else { None }).collect()
}

fn many() -> Page {
    page((1..=200).map(|place| peer(place, &format!("message {place}"))).collect())
}

#[test]
fn enter_opens_the_chosen_chat_and_reads_around_what_is_unread() {
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Down);
    let cmds = press(&mut model, KeyCode::Enter);
    assert_eq!(opened(&model), Some("carol"));
    assert_eq!(loads(&cmds), [Span::Unread]);
    assert_eq!(model.desk().unwrap().focus, Focus::Composer);
}

#[test]
fn the_cursor_stays_with_its_chat_and_within_the_list() {
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Down);
    update(&mut model, Msg::Chats(vec![chat(2, "carol", 4), chat(1, "bob", 0)]));
    assert_eq!(model.desk().unwrap().cursor_index(), 0, "carol went up");
    for _ in 0..5 {
        press(&mut model, KeyCode::Down);
    }
    assert_eq!(model.desk().unwrap().cursor_index(), 1);
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Up);
    assert_eq!(model.desk().unwrap().cursor_index(), 0);
}

#[test]
fn enter_sends_what_is_written_and_empties_the_composer() {
    let mut model = open(SIZE, page(vec![peer(1, "hello")]));
    write(&mut model, "hi there");
    let cmds = press(&mut model, KeyCode::Enter);
    assert_eq!(cmds, [Cmd::Send { peer: account(1), text: "hi there".into() }]);
    assert_eq!(written(&model), "");
    assert_eq!(press(&mut model, KeyCode::Enter), [], "nothing is not sent");
    write(&mut model, "   ");
    assert_eq!(press(&mut model, KeyCode::Enter), [], "nor is room");
}

#[test]
fn a_refused_message_comes_back_before_what_was_begun_since() {
    let mut model = open(SIZE, Page::default());
    let refused = || Msg::Refused { peer: account(1), text: "too much".into(), why: "It is too long.".into() };
    update(&mut model, refused());
    assert_eq!(written(&model), "too much");
    assert_eq!(model.note.as_ref().unwrap().0, "It is too long.");
    ctrl(&mut model, 'u');
    write(&mut model, "next");
    update(&mut model, refused());
    assert_eq!(written(&model), "too much\nnext");
}

#[test]
fn a_refused_message_waits_for_its_chat_to_be_opened_again() {
    let mut model = open(SIZE, Page::default());
    alt(&mut model, KeyCode::Down);
    update(&mut model, Msg::Refused { peer: account(1), text: "lost?".into(), why: "The disk is full.".into() });
    alt(&mut model, KeyCode::Up);
    load(&mut model, Page::default());
    assert_eq!(written(&model), "lost?");
}

#[test]
fn nothing_is_taken_for_sending_while_a_new_key_waits_for_a_decision() {
    let mut model = open(SIZE, Page::default());
    let mut changed = chat(1, "bob", 0);
    changed.key_changed = true;
    update(&mut model, Msg::Chats(vec![changed]));
    write(&mut model, "secret");
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    assert_eq!(written(&model), "secret");
    assert!(model.note.as_ref().unwrap().0.contains("new key"));
}

#[test]
fn what_grew_too_long_by_other_ways_than_pasting_is_not_taken_for_sending() {
    let mut model = open(SIZE, Page::default());
    update(&mut model, Msg::Paste("x".repeat(MAX_TEXT / 2 + 1)));
    ctrl(&mut model, 'u');
    ctrl(&mut model, 'y');
    ctrl(&mut model, 'y');
    assert_eq!(press(&mut model, KeyCode::Enter), []);
    assert!(written(&model).len() > MAX_TEXT);
}

#[test]
fn a_muted_chat_asks_for_no_attention() {
    let mut model = open(SIZE, Page::default());
    let loud = chat(2, "carol", 3);
    update(&mut model, Msg::Chats(vec![chat(1, "bob", 0), loud.clone()]));
    assert_eq!(model.desk().unwrap().unread_elsewhere(), 3);
    update(&mut model, Msg::Chats(vec![chat(1, "bob", 0), Chat { muted: true, ..loud }]));
    assert_eq!(model.desk().unwrap().unread_elsewhere(), 0);
    alt(&mut model, KeyCode::Char('a'));
    assert_eq!(model.note.as_ref().unwrap().0, "Nothing is unread.");
    assert_eq!(alt(&mut model, KeyCode::Char('m')), [Cmd::Mute { peer: account(1), on: true }]);
    update(&mut model, Msg::Chats(vec![Chat { muted: true, ..chat(1, "bob", 0) }]));
    assert_eq!(alt(&mut model, KeyCode::Char('m')), [Cmd::Mute { peer: account(1), on: false }]);
}

#[test]
fn an_answer_for_an_earlier_opening_of_the_chat_is_out_of_date() {
    let mut model = open(SIZE, Page::default());
    write(&mut model, "begun");
    let turn = model.desk().unwrap().open.as_ref().unwrap().turn;
    alt(&mut model, KeyCode::Down);
    alt(&mut model, KeyCode::Up);
    update(&mut model, Msg::Loaded { peer: account(1), turn, page: Page::default(), draft: String::new() });
    assert!(model.desk().unwrap().open.as_ref().unwrap().page.is_none());
    load_with(&mut model, Page::default(), "begun");
    assert_eq!(written(&model), "begun");
}

#[test]
fn what_is_typed_before_the_history_is_there_stands_behind_the_draft() {
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Enter);
    write(&mut model, "and more");
    assert_eq!(update(&mut model, Msg::Tick(NOW)), [], "the draft in the store is not known yet");
    assert_eq!(press(&mut model, KeyCode::Enter), [], "nor what would be sent");
    assert_eq!(load_with(&mut model, Page::default(), "begun"), []);
    assert_eq!(written(&model), "begun\nand more", "that is for the user to see first");
    alt(&mut model, KeyCode::Down);
    write(&mut model, "hi");
    press(&mut model, KeyCode::Enter);
    let sent = Cmd::Send { peer: account(2), text: "hi".into() };
    assert_eq!(load(&mut model, Page::default()), [sent], "there was no draft");
}

#[test]
fn after_a_failure_everything_is_read_and_stored_again_with_the_next_tick() {
    let mut model = desk(SIZE);
    let cmds = press(&mut model, KeyCode::Enter);
    assert_eq!(loads(&cmds), [Span::Unread]);
    update(&mut model, Msg::Failed("The disk is full.".into()));
    let cmds = update(&mut model, Msg::Tick(NOW));
    assert!(cmds.contains(&Cmd::LoadChats) && loads(&cmds) == [Span::Unread], "{cmds:?}");
    load(&mut model, Page::default());
    write(&mut model, "x");
    let draft = [Cmd::SaveDraft { peer: account(1), text: "x".into() }];
    assert_eq!(update(&mut model, Msg::Tick(NOW)), draft);
    update(&mut model, Msg::Failed("The disk is full.".into()));
    assert!(update(&mut model, Msg::Tick(NOW)).contains(&draft[0]), "it may not have been stored");
}

#[test]
fn keys_with_modifiers_decide_nothing_in_an_overlay() {
    let mut model = open(SIZE, Page::default());
    alt(&mut model, KeyCode::Char('i'));
    let rival = Some((account(8), "54321".into()));
    let (name, account_id, safety_number) = ("bob".into(), "0101".into(), "12345".into());
    let info =
        Info { name, account: account_id, devices: 1, safety_number, rival, verified: false, state: "Encrypted." };
    update(&mut model, Msg::Info(account(1), info));
    assert_eq!((alt(&mut model, KeyCode::Char('a')), ctrl(&mut model, 'a')), (vec![], vec![]));
    assert!(matches!(overlay(&model), Some(Overlay::Info { .. })));
}

#[test]
fn what_comes_while_nobody_looks_does_not_push_the_unread_off_the_screen() {
    let mut model = open(SIZE, many());
    update(&mut model, Msg::Focus(false));
    let mut more = many();
    more.entries.extend((201..=300).map(|place| peer(place, "new")));
    more.unread_from = Some(key(201));
    load(&mut model, more);
    let cmds = update(&mut model, Msg::Focus(true));
    let [Cmd::MarkRead { up_to, .. }] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert!(*up_to < key(230), "only the first screen of it was seen: {up_to:?}");
}

#[test]
fn quit_is_no_draft_afterwards() {
    let mut model = open(SIZE, Page::default());
    write(&mut model, ":quit");
    update(&mut model, Msg::Tick(NOW));
    let cmds = press(&mut model, KeyCode::Enter);
    assert_eq!(cmds, [Cmd::SaveDraft { peer: account(1), text: String::new() }, Cmd::Quit]);
}

#[test]
fn a_terminal_too_small_to_show_anything_shows_nothing() {
    let mut model = open((19, 5), Page::default());
    assert_eq!(load(&mut model, Page { unread_from: Some(key(1)), ..page(vec![peer(1, "hello")]) }), []);
}

#[test]
fn lines_break_with_alt_enter_shift_enter_and_ctrl_j() {
    let mut model = open(SIZE, Page::default());
    write(&mut model, "a");
    alt(&mut model, KeyCode::Enter);
    write(&mut model, "b");
    update(&mut model, Msg::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::SHIFT)));
    write(&mut model, "c");
    ctrl(&mut model, 'j');
    write(&mut model, "d");
    assert_eq!(written(&model), "a\nb\nc\nd");
}

#[test]
fn readline_keys_edit() {
    let mut model = open(SIZE, Page::default());
    write(&mut model, "one two three");
    ctrl(&mut model, 'w');
    assert_eq!(written(&model), "one two ");
    ctrl(&mut model, 'a');
    write(&mut model, ">");
    ctrl(&mut model, 'e');
    write(&mut model, "<");
    assert_eq!(written(&model), ">one two <");
    ctrl(&mut model, 'u');
    assert_eq!(written(&model), "");
    ctrl(&mut model, 'y');
    assert_eq!(written(&model), ">one two <");
    alt(&mut model, KeyCode::Char('b'));
    alt(&mut model, KeyCode::Char('b'));
    ctrl(&mut model, 'k');
    assert_eq!(written(&model), ">one ");
    press(&mut model, KeyCode::Backspace);
    ctrl(&mut model, 'h');
    assert_eq!(written(&model), ">on");
    ctrl(&mut model, 'b');
    ctrl(&mut model, 'd');
    assert_eq!(written(&model), ">o");
}

#[test]
fn a_paste_is_one_edit_and_what_no_message_holds_is_refused_with_a_reason() {
    let mut model = open(SIZE, Page::default());
    update(&mut model, Msg::Paste("two\r\nlines\rthree".into()));
    assert_eq!(written(&model), "two\nlines\nthree");
    let before = written(&model);
    update(&mut model, Msg::Paste("x".repeat(MAX_TEXT)));
    assert_eq!(written(&model), before);
    assert!(model.note.as_ref().unwrap().0.contains("send it in parts"));
}

#[test]
fn what_is_being_written_is_kept_with_the_next_tick_and_when_the_chat_is_left() {
    let mut model = open(SIZE, Page::default());
    write(&mut model, "begun");
    let draft = Cmd::SaveDraft { peer: account(1), text: "begun".into() };
    assert_eq!(update(&mut model, Msg::Tick(Millis(NOW.0 + 1000))), [draft]);
    assert_eq!(update(&mut model, Msg::Tick(Millis(NOW.0 + 2000))), [], "once");
    write(&mut model, "!");
    let cmds = alt(&mut model, KeyCode::Down);
    assert_eq!(cmds[0], Cmd::SaveDraft { peer: account(1), text: "begun!".into() });
    assert_eq!(opened(&model), Some("carol"));
}

#[test]
fn a_draft_comes_back_when_its_chat_is_opened() {
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Enter);
    load_with(&mut model, Page::default(), "was begun");
    assert_eq!(written(&model), "was begun");
    load_with(&mut model, Page::default(), "another");
    assert_eq!(written(&model), "was begun", "what is being written now is newer");
}

#[test]
fn alt_up_and_down_go_through_the_chats_and_alt_a_to_the_unread_one() {
    let mut model = desk(SIZE);
    alt(&mut model, KeyCode::Down);
    assert_eq!(opened(&model), Some("bob"));
    alt(&mut model, KeyCode::Up);
    assert_eq!(opened(&model), Some("bob"), "there is none above");
    alt(&mut model, KeyCode::Char('a'));
    assert_eq!(opened(&model), Some("carol"));
    alt(&mut model, KeyCode::Char('A'));
    assert_eq!(opened(&model), Some("carol"));
    assert_eq!(model.note.as_ref().unwrap().0, "Nothing is unread.");
}

#[test]
fn what_is_on_the_screen_is_read_but_only_while_the_terminal_has_the_focus() {
    let unread = |page: Page| Page { unread_from: Some(key(1)), ..page };
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Enter);
    update(&mut model, Msg::Focus(false));
    assert_eq!(load(&mut model, unread(page(vec![peer(1, "hello"), peer(2, "again")]))), []);
    let read = Cmd::MarkRead { peer: account(1), up_to: key(2) };
    assert_eq!(update(&mut model, Msg::Focus(true)), [read]);
    assert_eq!(update(&mut model, Msg::Focus(true)), [], "once");
}

#[test]
fn nothing_is_read_under_an_overlay_nor_beyond_the_screen() {
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Enter);
    press(&mut model, KeyCode::F(1));
    let unread = Page { unread_from: Some(key(1)), ..many() };
    assert_eq!(load(&mut model, unread), []);
    let cmds = press(&mut model, KeyCode::Esc);
    let [Cmd::MarkRead { up_to, .. }] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert!(*up_to < key(30), "the divider is at the top, so only the first screen was seen: {up_to:?}");
}

#[test]
fn in_a_narrow_terminal_nothing_is_read_while_the_list_is_shown() {
    let mut model = open((40, 12), page(vec![peer(1, "hello")]));
    press(&mut model, KeyCode::Esc);
    let unread = Page { unread_from: Some(key(2)), ..page(vec![peer(1, "hello"), peer(2, "news")]) };
    assert_eq!(load(&mut model, unread), []);
    let cmds = press(&mut model, KeyCode::Enter);
    assert_eq!(cmds, [Cmd::MarkRead { peer: account(1), up_to: key(2) }]);
}

#[test]
fn own_messages_are_not_marked_as_read() {
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Enter);
    assert_eq!(load(&mut model, page(vec![own(1, "mine", Progress::Sent)])), []);
}

#[test]
fn pages_and_the_wheel_scroll_and_more_is_read_at_the_edge() {
    let mut model = open(SIZE, Page { older: true, ..many() });
    assert_eq!(anchor(&model), Anchor::End);
    let cmds = press(&mut model, KeyCode::PageUp);
    assert!(matches!(anchor(&model), Anchor::At(..)));
    assert_eq!(loads(&cmds), [], "there is enough left");
    let mut spans = Vec::new();
    for _ in 0..20 {
        spans.extend(loads(&press(&mut model, KeyCode::PageUp)));
    }
    assert!(matches!(spans.as_slice(), [Span::Around(_)]), "read once: {spans:?}");
    let before = anchor(&model);
    let wheel = MouseEvent { kind: MouseEventKind::ScrollDown, column: 1, row: 1, modifiers: KeyModifiers::NONE };
    update(&mut model, Msg::Mouse(wheel));
    assert_ne!(anchor(&model), before);
    update(&mut model, Msg::Key(KeyEvent::new(KeyCode::End, KeyModifiers::CONTROL)));
    assert_eq!(anchor(&model), Anchor::End);
}

#[test]
fn what_comes_does_not_move_a_screen_that_is_scrolled_back() {
    let mut model = open(SIZE, many());
    for _ in 0..3 {
        press(&mut model, KeyCode::PageUp);
    }
    let first = |model: &Model| {
        let open = model.desk().unwrap().open.as_ref().unwrap();
        let row = &open.rows.rows[open.visible().start];
        open.page.as_ref().unwrap().entries[row.entry].key
    };
    let before = first(&model);
    let mut more = many();
    more.entries.extend((201..=260).map(|place| peer(place, "new")));
    load(&mut model, more);
    assert_eq!(first(&model), before);
}

#[test]
fn changes_are_read_once_at_a_time_and_none_is_missed() {
    let mut model = open(SIZE, many());
    let cmds = update(&mut model, Msg::Changed);
    assert!(cmds.contains(&Cmd::LoadChats) && loads(&cmds) == [Span::Newest], "{cmds:?}");
    assert_eq!(update(&mut model, Msg::Changed), [], "both are under way");
    assert_eq!(update(&mut model, Msg::Chats(vec![chat(1, "bob", 0)])), [Cmd::LoadChats]);
    assert_eq!(update(&mut model, Msg::Chats(vec![chat(1, "bob", 0)])), []);
    assert_eq!(loads(&load(&mut model, many())), [Span::Newest]);
    assert_eq!(load(&mut model, many()), []);
}

#[test]
fn the_divider_stays_until_something_is_sent() {
    let mut model = desk(SIZE);
    press(&mut model, KeyCode::Enter);
    load(&mut model, Page { unread_from: Some(key(2)), ..page(vec![peer(1, "old"), peer(2, "new")]) });
    let divider = |model: &Model| model.desk().unwrap().open.as_ref().unwrap().divider;
    assert_eq!(divider(&model), Some(key(2)));
    load(&mut model, page(vec![peer(1, "old"), peer(2, "new")]));
    assert_eq!(divider(&model), Some(key(2)));
    write(&mut model, "answer");
    press(&mut model, KeyCode::Enter);
    assert_eq!(divider(&model), None);
}

#[test]
fn the_switcher_finds_by_letters_and_opens() {
    let mut model = desk(SIZE);
    ctrl(&mut model, 'p');
    write(&mut model, "dtl");
    let Some(Overlay::Switcher(switcher)) = overlay(&model) else { panic!("no switcher") };
    assert_eq!(switcher.hits, [account(3)]);
    press(&mut model, KeyCode::Enter);
    assert_eq!(opened(&model), Some("dave.the-long-named"));
    assert!(overlay(&model).is_none());
}

#[test]
fn the_switcher_looks_a_new_name_up_and_opens_what_is_found() {
    let mut model = desk(SIZE);
    ctrl(&mut model, 'p');
    write(&mut model, "zoe");
    assert_eq!(press(&mut model, KeyCode::Enter), [Cmd::LookUp("zoe".into())]);
    update(&mut model, Msg::Found("zoe".into(), Err("Nobody is called zoe.".into())));
    let Some(Overlay::Switcher(switcher)) = overlay(&model) else { panic!("no switcher") };
    assert_eq!(switcher.failed.as_deref(), Some("Nobody is called zoe."));
    press(&mut model, KeyCode::Enter);
    update(&mut model, Msg::Found("other".into(), Ok(account(8))));
    assert_eq!(opened(&model), None, "that was not asked for");
    let cmds = update(&mut model, Msg::Found("zoe".into(), Ok(account(9))));
    assert_eq!((opened(&model), loads(&cmds)), (Some("zoe"), vec![Span::Unread]));
}

#[test]
fn a_conversation_that_is_wanted_at_the_start_opens_once_the_list_is_there() {
    let start = |name: &str| {
        let mut model = Model::new(SIZE, NOW, jiff::tz::TimeZone::UTC, true);
        update(&mut model, Msg::Opened { me: me(), wanted: Some(name.into()) });
        let cmds = update(&mut model, Msg::Chats(vec![chat(1, "bob", 0), chat(2, "bobby", 0)]));
        (model, cmds)
    };
    let (model, _) = start("bob");
    assert_eq!(opened(&model), Some("bob"));
    let (mut model, cmds) = start("bo");
    assert_eq!(cmds, [Cmd::LookUp("bo".into())], "that is nobody's whole name");
    update(&mut model, Msg::Found("bo".into(), Ok(account(7))));
    assert_eq!(opened(&model), Some("bo"));
}

#[test]
fn an_answer_for_a_closed_switcher_opens_nothing() {
    let mut model = desk(SIZE);
    ctrl(&mut model, 'p');
    write(&mut model, "zoe");
    press(&mut model, KeyCode::Enter);
    press(&mut model, KeyCode::Esc);
    update(&mut model, Msg::Found("zoe".into(), Ok(account(9))));
    assert_eq!(opened(&model), None);
}

#[test]
fn help_opens_with_a_question_mark_and_a_second_one_types_it() {
    let mut model = open(SIZE, Page::default());
    press(&mut model, KeyCode::Char('?'));
    assert!(matches!(overlay(&model), Some(Overlay::Help(0))));
    press(&mut model, KeyCode::Down);
    assert!(matches!(overlay(&model), Some(Overlay::Help(1))));
    press(&mut model, KeyCode::Char('?'));
    assert_eq!((overlay(&model).is_none(), written(&model).as_str()), (true, "?"));
    write(&mut model, " or not?");
    assert_eq!(written(&model), "? or not?");
}

#[test]
fn info_is_under_i_in_the_list_and_a_new_key_is_accepted_on_purpose() {
    let mut model = desk(SIZE);
    assert_eq!(press(&mut model, KeyCode::Char('i')), [Cmd::LoadInfo(account(1))]);
    assert_eq!(press(&mut model, KeyCode::Char('a')), [], "there is nothing to accept");
    let info = Info {
        name: "bob".into(),
        account: "0101".into(),
        devices: 1,
        safety_number: "12345".into(),
        verified: false,
        rival: Some((account(8), "54321".into())),
        state: "Encrypted.",
    };
    update(&mut model, Msg::Info(account(2), info.clone()));
    assert!(matches!(overlay(&model), Some(Overlay::Info { info: None, .. })), "that is somebody else's");
    update(&mut model, Msg::Info(account(1), info));
    assert_eq!(press(&mut model, KeyCode::Char('a')), [Cmd::AcceptKey { peer: account(1), rival: account(8) }]);
}

#[test]
fn once_a_new_key_is_accepted_the_conversation_goes_on_with_the_new_account() {
    let mut model = open(SIZE, Page::default());
    write(&mut model, "begun");
    let cmds = update(&mut model, Msg::Chats(vec![chat(7, "bob", 0), chat(2, "carol", 0)]));
    assert_eq!(cmds[0], Cmd::SaveDraft { peer: account(1), text: "begun".into() });
    assert_eq!(model.desk().unwrap().open.as_ref().unwrap().peer, account(7));
    assert_eq!(loads(&cmds), [Span::Unread]);
}

#[test]
fn what_was_not_sent_is_tried_again_or_taken_back_if_it_never_left() {
    let mut model = open(SIZE, Page::default());
    assert_eq!(alt(&mut model, KeyCode::Char('u')), [Cmd::LoadUnsent(account(1))]);
    let unsent = |row, deletable| Unsent { row, text: "waits".into(), time: NOW, deletable };
    update(&mut model, Msg::Unsent(account(1), vec![unsent(5, false), unsent(6, true)], None));
    assert_eq!(press(&mut model, KeyCode::Char('d')), [], "it may be at the relay");
    press(&mut model, KeyCode::Down);
    assert_eq!(press(&mut model, KeyCode::Char('d')), [Cmd::Withdraw { peer: account(1), row: 6 }]);
    assert_eq!(update(&mut model, Msg::Withdrawn(account(1), Ok(()))), [Cmd::LoadUnsent(account(1))]);
    assert_eq!(press(&mut model, KeyCode::Char('r')), [Cmd::Retry]);
    assert!(overlay(&model).is_none());
}

#[test]
fn a_connection_that_needs_a_person_shows_itself_once() {
    let mut model = open(SIZE, Page::default());
    let stopped = || Msg::Link(Link::Stopped { why: "another relay".into(), wrong_relay: true });
    update(&mut model, stopped());
    assert!(matches!(overlay(&model), Some(Overlay::Connection)));
    assert_eq!(press(&mut model, KeyCode::Char('r')), [Cmd::Retry]);
    press(&mut model, KeyCode::Esc);
    update(&mut model, stopped());
    assert!(overlay(&model).is_none());
    alt(&mut model, KeyCode::Char('c'));
    assert!(matches!(overlay(&model), Some(Overlay::Connection)));
}

#[test]
fn ctrl_c_twice_leaves_but_not_when_something_else_came_between_or_it_is_long_ago() {
    let mut model = open(SIZE, Page::default());
    assert_eq!(ctrl(&mut model, 'c'), []);
    write(&mut model, "x");
    assert_eq!(ctrl(&mut model, 'c'), []);
    update(&mut model, Msg::Tick(Millis(NOW.0 + TWICE + 1)));
    assert_eq!(ctrl(&mut model, 'c'), []);
    assert_eq!(ctrl(&mut model, 'c'), [Cmd::Quit]);
}

#[test]
fn leaving_keeps_what_is_being_written_and_quit_is_a_word() {
    let mut model = open(SIZE, Page::default());
    write(&mut model, "later");
    ctrl(&mut model, 'c');
    let draft = Cmd::SaveDraft { peer: account(1), text: "later".into() };
    assert_eq!(ctrl(&mut model, 'c'), [draft, Cmd::Quit]);
    ctrl(&mut model, 'u');
    write(&mut model, ":quit");
    let cmds = press(&mut model, KeyCode::Enter);
    assert_eq!(cmds.last(), Some(&Cmd::Quit));
    assert!(!cmds.iter().any(|cmd| matches!(cmd, Cmd::Send { .. })), "nobody is told :quit");
}

#[test]
fn suspend_and_redraw_are_for_whoever_owns_the_terminal() {
    let mut model = desk(SIZE);
    assert_eq!(ctrl(&mut model, 'z'), [Cmd::Suspend]);
    assert_eq!(ctrl(&mut model, 'l'), [Cmd::Redraw]);
}

#[test]
fn releases_of_keys_are_nothing() {
    let mut model = open(SIZE, Page::default());
    let mut release = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE);
    release.kind = KeyEventKind::Release;
    update(&mut model, Msg::Key(release));
    assert_eq!(written(&model), "");
}

#[test]
fn sentences_in_the_status_line_go_away() {
    let mut model = desk(SIZE);
    update(&mut model, Msg::Failed("The disk is full.".into()));
    assert!(model.note.is_some());
    update(&mut model, Msg::Tick(Millis(NOW.0 + 60_000)));
    assert!(model.note.is_none());
}

#[test]
fn a_wall_of_line_breaks_can_be_scrolled_past() {
    let wall = peer(2, &"\n".repeat(60_000));
    let model = open(SIZE, page(vec![peer(1, "before"), wall, peer(3, "after")]));
    let open = model.desk().unwrap().open.as_ref().unwrap();
    assert!(open.rows.rows.len() < 2_100, "{}", open.rows.rows.len());
    assert!(open.seen().contains_key(&0));
}

#[test]
fn no_size_and_no_order_of_resizes_breaks_anything() {
    let mut model = open(SIZE, Page { older: true, ..many() });
    for _ in 0..4 {
        press(&mut model, KeyCode::PageUp);
    }
    for size in [(1, 1), (0, 0), (40, 12), (200, 60), (59, 24), (60, 24), (20, 6), (3, 200), (300, 2), SIZE] {
        update(&mut model, Msg::Resize(size.0, size.1));
        update(&mut model, Msg::Tick(NOW));
    }
    assert!(matches!(anchor(&model), Anchor::At(..)));
}

mod devices;
mod groups;
