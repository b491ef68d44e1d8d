//! CBOR (RFC 8949) in and out, with bounded length and nesting (rules `COD-1`, `COD-2`).
//!
//! Structs are maps with text keys, so unknown fields are skipped and new ones need no new format (rule `COD-5`).

use crate::body::with_source;
use crate::limits::{MAX_FRAME, MAX_NESTING};
use bytes::Bytes;
use cbor4ii::core::dec::{Read, Reference};
use serde::{Serialize, de::DeserializeOwned};
use std::convert::Infallible;

/// Why bytes are not a value of the expected kind. The peer's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than [`MAX_FRAME`] (rule `COD-1`).
    #[error("{0} bytes are more than a frame may have")]
    TooLong(usize),
    /// Not CBOR, nested too deep, or not of the expected shape (rule `COD-2`).
    #[error("malformed: {0}")]
    Malformed(String),
    /// Bytes follow the value (rule `COD-2`).
    #[error("{0} bytes follow the value")]
    Trailing(usize),
}

impl DecodeError {
    /// The rule of SPEC.md that the bytes break.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "COD-1",
            Self::Malformed(_) | Self::Trailing(_) => "COD-2",
        }
    }
}

/// Encodes a value. Encoding into memory cannot fail for the types of this crate.
pub fn encode<T: Serialize>(value: &T) -> Bytes {
    let buffer = cbor4ii::serde::to_vec(Vec::with_capacity(256), value);
    debug_assert!(buffer.is_ok(), "wire types always encode");
    Bytes::from(buffer.unwrap_or_default())
}

/// Decodes one value that fills `bytes` entirely; [`crate::Body`] fields share the buffer.
pub fn decode<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, DecodeError> {
    decode_long(bytes, MAX_FRAME)
}

/// The same for what travels in a blob instead of a frame and has a limit of its own, in bytes.
pub fn decode_long<T: DeserializeOwned>(bytes: &Bytes, most: usize) -> Result<T, DecodeError> {
    if bytes.len() > most {
        return Err(DecodeError::TooLong(bytes.len()));
    }
    with_source(bytes, || {
        let mut decoder = cbor4ii::serde::Deserializer::new(Bounded { rest: bytes, depth: MAX_NESTING });
        let value = T::deserialize(&mut decoder).map_err(|e| DecodeError::Malformed(e.to_string()))?;
        match decoder.into_inner().rest.len() {
            0 => Ok(value),
            extra => Err(DecodeError::Trailing(extra)),
        }
    })
}

/// A slice reader that counts nesting down.
struct Bounded<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Read<'a> for Bounded<'a> {
    type Error = Infallible;

    fn fill<'short>(&'short mut self, _want: usize) -> Result<Reference<'a, 'short>, Infallible> {
        Ok(Reference::Long(self.rest))
    }

    fn advance(&mut self, n: usize) {
        self.rest = self.rest.get(n..).unwrap_or_default();
    }

    fn step_in(&mut self) -> bool {
        match self.depth.checked_sub(1) {
            Some(depth) => {
                self.depth = depth;
                true
            }
            None => false,
        }
    }

    fn step_out(&mut self) {
        self.depth += 1;
    }
}
