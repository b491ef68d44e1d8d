//! Text from peers: made harmless, measured, cut, wrapped, and searched for links. Pure, and linear in the text.
//!
//! The order matters: [`drawable`] (or [`one_line`]) first, the rest on what it gives. Everything here measures clusters
//! one by one, as ratatui draws them; `Span::width` measures a whole string and sometimes says less.

mod chars;
mod harmless;
mod links;
mod uncertain;
mod width;
mod wrap;

pub use harmless::{drawable, harmless, one_line};
pub use links::{LinkSpan, MAX_LINK, links, safe_link};
pub use uncertain::uncertain;
pub use width::{cells, clip, width};
pub use wrap::{rows, wrap};

#[cfg(test)]
mod tests;
