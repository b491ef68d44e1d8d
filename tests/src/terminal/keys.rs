//! Keys, as the bytes that xterm sends for them.

/// A key that is no plain character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Alt and a character.
    Alt(char),
    /// Ctrl and a letter.
    Ctrl(char),
    /// Alt and Enter.
    AltEnter,
    /// Alt and Up.
    AltUp,
    /// Alt and Down.
    AltDown,
    /// A function key, 1 to 12.
    F(u8),
}

impl Key {
    /// What xterm sends.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::Alt(c) => format!("\x1b{c}").into_bytes(),
            // A control character is its letter without the three highest bits.
            Self::Ctrl(c) => vec![u8::try_from(c).expect("an ASCII letter") & 0x1f],
            Self::F(number) => function(number).to_vec(),
            plain => plain.fixed().to_vec(),
        }
    }

    fn fixed(self) -> &'static [u8] {
        match self {
            Self::Enter => b"\r",
            Self::Esc => b"\x1b",
            Self::Tab => b"\t",
            Self::BackTab => b"\x1b[Z",
            Self::Backspace => b"\x7f",
            Self::Delete => b"\x1b[3~",
            Self::Up => b"\x1b[A",
            Self::Down => b"\x1b[B",
            Self::Right => b"\x1b[C",
            Self::Left => b"\x1b[D",
            Self::Home => b"\x1b[H",
            Self::End => b"\x1b[F",
            Self::PageUp => b"\x1b[5~",
            Self::PageDown => b"\x1b[6~",
            Self::AltEnter => b"\x1b\r",
            Self::AltUp => b"\x1b[1;3A",
            Self::AltDown => b"\x1b[1;3B",
            Self::Alt(_) | Self::Ctrl(_) | Self::F(_) => b"",
        }
    }
}

fn function(number: u8) -> &'static [u8] {
    const KEYS: [&[u8]; 12] = [
        b"\x1bOP",
        b"\x1bOQ",
        b"\x1bOR",
        b"\x1bOS",
        b"\x1b[15~",
        b"\x1b[17~",
        b"\x1b[18~",
        b"\x1b[19~",
        b"\x1b[20~",
        b"\x1b[21~",
        b"\x1b[23~",
        b"\x1b[24~",
    ];
    KEYS[usize::from(number) - 1]
}
