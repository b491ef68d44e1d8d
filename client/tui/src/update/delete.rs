//! Parts of what is written are deleted, and kept for putting back.

use super::type_text::edit;
use crate::cmd::Cmd;
use crate::keymap::Piece;
use crate::model::Model;

/// Deletes a part.
pub(super) fn delete(model: &mut Model, piece: Piece) -> Vec<Cmd> {
    edit(model, |area| {
        match piece {
            Piece::CharBefore => area.delete_char(),
            Piece::CharAfter => area.delete_next_char(),
            Piece::WordBefore => area.delete_word(),
            Piece::WordAfter => area.delete_next_word(),
            Piece::ToStart => area.delete_line_by_head(),
            Piece::ToEnd => area.delete_line_by_end(),
        };
    })
}
