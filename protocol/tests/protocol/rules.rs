//! SPEC.md and the code agree: every rule cited is defined once and every rule defined is cited; codes and limits match.

use crate::tree::Tree;
use crate::values::*;
use aside_protocol::encode;
use aside_protocol::envelope::EnvelopeKind;
use aside_protocol::limits::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const SPEC: &str = include_str!("../../SPEC.md");

/// Things that look like rules and are not.
const NOT_OURS: [&str; 6] = ["BIP", "RFC", "SHA", "SSH", "TLS", "UTF"];

/// Every `ABC-7` in a text, in order.
fn rules(text: &str) -> Vec<String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = text.split(|c| !inside(c)).filter(|word| is_rule(word));
    words.map(str::to_owned).collect()
}

fn is_rule(word: &str) -> bool {
    word.split_once('-').is_some_and(|(family, number)| {
        family.len() == 3
            && family.bytes().all(|b| b.is_ascii_uppercase())
            && !NOT_OURS.contains(&family)
            && (1..=2).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Defined where they stand in bold: `**ABC-7.**` begins a paragraph, `| **REF-7** |` a row.
fn defined() -> Vec<String> {
    let begins = |line: &str| line.strip_prefix("| ").unwrap_or(line).strip_prefix("**").map(str::to_owned);
    let rule = |rest: String| rest.split_once("**").map(|(rule, _)| rule.trim_end_matches('.').to_owned());
    SPEC.lines().filter_map(begins).filter_map(rule).filter(|rule| is_rule(rule)).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let skipped = name.to_str().is_none_or(|name| name == "target" || name.starts_with('.'));
        if path.is_dir() && !skipped {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every rule cited in the workspace's sources, and where.
fn cited() -> BTreeMap<String, PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    sources(workspace, &mut files);
    let this = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocol/rules.rs");
    files.retain(|path| *path != this);
    assert!(files.len() > 100, "the workspace was not found");
    let mut all = BTreeMap::new();
    for path in files {
        rules(&std::fs::read_to_string(&path).unwrap()).into_iter().for_each(|rule| {
            all.entry(rule).or_insert_with(|| path.clone());
        });
    }
    all
}

/// What a refusal of a later version is called; nothing is defined under it.
const REFUSAL_TO_COME: &str = "REF-99";

#[test]
fn every_rule_is_defined_exactly_once() {
    let all = defined();
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!(
        all.len(),
        distinct.len(),
        "twice: {:?}",
        all.iter().filter(|r| all.iter().filter(|o| o == r).count() > 1).collect::<Vec<_>>()
    );
    for rule in rules(SPEC) {
        assert!(distinct.contains(&rule), "SPEC.md mentions {rule} and does not define it");
    }
}

#[test]
fn every_rule_that_code_cites_is_defined() {
    let defined: BTreeSet<String> = defined().into_iter().collect();
    for (rule, path) in cited() {
        assert!(
            defined.contains(&rule) || rule == REFUSAL_TO_COME,
            "{} cites {rule}, SPEC.md lacks it",
            path.display()
        );
    }
}

#[test]
fn every_rule_is_cited_by_the_code_that_keeps_it() {
    let cited = cited();
    let missing: Vec<String> = defined().into_iter().filter(|rule| !cited.contains_key(rule)).collect();
    assert!(missing.is_empty(), "no code cites {missing:?}");
}

#[test]
fn rules_count_from_one_without_holes() {
    let mut families: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for rule in defined() {
        let (family, number) = rule.split_once('-').unwrap();
        families.entry(family.to_owned()).or_default().insert(number.parse().unwrap());
    }
    for (family, numbers) in families {
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u32), "{family}: {numbers:?}");
    }
}

#[test]
fn every_refusal_is_the_rule_of_its_code() {
    for refusal in refusals() {
        let row = format!("| **{}** | `{}` |", refusal.rule(), refusal.name());
        assert_eq!(SPEC.matches(&row).count(), 1, "{row}");
    }
    assert_eq!(defined().iter().filter(|rule| rule.starts_with("REF-")).count(), refusals().len());
}

/// A row `| code | `Name` |` for each value, in the section with that heading column.
#[track_caller]
fn has_rows(column: &str, values: impl IntoIterator<Item = (u64, String)>) {
    let table = SPEC.split_once(&format!("| {column} |")).unwrap_or_else(|| panic!("no table of {column}")).1;
    let rows = table.split("\n\n").next().unwrap();
    for (code, name) in values {
        assert!(rows.contains(&format!("\n| {code} | `{name}` |")), "{column}: {code} {name}");
    }
}

#[test]
fn the_tables_have_every_code() {
    has_rows("Code | Client frame", client_frames().iter().map(|frame| (frame.code(), frame.name().to_owned())));
    has_rows("Code | Relay frame", relay_frames().iter().map(|frame| (frame.code(), frame.name().to_owned())));
    has_rows("Code | Request", requests().iter().map(|request| (request.code(), request.name().to_owned())));
    has_rows("Code | Answer", answers().iter().map(|answer| (answer.code(), answer.name().to_owned())));
    let kinds = (0..64).map(EnvelopeKind::from_code).filter(|kind| !matches!(kind, EnvelopeKind::Other(_)));
    has_rows("Kind | Name", kinds.map(|kind| (kind.code(), format!("{kind:?}"))));
}

/// The keys of every map in a value, bodies not looked into.
fn keys(tree: Tree, found: &mut BTreeSet<String>) {
    let cell = std::cell::RefCell::new(found);
    tree.each_map(&|entries| {
        cell.borrow_mut().extend(entries.iter().map(|(key, _)| key.to_string()));
        entries
    });
}

#[test]
fn the_shapes_name_every_field() {
    let mut found = BTreeSet::new();
    let inside = [encode(&aad()), encode(&content_again()), encode(&sealed_receipt()), encode(&rejoin_request())];
    let more = [encode(&signed_rejoin()), encode(&credential()), encode(&chat_context()), encode(&invite())];
    let lists = [list_1().0, encode(&unsigned_list_2()), encode(&transcript())];
    let frames = client_frames().iter().map(encode).chain(relay_frames().iter().map(encode)).collect::<Vec<_>>();
    let asked = requests().iter().map(encode).chain(answers().iter().map(encode)).collect::<Vec<_>>();
    let all = inside.into_iter().chain(more).chain(lists).chain(frames).chain(asked);
    all.chain(refusals().iter().map(encode)).for_each(|bytes| keys(Tree::read(&bytes), &mut found));
    let shapes: String = SPEC.split("```cddl").skip(1).filter_map(|part| part.split("```").next()).collect();
    for key in found {
        let key = key.trim_matches('"');
        let named = [" ", "{", "("].iter().any(|before| shapes.contains(&format!("{before}{key}: ")));
        assert!(named, "no shape in SPEC.md has the field {key}");
    }
}

macro_rules! limits {
    ($($name:ident,)+) => { [$((stringify!($name), $name as u64)),+] };
}

#[test]
fn the_limits_are_those_of_the_code() {
    let all = limits![
        MAX_FRAME,
        MAX_NESTING,
        MAX_MESSAGE,
        MAX_HANDSHAKE,
        MAX_TEXT,
        MAX_RECEIPT,
        MAX_REJOIN,
        MAX_KEY_PACKAGE,
        KEY_PACKAGE_UPLOAD,
        KEY_PACKAGE_STOCK,
        KEY_PACKAGE_LOW,
        MAX_DEVICES,
        MAX_DEVICE_LIST,
        WINDOW_ENVELOPES,
        WINDOW_BYTES,
        UNANSWERED_SENDS,
        UNANSWERED_REQUESTS,
        RETENTION_MS,
        PING_MS,
        SILENCE_MS,
        LOGIN_MS,
        PAGE,
        MAX_PAGE,
        RANGE_PAGE,
        KEY_PACKAGE_FETCHES_PER_HOUR,
        GROUP_ACCOUNTS,
        GROUP_DEVICES,
        CHANNEL_DEVICES,
        MAX_TITLE,
        MAX_CHAIN,
        MAX_BIG_HANDSHAKE,
        MAX_BLOB,
        BLOB_RETENTION_MS,
        BLOB_UNFINISHED_MS,
        BLOB_LEAST,
        MAX_ASKING,
        JOIN_REQUEST_DEVICES,
        JOIN_REQUESTS_PER_HOUR,
        REJOINS_PER_HOUR,
        LEAVES_PER_HOUR,
        ROUTES_PER_HOUR,
        RECEIPT_PUSH_DEVICES,
        RECEIPTS_PAGE,
        CHATS_PAGE,
        MEETINGS,
        MEETING_WAITING,
        MAX_MEETING,
        MEETING_MS,
        MAX_OFFERS,
    ];
    for (name, value) in all {
        assert!(SPEC.contains(&format!("\n| `{name}` | {value} |")), "{name} is {value}");
    }
    let declared = include_str!("../../src/limits.rs").matches("\npub const ").count();
    assert_eq!(declared, all.len(), "a limit is missing in this test, and perhaps in SPEC.md");
}
