//! Small helpers between SQLite's signed integers and our unsigned numbers. May touch nothing else.

use aside_protocol::{ChatId, DeviceId, Hash, Millis, N, Pos, Seq};
use rusqlite::Row;

/// As SQLite keeps it. Numbers past 2^63 do not occur: whoever stores one has checked it against a smaller one.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Out of SQLite; negative numbers are never stored.
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

macro_rules! number_column {
    ($($name:ident -> $type:ident),*) => {
        $(/// A number column.
        pub(crate) fn $name(row: &Row<'_>, column: usize) -> rusqlite::Result<$type> {
            row.get::<_, i64>(column).map(|value| $type(uint(value)))
        })*
    };
}

number_column!(pos -> Pos, seq -> Seq, n -> N, millis -> Millis);

macro_rules! bytes_column {
    ($($name:ident -> $type:ident),*) => {
        $(/// A fixed-length bytes column.
        pub(crate) fn $name(row: &Row<'_>, column: usize) -> rusqlite::Result<$type> {
            row.get(column).map($type)
        })*
    };
}

bytes_column!(device -> DeviceId, chat -> ChatId, hash -> Hash);
