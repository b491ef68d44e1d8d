//! The terminal's own half: what the bytes draw, what a terminal answers to questions, and what it was asked to do
//! besides drawing.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

/// Reports whether the window has the focus.
const FOCUS: u16 = 1004;
/// A synchronised update: until it ends, a terminal shows what it showed before.
const UPDATE: u16 = 2026;

/// A screen, and everything that was written to it.
pub(super) struct Emulator {
    parser: vt100::Parser<Besides>,
    raw: Vec<u8>,
    /// The beginning of a character whose rest was not read yet.
    held: Vec<u8>,
    ended: bool,
}

impl Emulator {
    /// An empty screen.
    pub fn new(columns: u16, rows: u16) -> Self {
        let parser =
            vt100::Parser::new_with_callbacks(at_least_one(rows), at_least_one(columns), 0, Besides::default());
        Self { parser, raw: Vec::new(), held: Vec::new(), ended: false }
    }

    /// Draws, and returns what a terminal would answer.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.raw.extend_from_slice(bytes);
        let drawn = self.drawn(bytes);
        self.parser.process(&drawn);
        std::mem::take(&mut self.parser.callbacks_mut().answer)
    }

    /// The emulator draws nothing for U+FFFD, which every terminal gives a cell; it gets `¿` instead.
    fn drawn(&mut self, bytes: &[u8]) -> Vec<u8> {
        const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let begun = (1..REPLACEMENT.len()).rev().find(|length| all.ends_with(&REPLACEMENT[..*length])).unwrap_or(0);
        self.held = all.split_off(all.len() - begun);
        let mut drawn = Vec::with_capacity(all.len());
        let mut rest = all.as_slice();
        while let Some(at) = rest.windows(REPLACEMENT.len()).position(|window| window == REPLACEMENT) {
            drawn.extend_from_slice(&rest[..at]);
            drawn.extend_from_slice("¿".as_bytes());
            rest = &rest[at + REPLACEMENT.len()..];
        }
        drawn.extend_from_slice(rest);
        drawn
    }

    /// Nothing more will be written.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether nothing more will be written.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.set_size(at_least_one(rows), at_least_one(columns));
    }

    /// The screen.
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// All bytes so far.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Whether an update has begun and not ended.
    pub fn in_update(&self) -> bool {
        self.parser.callbacks().modes.contains(&UPDATE)
    }

    /// Whether the program hears of the window's focus.
    pub fn tells_focus(&self) -> bool {
        self.parser.callbacks().modes.contains(&FOCUS)
    }

    /// What a chat has no business asking of a terminal: bells, titles, the clipboard, another size.
    pub fn alarms(&self) -> &[String] {
        &self.parser.callbacks().alarms
    }

    /// The rows, without the blanks at their ends; empty ones at the bottom stay.
    pub fn text(&self) -> String {
        let (_, columns) = self.screen().size();
        let rows = self.screen().rows(0, columns.get());
        rows.map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

fn at_least_one(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

/// What goes past the screen.
#[derive(Default)]
struct Besides {
    answer: Vec<u8>,
    modes: BTreeSet<u16>,
    alarms: Vec<String>,
}

impl Besides {
    fn alarm(&mut self, what: &str, text: &[u8]) {
        self.alarms.push(format!("{what}: {}", String::from_utf8_lossy(text)));
    }
}

impl vt100::Callbacks for Besides {
    /// Questions about the cursor and the kind of terminal: without an answer a program waits for seconds. And modes
    /// that the screen does not keep.
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        first: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        let modes = params.iter().copied().flatten().copied();
        match (first, c, params) {
            (None, 'n', [[6]]) => {
                let (row, column) = screen.cursor_position();
                self.answer.extend(format!("\x1b[{};{}R", row + 1, column + 1).into_bytes());
            }
            (None, 'n', [[5]]) => self.answer.extend(b"\x1b[0n"),
            (None, 'c', _) => self.answer.extend(b"\x1b[?64;22c"),
            (Some(b'?'), 'h', _) => self.modes.extend(modes),
            (Some(b'?'), 'l', _) => self.modes.retain(|mode| !modes.clone().any(|off| off == *mode)),
            _ => {}
        }
    }

    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.alarm("bell", b"");
    }

    fn visual_bell(&mut self, _: &mut vt100::Screen) {
        self.alarm("visual bell", b"");
    }

    fn resize(&mut self, _: &mut vt100::Screen, request: (u16, u16)) {
        self.alarm("another size", format!("{request:?}").as_bytes());
    }

    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.alarm("icon name", name);
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.alarm("title", title);
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.alarm("clipboard", data);
    }

    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, kind: &[u8]) {
        self.alarm("clipboard wanted", kind);
    }
}
