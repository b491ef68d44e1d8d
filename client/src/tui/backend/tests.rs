//! The bytes that reach the terminal.

#![allow(clippy::unwrap_used)]

use super::{FrameLinks, Screen, supported};
use aside_tui::LinkSpan;
use ratatui::backend::Backend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

#[derive(Clone, Default)]
struct Wire(Rc<RefCell<Vec<u8>>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Rig {
    wire: Wire,
    links: FrameLinks,
    terminal: Terminal<Screen<Wire>>,
}

impl Rig {
    fn new(links: bool) -> Self {
        let wire = Wire::default();
        let screen = Screen::new(wire.clone(), links);
        let links = screen.links();
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 20, 2)) };
        Self { wire, links, terminal: Terminal::with_options(screen, options).unwrap() }
    }

    /// What drawing `lines` with `spans` writes: `^` begins a sequence, styles and the cursor's visibility are left out,
    /// and so are link ids.
    fn draw(&mut self, lines: [&str; 2], spans: Vec<LinkSpan>) -> String {
        self.wire.0.borrow_mut().clear();
        let links = self.links.clone();
        let draw = |frame: &mut ratatui::Frame<'_>| {
            for (y, line) in (0..).zip(lines) {
                frame.buffer_mut().set_string(0, y, line, ratatui::style::Style::new());
            }
            links.set(spans);
        };
        self.terminal.draw(draw).unwrap();
        self.written()
    }

    fn written(&self) -> String {
        let bytes = self.wire.0.borrow().clone();
        plain(&String::from_utf8(bytes).unwrap())
    }
}

fn plain(written: &str) -> String {
    let mut kept = String::new();
    for (number, piece) in written.split('\u{1b}').enumerate() {
        let style = piece
            .strip_prefix('[')
            .and_then(|rest| rest.split_once('m'))
            .filter(|(codes, _)| codes.chars().all(|c| c.is_ascii_digit() || c == ';'));
        let id = piece.strip_prefix("]8;id=").and_then(|rest| rest.split_once(';'));
        match (style, id) {
            (Some((_, rest)), _) => kept.push_str(rest),
            (_, Some((_, url))) => kept.push_str(&format!("^]8;{url}")),
            _ if piece.starts_with("[?25") => kept.push_str(piece.get(5..).unwrap_or_default()),
            _ => kept.push_str(&format!("{}{piece}", if number == 0 { "" } else { "^" })),
        }
    }
    kept
}

fn span(y: u16, x_from: u16, x_to: u16, url: &str) -> LinkSpan {
    LinkSpan { y, x_from, x_to, url: url.to_owned() }
}

#[test]
fn a_link_is_opened_before_its_cells_and_closed_behind_them() {
    let written = Rig::new(true).draw(["see:x.y:now", ""], vec![span(0, 4, 7, "https://x.y/")]);
    assert!(written.contains(r"^[1;1Hsee:^]8;https://x.y/^\^[1;5Hx.y^]8;;^\^[1;8H:now"), "{written:?}");
}

#[test]
fn parts_of_a_link_have_one_id() {
    let mut rig = Rig::new(true);
    let url = "https://x.y/z";
    rig.draw(["https://x.y|", "|/z"], vec![span(0, 0, 11, url), span(1, 1, 3, url)]);
    let written = String::from_utf8(rig.wire.0.borrow().clone()).unwrap();
    let ids: Vec<_> = written.split("\u{1b}]8;id=").skip(1).map(|rest| rest.split(';').next().unwrap()).collect();
    assert_eq!((ids.len(), ids[0]), (2, ids[1]));
}

#[test]
fn links_are_written_only_when_wanted() {
    let written = Rig::new(false).draw(["see:x.y:now", ""], vec![span(0, 4, 7, "https://x.y/")]);
    assert!(written.contains("^[1;1Hsee:x.y:now") && !written.contains("]8"), "{written:?}");
}

#[test]
fn a_cell_whose_link_alone_changes_is_drawn_again() {
    let mut rig = Rig::new(true);
    let lines = ["ab", "cd"];
    rig.draw(lines, vec![span(0, 0, 2, "https://x.y/1"), span(1, 0, 1, "https://x.y/")]);
    let written = rig.draw(lines, vec![span(0, 0, 2, "https://x.y/2"), span(1, 0, 1, "https://x.y/")]);
    assert!(written.contains(r"^]8;https://x.y/2^\^[1;1Hab^]8;;^\"), "{written:?}");
    assert!(!written.contains('c'), "what did not change is left alone: {written:?}");
    let gone = rig.draw(lines, vec![]);
    assert!(
        gone.contains("^[1;1Hab") && gone.contains("^[2;1Hc") && !gone.contains("]8") && !gone.contains('d'),
        "{gone:?}"
    );
    assert_eq!(rig.draw(lines, vec![]), "");
}

#[test]
fn text_that_takes_a_links_place_is_no_link() {
    let mut rig = Rig::new(true);
    rig.draw(["abcd", ""], vec![span(0, 0, 4, "https://x.y/")]);
    let written = rig.draw(["漢d", ""], vec![]);
    assert!(written.contains('漢') && !written.contains("]8"), "{written:?}");
    assert!(!written.contains('b'), "the covered cell is not drawn from memory: {written:?}");
}

#[test]
fn no_url_ends_its_own_sequence() {
    for url in [
        "https://x.y/\u{1b}\\\u{1b}[2J",
        "https://x.y/\u{7}\u{1b}]0;owned\u{7}",
        "https://x.y/\u{9c}",
        "https://x.y/\n",
        "https://x.y/ü",
        "https://x.y/ z",
        "file:///etc/passwd",
        "",
    ] {
        let written = Rig::new(true).draw(["link", ""], vec![span(0, 0, 4, url)]);
        assert!(written.contains("^[1;1Hlink") && !written.contains("]8") && !written.contains("x.y"), "{written:?}");
    }
}

#[test]
fn overlapping_and_endless_spans_do_no_harm() {
    let spans = vec![
        span(0, 0, 20, "https://x.y/1"),
        span(0, 2, 4, "https://x.y/2"),
        span(0, 3, 3, "https://x.y/3"),
        span(9, 0, u16::MAX, "https://x.y/4"),
        span(u16::MAX, 9, 3, "https://x.y/5"),
    ];
    let written = Rig::new(true).draw(["abcdef", ""], spans);
    let expected =
        r"^]8;https://x.y/1^\^[1;1Hab^]8;;^\^]8;https://x.y/2^\^[1;3Hcd^]8;;^\^]8;https://x.y/1^\^[1;5Hef^]8;;^\";
    assert!(written.contains(expected), "{written:?}");
}

#[test]
fn after_clearing_links_are_drawn_again() {
    let mut rig = Rig::new(true);
    let spans = || vec![span(0, 0, 2, "https://x.y/")];
    rig.draw(["ab", ""], spans());
    rig.terminal.backend_mut().clear().unwrap();
    rig.terminal.clear().unwrap();
    let written = rig.draw(["ab", ""], spans());
    assert!(written.contains(r"^]8;https://x.y/^\^[1;1Hab^]8;;^\"), "{written:?}");
}

#[test]
fn the_cursor_is_moved_behind_what_terminals_measure_differently() {
    for (cluster, columns) in [
        ("e\u{301}", 1),
        ("❤\u{fe0f}", 2),
        ("1\u{fe0f}\u{20e3}", 2),
        ("क्ष", 2),
        ("…", 1),
        ("✓", 1),
        ("漢", 2),
        ("👩‍👩‍👧", 2),
    ] {
        let written = Rig::new(false).draw([&format!("a{cluster}z"), ""], vec![]);
        assert!(
            written.contains(&format!("{cluster}^[1;{}H", columns + 2))
                || written.contains(&format!("{cluster}^[1;3H ^[1;4H")),
            "{written:?}"
        );
    }
    let written = Rig::new(false).draw(["plain_naïve_жук", ""], vec![]);
    assert!(written.contains("plain_naïve_жук"), "nothing is moved that needs not be: {written:?}");
}

#[test]
fn the_cursor_is_remembered_and_not_asked_for() {
    let mut screen = Screen::new(Vec::new(), true);
    screen.set_cursor_position((3, 4)).unwrap();
    assert_eq!(screen.get_cursor_position().unwrap(), (3, 4).into());
}

#[test]
fn old_terminals_are_given_no_links() {
    let is = |vars: &[(&str, &str)]| {
        supported(|name| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    };
    assert!(is(&[("TERM", "xterm-256color")]) && is(&[("TERM", "vte-256color"), ("VTE_VERSION", "7600")]));
    assert!(is(&[("WT_SESSION", "x")]));
    for vars in [&[][..], &[("TERM", "linux")], &[("TERM", "dumb")], &[("TERM", "xterm"), ("VTE_VERSION", "4402")]] {
        assert!(!is(vars), "{vars:?}");
    }
}
