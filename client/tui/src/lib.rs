//! What the terminal shows and how it changes.
