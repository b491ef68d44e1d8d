#![allow(clippy::unwrap_used)]

use super::*;
use aside_engine::Config;
use aside_protocol::Hash;
use aside_protocol::invite::InviteSecret;
use aside_protocol::login::Mode;
use aside_protocol::refusal::Plain;
use aside_store::ProfileFolder;
use aside_transport::{Choice, Transport};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A profile in a folder of its own, which is removed with the first of the two.
fn fresh_settings() -> (TempDir, Settings) {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path().join("profiles").join("default"));
    (dir, settings)
}

fn settings(folder: PathBuf) -> Settings {
    Settings {
        folder: ProfileFolder::new(folder),
        profile: "default".to_owned(),
        engine: Config::default(),
        transport: Choice::Only(Transport::WebSocket),
    }
}

/// To a port that nobody listens on.
fn invite() -> Invite {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    Invite {
        addresses: vec![format!("127.0.0.1:{port}")],
        pin: Hash([1; 32]),
        mode: Mode::Direct,
        secret: InviteSecret([2; 16]),
    }
}

fn anna() -> Name {
    Name::new("anna").unwrap()
}

/// Leaves a registration that the relay never confirmed.
async fn interrupted(settings: &Settings) -> Invite {
    let invite = invite();
    let heard = register(settings, invite.clone(), anna()).await;
    assert!(matches!(&heard, Heard::Failed { at: At::Again, .. }), "{heard:?}");
    invite
}

/// Plays the relay's answer.
fn confirm(settings: &Settings) {
    let mut store = Store::open(&settings.folder).unwrap();
    store.transact::<_, EngineError>(|tx| Ok(tx.confirm_profile()?)).unwrap();
}

fn shown(start: Start) -> (Zeroizing<String>, [usize; 3]) {
    match start {
        Start::Setup(Heard::Registered { words, asked }) => (words, asked),
        other => panic!("{other:?}"),
    }
}

fn screen(start: Start) -> Closed {
    match start {
        Start::Closed(closed) => closed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_there_needs_the_first_run_and_leaves_nothing() {
    let (dir, settings) = fresh_settings();
    assert!(matches!(start(&settings), Start::Setup(Heard::Needed(None))));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_interrupted_registration_is_offered_again_and_keeps_its_words() {
    let (_dir, settings) = fresh_settings();
    let invite = interrupted(&settings).await;
    let file = words_file(&settings);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read_to_string(&file).unwrap();
    match start(&settings) {
        Start::Setup(Heard::Needed(Some(found))) => assert_eq!(found, Begun { invite: invite.clone(), name: anna() }),
        other => panic!("{other:?}"),
    }
    register(&settings, invite, anna()).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "the relay may know these keys already");
}

#[tokio::test]
async fn words_that_nobody_confirmed_are_shown_at_every_start_until_they_are() {
    let (_dir, settings) = fresh_settings();
    let invite = interrupted(&settings).await;
    confirm(&settings);
    let (words, [a, b, c]) = shown(start(&settings));
    assert!(a < b && b < c && c < 24);
    assert_eq!(words.split(' ').count(), 24);
    assert_eq!(shown(start(&settings)).0, words);
    // An answer that was lost here although it had been stored: the same attempt again shows them too.
    assert!(matches!(register(&settings, invite, anna()).await, Heard::Registered { .. }));
    assert!(matches!(begin(&settings), Start::Ready(_)));
    assert!(!words_file(&settings).exists());
    assert!(matches!(start(&settings), Start::Ready(_)));
    assert!(words_seen(&settings).is_ok(), "twice is no harm");
}

#[tokio::test]
async fn words_of_another_account_are_neither_shown_nor_removed() {
    let (_dir, settings) = fresh_settings();
    interrupted(&settings).await;
    confirm(&settings);
    let other = RecoveryPhrase::from_entropy(&[5; 32]).unwrap();
    std::fs::write(words_file(&settings), other.words()).unwrap();
    assert!(matches!(start(&settings), Start::Ready(_)));
    assert!(words_file(&settings).exists());
}

#[tokio::test]
async fn words_without_a_profile_are_kept_aside() {
    let (_dir, settings) = fresh_settings();
    settings.folder.create().unwrap();
    for old in ["some words", "other words"] {
        std::fs::write(words_file(&settings), old).unwrap();
        let _ = std::fs::remove_file(settings.folder.database());
        interrupted(&settings).await;
    }
    let read = |name: &str| std::fs::read_to_string(settings.folder.path().join(name)).unwrap();
    assert_eq!(read("recovery-words.1.txt"), "some words");
    assert_eq!(read("recovery-words.2.txt"), "other words");
    assert_eq!(read("recovery-words.txt").split_whitespace().count(), 24);
}

#[tokio::test]
async fn a_profile_in_use_damaged_or_without_its_key_is_closed() {
    let (_dir, settings) = fresh_settings();
    interrupted(&settings).await;
    confirm(&settings);
    words_seen(&settings).unwrap();
    let open = start(&settings);
    assert_eq!(screen(start(&settings)), Closed::locked("default", std::process::id()));
    drop(open);
    let folder = settings.folder.path();
    let key = std::fs::read(folder.join("db.key")).unwrap();
    std::fs::remove_file(folder.join("db.key")).unwrap();
    assert_eq!(screen(start(&settings)), Closed::key_missing(&folder.display().to_string()));
    std::fs::write(folder.join("db.key"), vec![0; key.len()]).unwrap();
    let database = settings.folder.database();
    assert_eq!(screen(start(&settings)), Closed::corrupt(&database.display().to_string()));
    std::fs::write(folder.join("db.key"), key).unwrap();
    assert!(matches!(start(&settings), Start::Ready(_)), "what was put back opens again");
}

#[test]
fn a_home_that_is_no_folder_is_said_before_anything_is_asked() {
    let (dir, _) = fresh_settings();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let settings = settings(file.join("profiles").join("default"));
    let closed = screen(start(&settings));
    assert_eq!(closed.title, Closed::no_home("").title);
}

#[tokio::test]
async fn words_that_cannot_be_removed_are_not_passed_over() {
    let (_dir, settings) = fresh_settings();
    std::fs::create_dir_all(words_file(&settings)).unwrap();
    assert!(matches!(begin(&settings), Start::Setup(Heard::Failed { at: At::Again, .. })));
}

#[test]
fn errors_lead_back_to_their_step() {
    let refused = |refusal| blame(&TransportError::Refused(refusal).into());
    assert_eq!(refused(Refusal::NameTaken(Plain {})), At::Name);
    assert_eq!(refused(Refusal::InviteUsed(Plain {})), At::Invite);
    assert_eq!(refused(Refusal::InviteExpired(Plain {})), At::Invite);
    assert_eq!(refused(Refusal::InviteUnknown(Plain {})), At::Invite);
    assert_eq!(blame(&TransportError::WrongPin { address: String::new() }.into()), At::Invite);
    assert_eq!(blame(&TransportError::Silent.into()), At::Again);
}

#[test]
fn three_different_words_are_asked_for() {
    let drawn: Vec<_> = (0..200).map(|_| asked()).collect();
    assert!(drawn.iter().all(|[a, b, c]| a < b && b < c && *c < usize::from(WORDS)));
    assert!(drawn.iter().any(|asked| asked != &drawn[0]));
}
