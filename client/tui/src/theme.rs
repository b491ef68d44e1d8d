//! Styles, made of the terminal's own sixteen colours, so that light and dark both stay readable. Nothing is said by
//! colour alone.

use ratatui::style::{Color, Modifier, Style};

/// Colours for names: those that are readable on white and on black.
const NAMES: [Color; 5] = [Color::Green, Color::Magenta, Color::Cyan, Color::Red, Color::Blue];

/// Which styles are in use.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    colours: bool,
}

impl Theme {
    /// With or without colours.
    pub fn new(colours: bool) -> Self {
        Self { colours }
    }

    fn coloured(self, style: Style, colour: Color) -> Style {
        if self.colours { style.fg(colour) } else { style }
    }

    /// A name, in a colour that stays the same for the account.
    pub fn name(self, account: &[u8]) -> Style {
        let sum = account.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        self.coloured(Style::new().add_modifier(Modifier::BOLD), NAMES[sum % NAMES.len()])
    }

    /// The own name.
    pub fn own_name(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is beside the point: times, hints. Dark grey would be the background of some palettes.
    pub fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Titles.
    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What was read by the other one.
    pub fn read(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Cyan)
    }

    /// What needs attention.
    pub fn alert(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Red)
    }

    /// Unread.
    pub fn unread(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Green)
    }

    /// The chosen line.
    pub fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A link.
    pub fn link(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }
}
