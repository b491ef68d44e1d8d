//! A byte string inside a frame that is not copied when the frame is decoded (rule `COD-4`).
//!
//! While a frame is decoded its buffer is known to this module, so a [`Body`] becomes a slice that shares it.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::cell::RefCell;
use std::fmt;

thread_local! {
    static SOURCE: RefCell<Option<Bytes>> = const { RefCell::new(None) };
}

/// Opaque bytes in a frame: a ciphertext, a key package, a signed list. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Body(pub Bytes);

impl Body {
    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl std::ops::Deref for Body {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Bytes::from(bytes))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sharing;
        impl<'de> de::Visitor<'de> for Sharing {
            type Value = Body;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a byte string")
            }
            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Body, E> {
                Ok(Body(share(bytes)))
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Body, E> {
                Ok(Body(Bytes::copy_from_slice(bytes)))
            }
        }
        deserializer.deserialize_bytes(Sharing)
    }
}

/// Runs `decode` with `source` known as the buffer that bodies may share.
pub(crate) fn with_source<T>(source: &Bytes, decode: impl FnOnce() -> T) -> T {
    struct Reset(Option<Bytes>);
    impl Drop for Reset {
        fn drop(&mut self) {
            SOURCE.with(|cell| *cell.borrow_mut() = self.0.take());
        }
    }
    let _reset = Reset(SOURCE.with(|cell| cell.borrow_mut().replace(source.clone())));
    decode()
}

/// A view of the source if `part` lies inside it, else a copy.
fn share(part: &[u8]) -> Bytes {
    SOURCE.with(|cell| match &*cell.borrow() {
        Some(source) if contains(source, part) => source.slice_ref(part),
        _ => Bytes::copy_from_slice(part),
    })
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    let (whole, part) = (whole.as_ptr_range(), part.as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}
