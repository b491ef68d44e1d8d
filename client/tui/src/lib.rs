//! What the terminal shows and how it changes: model, update, view. No sockets, no store, no clock, no terminal.
//!
//! [`update`] takes a [`Msg`] and changes the [`Model`]; what must happen outside comes back as [`Cmd`]s, whose results
//! are messages again. [`view`] draws the model into a buffer and changes nothing. So everything a user can do is a pure
//! function, and whoever owns the terminal never waits: `aside`'s `tui` module runs this room.

pub mod closed;
pub mod cmd;
pub mod data;
pub mod keymap;
mod layout;
pub mod model;
pub mod msg;
mod plain;
#[cfg(test)]
mod sample;
pub mod setup;
pub mod text;
mod theme;
mod times;
mod update;
mod view;

pub use cmd::Cmd;
pub use model::Model;
pub use msg::Msg;
pub use text::LinkSpan;
pub use update::{leave, update};
pub use view::view;
