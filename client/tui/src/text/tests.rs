//! What must hold for any text, and how a corpus of scripts and attacks looks when drawn.

mod any;
mod corpus;
mod harm;
mod rows;
mod web;
