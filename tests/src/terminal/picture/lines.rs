//! Box-drawing characters as strokes: letters of a font would leave gaps between rows.

use super::{HEIGHT, WIDTH};
use std::fmt::Write;

/// Which of its arms a character has: up, right, down, left.
pub(super) type Arms = [bool; 4];

/// The arms of a light box-drawing character; none for any other.
pub(super) fn of(character: char) -> Option<Arms> {
    let arms = match character {
        '─' => "rl",
        '│' => "ud",
        '┌' | '╭' => "rd",
        '┐' | '╮' => "dl",
        '└' | '╰' => "ur",
        '┘' | '╯' => "ul",
        '├' => "urd",
        '┤' => "udl",
        '┬' => "rdl",
        '┴' => "url",
        '┼' => "urdl",
        _ => return None,
    };
    Some(['u', 'r', 'd', 'l'].map(|arm| arms.contains(arm)))
}

/// Draws it into the cell at `left` and `top`.
pub(super) fn draw(picture: &mut String, arms: Arms, left: f64, top: f64, colour: &str, dim: bool) {
    let (x, y) = (left + WIDTH / 2.0, top + HEIGHT / 2.0);
    let ends = [(x, top), (left + WIDTH, y), (x, top + HEIGHT), (left, y)];
    let path: String = ends
        .iter()
        .zip(arms)
        .filter(|(_, has)| *has)
        .map(|((x1, y1), _)| format!("M{x:.1} {y:.1}L{x1:.1} {y1:.1}"))
        .collect();
    let opacity = if dim { " opacity=\"0.65\"" } else { "" };
    let _ = writeln!(picture, "<path d=\"{path}\" stroke=\"{colour}\"{opacity}/>");
}
