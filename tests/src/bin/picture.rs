//! `picture FOLDER`: makes the README's pictures from the real program, with a real relay and real people in between.
//!
//! What would differ from run to run is made the same: times, dates, and the colours of names, which come from keys.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use aside_tests::terminal::{svg, with_date};
use aside_tests::{Client, Key, Relay, RelayOptions, Terminal};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::ExitCode;

/// What the clocks show, from top to bottom and left to right.
const TIMES: [&str; 9] = ["18:44", "18:42", "17:56", "18:05", "18:37", "18:38", "18:40", "18:41", "18:42"];
/// So many of them are those of the chat list.
const LISTED: usize = 3;
const DATE: &str = "Friday, 6 November 2026";
/// Names, and the number of the colour each is shown in.
const NAMES: [(&str, u8); 3] = [("jonas", 2), ("lea", 5), ("tomas", 6)];

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: picture FOLDER");
        return ExitCode::from(2);
    };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).expect("the folder can be made");
    draw_all(folder);
    ExitCode::SUCCESS
}

fn draw_all(folder: &Path) {
    let relay = Relay::start(RelayOptions::default());
    let [mara, jonas, lea, tomas] =
        ["mara", "jonas", "lea", "tomas"].map(|name| Client::registered(name, relay.first_invite()));
    say(&tomas, &mara, "The slides are in the usual place.");
    say(&mara, &tomas, "Found them, thank you!");
    say(&jonas, &mara, "Did you get the tickets?");
    let window = Terminal::start(&mara, &[], 96, 24);
    window.wait_for("online");
    let other = Terminal::start(&jonas, &[], 80, 24);
    other.wait_for("online");
    converse(&window, &other);
    say(&lea, &mara, "Are we still on for Saturday?");
    say(&lea, &mara, "I could bring the canoe.");
    window.wait_for("(2)");
    picture(folder, "chat", &window, 0);
    window.key(Key::Ctrl('p'));
    window.wait_for("Find or begin a chat");
    picture(folder, "switcher", &window, 0);
    window.key(Key::Esc);
    window.wait_gone("Find or begin a chat");
    window.resize(44, 20);
    window.wait_until("the narrow screen", |screen| screen.contains("compartment") && !screen.contains("lea"));
    picture(folder, "narrow", &window, LISTED);
    for terminal in [window, other] {
        leave(terminal);
    }
    relay.finish();
}

/// Mara's window is the one in the picture.
fn converse(mara: &Terminal, jonas: &Terminal) {
    open(mara, "jonas");
    open(jonas, "mara");
    both(mara, jonas, "Yes: two seats on the night train, window side.");
    both(jonas, mara, "Perfect. Which platform? 🚆");
    both(mara, jonas, "Not known yet. They show it here: https://example.org/departures");
    both(jonas, mara, "I will bring 海苔 and tea.");
    both(mara, jonas, "Then I take care of the quiet compartment.");
    mara.wait_until("that all is read", |screen| screen.matches("✓✓•").count() >= 3);
    mara.press("See you at the ");
    mara.wait_for("See you at the");
}

/// Types a line in one window and waits until the other shows it.
fn both(from: &Terminal, to: &Terminal, line: &str) {
    from.enter(line);
    to.wait_for(line.split(' ').next_back().unwrap_or(line));
}

fn open(terminal: &Terminal, name: &str) {
    terminal.key(Key::Ctrl('p'));
    terminal.wait_for("Find or begin a chat");
    terminal.press(name);
    terminal.wait_for(&format!("> {name}"));
    terminal.key(Key::Enter);
    terminal.wait_gone("Find or begin a chat");
    terminal.wait_for("tickets");
}

fn say(from: &Client, to: &Client, text: &str) {
    from.send(to.name(), text, &["--timeout", "60s"]).ok();
}

fn leave(mut terminal: Terminal) {
    terminal.key(Key::Ctrl('c'));
    terminal.key(Key::Ctrl('c'));
    terminal.wait_exit();
}

fn picture(folder: &Path, name: &str, terminal: &Terminal, times: usize) {
    let (formatted, (rows, columns)) = terminal.with_screen(|screen| (screen.contents_formatted(), screen.size()));
    let path = folder.join(format!("{name}.svg"));
    std::fs::write(&path, draw(&formatted, rows, columns, &TIMES[times..])).expect("the folder can be written to");
    println!("{}", path.display());
}

fn draw(formatted: &str, rows: NonZeroU16, columns: NonZeroU16, times: &[&str]) -> String {
    let mut parser = vt100::Parser::new(rows, columns, 0);
    parser.process(with_fixed_times(&with_date(formatted, DATE), times).as_bytes());
    with_fixed_colours(&svg(parser.screen(), "aside"))
}

/// Each `dd:dd` becomes the next of `times`.
fn with_fixed_times(text: &str, times: &[&str]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let mut times = times.iter().chain(std::iter::repeat(&times[times.len() - 1]));
    for at in 0..characters.len().saturating_sub(4) {
        let is_time =
            (0..5).all(|i| if i == 2 { characters[at + i] == ':' } else { characters[at + i].is_ascii_digit() });
        if is_time {
            characters.splice(at..at + 5, times.next().expect("without end").chars());
        }
    }
    characters.into_iter().collect()
}

fn with_fixed_colours(picture: &str) -> String {
    let fixed = |line: &str| -> String {
        for (name, colour) in NAMES {
            if line.ends_with(&format!(">{name}</text>")) || line.ends_with(&format!("> {name}</text>")) {
                return (0..16).fold(line.to_owned(), |line, n| {
                    line.replace(&format!("\"var(--c{n})\""), &format!("\"var(--colour{colour})\""))
                });
            }
        }
        line.to_owned()
    };
    let lines: Vec<String> = picture.lines().map(fixed).collect();
    lines.join("\n").replace("--colour", "--c") + "\n"
}
