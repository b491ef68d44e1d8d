//! Small screens as pictures: what is drawn, and that no text can break out of it.

use super::svg;
use std::num::NonZeroU16;

fn picture(bytes: &str) -> String {
    let (rows, columns) = (NonZeroU16::new(2).unwrap(), NonZeroU16::new(10).unwrap());
    let mut parser = vt100::Parser::new(rows, columns, 0);
    parser.process(bytes.as_bytes());
    svg(parser.screen(), "a <title>")
}

#[test]
fn text_keeps_its_column_colour_and_weight() {
    let made = picture("ab\x1b[1;31mcd");
    assert!(made.contains(">ab</text>"), "{made}");
    assert!(
        made.contains("<text x=\"16.8\"") && made.contains("fill=\"var(--c1)\" font-weight=\"bold\">cd<"),
        "{made}"
    );
}

#[test]
fn reversed_cells_have_a_background() {
    let made = picture("\x1b[7mx");
    assert!(made.contains("width=\"8.4\" height=\"18.0\" fill=\"var(--fg)\"/>"), "{made}");
    assert!(made.contains("fill=\"var(--bg)\">x</text>"), "{made}");
}

#[test]
fn lines_are_strokes_and_markup_is_text() {
    let made = picture("│<b>&");
    assert!(made.contains("<path d=\"M4.2 9.0L4.2 0.0M4.2 9.0L4.2 18.0\""), "{made}");
    assert!(made.contains("&lt;b&gt;&amp;") && made.contains("aria-label=\"a &lt;title&gt;\""), "{made}");
}

#[test]
fn wide_characters_take_two_columns() {
    let made = picture("漢x");
    assert!(made.contains("textLength=\"16.8\" lengthAdjust=\"spacingAndGlyphs\" fill=\"var(--fg)\">漢<"), "{made}");
    assert!(made.contains("<text x=\"16.8\""), "{made}");
}
