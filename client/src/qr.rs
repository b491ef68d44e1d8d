//! Codes for a camera, drawn with half blocks: two rows of the code in one row of text.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Why a text has no QR code; a bug, for texts of bounded length.
#[derive(Debug, thiserror::Error)]
#[error("a text of {0} bytes does not fit into a QR code")]
pub(crate) struct TooLong(usize);

/// A text as a QR code, light on dark as a terminal is, with a quiet zone around it.
pub(crate) fn draw(text: &str) -> Result<String, TooLong> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L).map_err(|_| TooLong(text.len()))?;
    // Swapped: what is printed is the bright part on a dark terminal.
    let mut drawn = code.render::<Dense1x2>();
    drawn.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    Ok(drawn.quiet_zone(true).module_dimensions(1, 1).build())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_code_is_square_and_has_a_bright_rim() {
        let drawn = draw("aside://link/example").unwrap();
        let rows: Vec<Vec<char>> = drawn.lines().map(|row| row.chars().collect()).collect();
        let width = rows[0].len();
        assert!(rows.iter().all(|row| row.len() == width));
        assert_eq!(rows.len(), width.div_ceil(2));
        assert!(rows[0].iter().all(|&c| c == '█') && rows[1].iter().all(|&c| c == '█'), "{drawn}");
        assert!(drawn.contains('▀') && drawn.contains(' '), "{drawn}");
    }

    #[test]
    fn what_is_too_long_is_said() {
        assert!(draw(&"x".repeat(5_000)).is_err());
    }
}
