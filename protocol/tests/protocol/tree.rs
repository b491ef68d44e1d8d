//! A second reader and writer of the CBOR this protocol uses, sharing no code with the first. Shows it as RFC 8949
//! section 8 does.

use std::fmt;

/// One CBOR item with definite lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    Number(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
    Bool(bool),
    Null,
}

impl Tree {
    /// Reads one item that fills `bytes`; panics at anything this protocol does not send.
    pub fn read(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let tree = item(&mut rest);
        assert!(rest.is_empty(), "{} bytes follow", rest.len());
        tree
    }

    /// The shortest encoding, maps in their own order.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put(self, &mut out);
        out
    }

    /// How many arrays and maps lie inside one another.
    pub fn depth(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(entries) => 1 + entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Changes every map, innermost first.
    pub fn each_map(self, change: &impl Fn(Vec<(Tree, Tree)>) -> Vec<(Tree, Tree)>) -> Self {
        match self {
            Self::Array(items) => Self::Array(items.into_iter().map(|item| item.each_map(change)).collect()),
            Self::Map(entries) => {
                Self::Map(change(entries.into_iter().map(|(key, value)| (key, value.each_map(change))).collect()))
            }
            other => other,
        }
    }
}

fn item(rest: &mut &[u8]) -> Tree {
    let (major, number) = head(rest);
    let length = number as usize;
    match major {
        0 => Tree::Number(number),
        2 => Tree::Bytes(take(rest, length).to_vec()),
        3 => Tree::Text(String::from_utf8(take(rest, length).to_vec()).unwrap()),
        4 => Tree::Array((0..length).map(|_| item(rest)).collect()),
        5 => Tree::Map((0..length).map(|_| (item(rest), item(rest))).collect()),
        7 if number == 20 || number == 21 => Tree::Bool(number == 21),
        7 if number == 22 => Tree::Null,
        _ => panic!("major type {major}, {number}"),
    }
}

fn head(rest: &mut &[u8]) -> (u8, u64) {
    let first = take(rest, 1)[0];
    let more = match first & 0x1f {
        small @ 0..24 => return (first >> 5, u64::from(small)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => panic!("an indefinite length"),
    };
    let number = take(rest, more).iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    (first >> 5, number)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (part, after) = rest.split_at(length);
    *rest = after;
    part
}

fn put(tree: &Tree, out: &mut Vec<u8>) {
    match tree {
        Tree::Number(number) => put_head(0, *number, out),
        Tree::Bytes(bytes) => {
            put_head(2, bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Tree::Text(text) => {
            put_head(3, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Tree::Array(items) => {
            put_head(4, items.len() as u64, out);
            items.iter().for_each(|item| put(item, out));
        }
        Tree::Map(entries) => {
            put_head(5, entries.len() as u64, out);
            entries.iter().for_each(|(key, value)| {
                put(key, out);
                put(value, out);
            });
        }
        Tree::Bool(value) => out.push(0xf4 + u8::from(*value)),
        Tree::Null => out.push(0xf6),
    }
}

fn put_head(major: u8, number: u64, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let (small, tail) = match number {
        0..24 => (number as u8, &bytes[8..]),
        24..0x100 => (24, &bytes[7..]),
        0x100..0x1_0000 => (25, &bytes[6..]),
        0x1_0000..0x1_0000_0000 => (26, &bytes[4..]),
        _ => (27, &bytes[..]),
    };
    out.push(major << 5 | small);
    out.extend_from_slice(tail);
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => write!(f, "h'{}'", data_encoding::HEXLOWER.encode(bytes)),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Map(entries) => {
                let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                write!(f, "{{{}}}", entries.join(", "))
            }
            Self::Bool(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}
