//! Groups and channels: made, changed, read only.

use super::*;
use crate::data::{Chat, Group, GroupChange, Kind, Member, Reader, Role, What};
use aside_protocol::AccountId;

/// Alice with bob, carol, a group and a channel; the group is open.
fn in_group(role: Option<Role>) -> Model {
    let mut model = desk(SIZE);
    update(&mut model, Msg::Chats(chats(role)));
    open_chat(&mut model, 10);
    load(
        &mut model,
        page(vec![by(1, 2, "carol", "hi"), own(2, "hello", Progress::Sent), own(3, "you?", Progress::Sent)]),
    );
    model
}

fn chats(role: Option<Role>) -> Vec<Chat> {
    let (lunch, news) = (group(10, Kind::Group, "lunch", role), group(11, Kind::Channel, "news", Some(Role::Member)));
    vec![chat(1, "bob", 0), chat(2, "carol", 0), lunch, news]
}

fn open_chat(model: &mut Model, number: u8) {
    let down = model.desk().unwrap().list().iter().position(|chat| chat.peer == account(number)).unwrap();
    press(model, KeyCode::Esc);
    (0..9).for_each(|_| drop(press(model, KeyCode::Up)));
    (0..down).for_each(|_| drop(press(model, KeyCode::Down)));
    press(model, KeyCode::Enter);
}

fn lunch(role: Option<Role>) -> Group {
    let member = |number, name: &str, role| Member {
        account: account(number),
        name: name.into(),
        role,
        own: number == 99,
        devices: 1,
        verified: false,
        key_changed: false,
    };
    let members =
        vec![member(99, "alice", Role::Owner), member(1, "bob", Role::Admin), member(2, "carol", Role::Member)];
    Group { title: "lunch".into(), kind: Kind::Group, role, id: "0a0a0a".into(), members, due: Vec::new() }
}

/// The members are shown.
fn members(role: Option<Role>) -> Model {
    let mut model = in_group(role);
    assert_eq!(alt(&mut model, KeyCode::Char('i')), [Cmd::LoadGroup(account(10))]);
    update(&mut model, Msg::Group(account(10), lunch(role)));
    model
}

fn change(change: GroupChange) -> [Cmd; 1] {
    [Cmd::ChangeGroup { peer: account(10), change }]
}

fn note(model: &Model) -> &str {
    model.note.as_ref().map_or("", |(note, _)| note)
}

#[test]
fn a_group_is_made_of_a_title_and_people_chosen_by_some_letters() {
    let mut model = in_group(Some(Role::Owner));
    alt(&mut model, KeyCode::Char('g'));
    assert_eq!(press(&mut model, KeyCode::Enter), [], "a name is wanted first");
    write(&mut model, "tea");
    press(&mut model, KeyCode::Enter);
    write(&mut model, "cl");
    press(&mut model, KeyCode::Enter);
    let wanted = Cmd::MakeGroup { kind: Kind::Group, title: "tea".into(), members: vec![account(2)] };
    assert_eq!(press(&mut model, KeyCode::Enter), [wanted]);
    assert!(overlay(&model).is_none());
    let cmds = update(&mut model, Msg::Made(Ok(account(12))));
    assert!(cmds.contains(&Cmd::LoadChats));
    assert_eq!(model.desk().unwrap().open.as_ref().unwrap().peer, account(12), "it is opened");
}

#[test]
fn people_who_are_not_known_yet_are_looked_up() {
    let mut model = in_group(Some(Role::Owner));
    alt(&mut model, KeyCode::Char('g'));
    press(&mut model, KeyCode::Tab);
    write(&mut model, "blog");
    press(&mut model, KeyCode::Enter);
    write(&mut model, "zoe");
    assert_eq!(press(&mut model, KeyCode::Enter), [Cmd::LookUp("zoe".into())]);
    update(&mut model, Msg::Found("zoe".into(), Ok(account(7))));
    write(&mut model, "nobody");
    press(&mut model, KeyCode::Enter);
    update(&mut model, Msg::Found("nobody".into(), Err("Nobody is called so.".into())));
    let Some(Overlay::Chooser(chooser)) = overlay(&model) else { panic!("it goes on") };
    assert_eq!(chooser.failed.as_deref(), Some("Nobody is called so."));
    ctrl(&mut model, 'u');
    let wanted = Cmd::MakeGroup { kind: Kind::Channel, title: "blog".into(), members: vec![account(7)] };
    assert_eq!(press(&mut model, KeyCode::Enter), [wanted]);
}

#[test]
fn who_was_chosen_by_mistake_is_taken_back() {
    let mut model = members(Some(Role::Owner));
    press(&mut model, KeyCode::Char('a'));
    for letters in ["bob", "carol"] {
        write(&mut model, letters);
        press(&mut model, KeyCode::Enter);
    }
    press(&mut model, KeyCode::Backspace);
    let cmds = press(&mut model, KeyCode::Enter);
    assert_eq!(cmds[0], change(GroupChange::Add(vec![account(1)]))[0]);
    assert_eq!(cmds[1], Cmd::LoadGroup(account(10)), "the members are shown again");
}

#[test]
fn removing_and_leaving_are_asked_about_first() {
    let mut model = members(Some(Role::Owner));
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Down);
    assert_eq!(press(&mut model, KeyCode::Char('x')), []);
    assert_eq!(press(&mut model, KeyCode::Char('n')), [], "anything but y is no");
    press(&mut model, KeyCode::Char('x'));
    assert_eq!(press(&mut model, KeyCode::Char('y')), change(GroupChange::Remove(account(2))));
    press(&mut model, KeyCode::Char('l'));
    assert_eq!(press(&mut model, KeyCode::Char('y')), change(GroupChange::Leave));
    assert!(overlay(&model).is_none());
}

#[test]
fn roles_are_given_and_an_owner_is_made_only_after_a_question() {
    let mut model = members(Some(Role::Owner));
    press(&mut model, KeyCode::Down);
    assert_eq!(press(&mut model, KeyCode::Char('d')), [], "bob is an admin already");
    assert_eq!(press(&mut model, KeyCode::Char('m')), change(GroupChange::Role(account(1), Role::Member)));
    assert_eq!(press(&mut model, KeyCode::Char('o')), []);
    assert_eq!(press(&mut model, KeyCode::Char('y')), change(GroupChange::Role(account(1), Role::Owner)));
}

#[test]
fn a_new_name_begins_with_the_present_one() {
    let mut model = members(Some(Role::Admin));
    press(&mut model, KeyCode::Char('n'));
    (0..5).for_each(|_| drop(press(&mut model, KeyCode::Backspace)));
    assert_eq!(press(&mut model, KeyCode::Enter), [], "no name is none");
    write(&mut model, "late lunch");
    assert_eq!(press(&mut model, KeyCode::Enter), change(GroupChange::Rename("late lunch".into())));
}

#[test]
fn members_are_told_who_may() {
    let mut model = members(Some(Role::Member));
    for key in ['a', 'x', 'n'] {
        assert_eq!(press(&mut model, KeyCode::Char(key)), []);
        assert_eq!(note(&model), "Only owners and admins may do this.");
    }
    press(&mut model, KeyCode::Char('o'));
    assert_eq!(note(&model), "Only owners may do this.");
    let mut model = members(None);
    press(&mut model, KeyCode::Char('l'));
    assert_eq!(note(&model), "You are not in it any more.");
}

#[test]
fn whoever_is_chosen_stays_chosen_when_members_change() {
    let mut model = members(Some(Role::Owner));
    press(&mut model, KeyCode::Down);
    press(&mut model, KeyCode::Down);
    let mut fewer = lunch(Some(Role::Owner));
    fewer.members.remove(1);
    update(&mut model, Msg::Group(account(10), fewer));
    let Some(Overlay::Group(shown)) = overlay(&model) else { panic!("it is shown") };
    assert_eq!(shown.cursor, 1, "carol moved up");
    update(&mut model, Msg::Changed);
    let empty = Group { members: Vec::new(), ..lunch(None) };
    update(&mut model, Msg::Group(account(10), empty));
    assert_eq!(press(&mut model, KeyCode::Char('x')), []);
}

#[test]
fn where_only_others_write_nothing_is_typed_or_sent() {
    for (role, number) in [(Some(Role::Owner), 11), (None, 10)] {
        let mut model = in_group(role);
        update(&mut model, Msg::Chats(chats(role)));
        if number == 11 {
            open_chat(&mut model, 11);
            load(&mut model, Page::default());
        }
        write(&mut model, "words");
        assert_eq!(written(&model), "");
        assert!(note(&model).contains("channel") || note(&model).contains("not in this group"), "{}", note(&model));
        assert_eq!(press(&mut model, KeyCode::Enter), []);
    }
}

#[test]
fn readers_are_shown_for_one_message_after_another() {
    let mut model = in_group(Some(Role::Owner));
    let peer = account(10);
    let cmds = alt(&mut model, KeyCode::Char('r'));
    assert_eq!(cmds, [Cmd::LookAtReceipts(peer), Cmd::LoadReaders { peer, row: 3 }]);
    assert_eq!(press(&mut model, KeyCode::Up), [Cmd::LoadReaders { peer, row: 2 }]);
    assert_eq!(press(&mut model, KeyCode::Up), [], "there is none before");
    let reader = Reader { name: "bob".into(), progress: Progress::Read };
    update(&mut model, Msg::Readers(3, Vec::new()));
    update(&mut model, Msg::Readers(2, vec![reader.clone()]));
    let Some(Overlay::Readers { readers, .. }) = overlay(&model) else { panic!("it is shown") };
    assert_eq!(readers.as_deref(), Some(&[reader][..]), "an answer about another message is late");
    assert!(update(&mut model, Msg::Changed).contains(&Cmd::LoadReaders { peer, row: 2 }));
}

#[test]
fn texts_of_different_people_do_not_run_together() {
    let mut model = in_group(Some(Role::Owner));
    let same_minute = |place, number, name: &str| {
        let entry = by(place, number, name, "hi");
        crate::data::Entry { time: Some(NOW), ..entry }
    };
    update(&mut model, Msg::Changed);
    load(&mut model, page(vec![same_minute(4, 1, "bob"), same_minute(5, 2, "carol"), same_minute(6, 2, "carol")]));
    let open = model.desk().unwrap().open.as_ref().unwrap();
    let follows = open.rows.rows.iter().filter_map(|row| match &row.kind {
        crate::model::rows::Kind::Text { follows, .. } => Some(*follows),
        _ => None,
    });
    assert_eq!(follows.collect::<Vec<_>>(), [false, false, true]);
    assert!(matches!(open.page.as_ref().unwrap().entries[0].what, What::Peer { by: Some(_), .. }));
}

#[test]
fn a_group_is_wanted_by_its_title_or_id() {
    let id: AccountId = account(10);
    for wanted in ["#lunch".to_owned(), id.to_hex()[..8].to_owned(), format!("#{}", &id.to_hex()[..12])] {
        let mut model = Model::new(SIZE, NOW, jiff::tz::TimeZone::UTC, true);
        update(&mut model, Msg::Opened { me: me(), wanted: Some(wanted) });
        update(&mut model, Msg::Chats(chats(Some(Role::Member))));
        assert_eq!(opened(&model), Some("lunch"));
    }
}
