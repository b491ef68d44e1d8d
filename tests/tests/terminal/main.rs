//! The real program in a terminal: two people write to each other through a real relay, and what each of them sees.
//!
//! Waits are for words on the screen, never for a time. Screens are kept as snapshots with times, dates, ids and numbers
//! masked; after a wanted change look at each new one before it is accepted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

/// Compares the screen with its snapshot, once it has become that or had time to.
macro_rules! assert_screen {
    ($name:expr, $terminal:expr) => {{
        let module = module_path!().rsplit("::").next().unwrap_or_default();
        crate::common::settle(&$terminal, &format!("terminal__{module}__{}", $name));
        insta::assert_snapshot!($name, $terminal.masked());
    }};
}

mod closed;
mod common;
mod drafts;
mod first_run;
mod focus;
mod hostile;
mod leaving;
mod linking;
mod looks;
mod moving;
mod offline;
mod paste;
mod resize;
mod talking;
