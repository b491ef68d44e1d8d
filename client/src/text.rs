//! Makes text from peers harmless on a terminal. Pure.

/// Text with everything that could steer a terminal or reorder a line made visible.
///
/// Control characters (C0, DEL, C1) become their Unicode pictures or `�`; direction overrides and isolates become their
/// names. Line breaks and tabs stay.
pub fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => safe.push(character),
            '\u{0}'..='\u{1f}' => safe.push(char::from_u32(0x2400 + u32::from(character)).unwrap_or('�')),
            '\u{7f}' => safe.push('␡'),
            '\u{80}'..='\u{9f}' => safe.push('�'),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' => {
                safe.push_str(&format!("<U+{:04X}>", u32::from(character)));
            }
            '\u{2028}' | '\u{2029}' => safe.push('\n'),
            _ => safe.push(character),
        }
    }
    safe
}

/// The same on one line.
pub fn one_line(text: &str) -> String {
    harmless(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_survives() {
        let hostile = "a\u{1b}]0;title\u{7}b\u{9b}2J\u{202e}c\rd\u{7f}";
        let safe = harmless(hostile);
        assert_eq!(safe, "a␛]0;title␇b�2J<U+202E>c␍d␡");
        assert!(safe.chars().all(|c| !c.is_control()));
    }

    #[test]
    fn people_keep_their_text() {
        let text = "naïve 👩‍👩‍👧 שלום\n\ttwo";
        assert_eq!(harmless(text), text);
        assert_eq!(one_line("a\nb"), "a b");
    }
}
