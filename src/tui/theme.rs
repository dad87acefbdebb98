//! Roles instead of colours, signs instead of colours alone.

use ratatui::style::{Color, Modifier, Style};

use crate::api::Status;
use crate::config::{Charset, Colour, Colours, Palette};

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// What is read.
    Text,
    /// Titles and headings.
    Title,
    /// All is well.
    Good,
    /// On its way.
    Moving,
    /// Waits after a failure.
    Waiting,
    /// Needs a person.
    Bad,
    /// Lines between things.
    Frame,
    /// The selected row.
    Selected,
    /// Asked for and not confirmed yet.
    Requested,
    /// Known to be old.
    Stale,
    /// A question.
    Question,
}

impl Role {
    #[cfg(test)]
    /// All of them, each with the letter that stands for it in the golden pictures.
    pub(super) const ALL: [(Self, char); 11] = [
        (Self::Text, '.'),
        (Self::Title, 'T'),
        (Self::Good, 'g'),
        (Self::Moving, 'm'),
        (Self::Waiting, 'w'),
        (Self::Bad, 'B'),
        (Self::Frame, 'f'),
        (Self::Selected, 'S'),
        (Self::Requested, 'r'),
        (Self::Stale, 's'),
        (Self::Question, 'Q'),
    ];
}

/// How roles look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// The terminal's own colours: dark and light both work.
    Terminal,
    /// No colours.
    Mono,
    /// Lighter colours, for a dark background.
    Dark,
    /// Darker colours, for a light background.
    Light,
    /// Bold and bright.
    HighContrast,
    /// Colours that somebody chose, bold or not.
    Own {
        /// Good, moving, waiting, bad.
        palette: [Color; 4],
        /// As in the theme that they stand in for.
        bold: bool,
    },
    /// Every role has a colour of its own, so that a picture can be read back.
    #[cfg(test)]
    Roles,
}

impl Theme {
    /// `NO_COLOR` and devices that know only eight colours get none.
    fn of_environment() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let simple = std::env::var("TERM").is_ok_and(|t| t.starts_with("vt"));
        if no_colour || simple {
            Self::Mono
        } else {
            Self::Terminal
        }
    }

    /// What was chosen; without colours in the environment there are none, whatever was chosen.
    pub(super) fn chosen(colours: Option<Colours>, own: &Palette) -> Self {
        Self::named(colours).with(own)
    }

    /// With other colours where there are some, and where there are colours at all.
    fn with(self, own: &Palette) -> Self {
        let chosen = [own.good, own.moving, own.waiting, own.bad];
        if !self.has_colours() || chosen.iter().all(Option::is_none) {
            return self;
        }
        let mut palette = self.palette();
        for (place, chosen) in palette.iter_mut().zip(chosen) {
            match chosen {
                Some(Colour::Indexed(n)) => *place = Color::Indexed(n),
                Some(Colour::Rgb(r, g, b)) => *place = Color::Rgb(r, g, b),
                None => {}
            }
        }
        Self::Own {
            palette,
            bold: self == Self::HighContrast,
        }
    }

    fn named(colours: Option<Colours>) -> Self {
        match (Self::of_environment(), colours) {
            (Self::Mono, _) | (_, Some(Colours::Mono)) => Self::Mono,
            (_, Some(Colours::Dark)) => Self::Dark,
            (_, Some(Colours::Light)) => Self::Light,
            (_, Some(Colours::HighContrast)) => Self::HighContrast,
            (theme, Some(Colours::Terminal) | None) => theme,
        }
    }

    /// Whether colours of a log are shown.
    pub(super) fn has_colours(self) -> bool {
        match self {
            Self::Terminal | Self::Dark | Self::Light | Self::HighContrast | Self::Own { .. } => {
                true
            }
            Self::Mono => false,
            #[cfg(test)]
            Self::Roles => false,
        }
    }

    /// Good, moving, waiting, bad: the base colours are the terminal's own; the others are fixed ones of the 256.
    fn palette(self) -> [Color; 4] {
        match self {
            Self::Dark => [114, 80, 177, 210].map(Color::Indexed),
            Self::Light => [22, 24, 90, 124].map(Color::Indexed),
            Self::HighContrast => [
                Color::LightGreen,
                Color::LightCyan,
                Color::LightMagenta,
                Color::LightRed,
            ],
            Self::Own { palette, .. } => palette,
            Self::Terminal | Self::Mono => [Color::Green, Color::Cyan, Color::Magenta, Color::Red],
            #[cfg(test)]
            Self::Roles => [Color::Reset; 4],
        }
    }

    /// The colour that stands for a role in the pictures.
    #[cfg(test)]
    pub(super) fn mark(role: Role) -> Color {
        let place = Role::ALL.iter().position(|(it, _)| *it == role);
        Color::Rgb(1, u8::try_from(place.unwrap()).unwrap(), 0)
    }

    pub(super) fn style(self, role: Role) -> Style {
        #[cfg(test)]
        if self == Self::Roles {
            return Style::default().fg(Self::mark(role));
        }
        let plain = Style::default();
        let coloured = |colour: Color, style: Style| match self {
            Self::Terminal | Self::Dark | Self::Light => style.fg(colour),
            Self::HighContrast | Self::Own { bold: true, .. } => {
                style.fg(colour).add_modifier(Modifier::BOLD)
            }
            Self::Own { bold: false, .. } => style.fg(colour),
            Self::Mono => style,
            #[cfg(test)]
            Self::Roles => style,
        };
        let [good, moving, waiting, bad] = self.palette();
        match role {
            Role::Text | Role::Frame => plain,
            Role::Title => plain.add_modifier(Modifier::BOLD),
            Role::Good => coloured(good, plain),
            Role::Moving => coloured(moving, plain),
            Role::Waiting => coloured(waiting, plain),
            Role::Bad => coloured(bad, plain.add_modifier(Modifier::BOLD)),
            // One style for the whole row: its sign and word tell what a colour would, and a step costs fewer bytes.
            Role::Selected => plain
                .fg(Color::Reset)
                .remove_modifier(Modifier::BOLD)
                .add_modifier(Modifier::REVERSED),
            Role::Stale => plain.add_modifier(Modifier::REVERSED),
            Role::Requested => plain.add_modifier(Modifier::UNDERLINED),
            Role::Question => plain.add_modifier(Modifier::BOLD | Modifier::REVERSED),
        }
    }
}

/// The role of a status.
pub(super) fn role_of(status: Status) -> Role {
    match status {
        Status::Running => Role::Good,
        Status::Starting | Status::Stopping | Status::Restarting => Role::Moving,
        Status::Backoff | Status::Orphaned => Role::Waiting,
        Status::Errored => Role::Bad,
        Status::Stopped | Status::Exited => Role::Text,
    }
}

/// The signs of one character set; every one is a single cell wide and no emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyphs {
    pub(super) running: char,
    pub(super) starting: char,
    pub(super) stopping: char,
    pub(super) backoff: char,
    pub(super) errored: char,
    pub(super) stopped: char,
    pub(super) exited: char,
    pub(super) cursor: char,
    pub(super) mark: char,
    pub(super) open: char,
    pub(super) rising: char,
    pub(super) folded: char,
    pub(super) branch: char,
    pub(super) last: char,
    pub(super) line: char,
    pub(super) gutter: char,
    pub(super) axis: char,
    pub(super) dot: char,
    pub(super) requested: char,
    pub(super) missing: char,
    pub(super) none: char,
    /// Something was left out, or is still to come.
    pub(super) more: char,
    /// Before the rows of a line that goes on.
    pub(super) hanging: char,
    pub(super) arrow: char,
    pub(super) times: char,
    pub(super) full: char,
    /// One to eight eighths of a cell, from the left.
    pub(super) eighths: [char; 8],
    /// Around a gauge.
    pub(super) ends: [char; 2],
    /// Around the label of the machine.
    pub(super) quotes: [char; 2],
    /// What comes in from the network, and what goes out.
    pub(super) net: [char; 2],
    pub(super) live: char,
    pub(super) corners: [char; 4],
    pub(super) sides: [char; 2],
    pub(super) spark: [char; 8],
}

impl Glyphs {
    pub(super) const UNICODE: Self = Self {
        running: '●',
        starting: '◐',
        stopping: '◑',
        backoff: '↻',
        errored: '✗',
        stopped: '○',
        exited: '✓',
        cursor: '▌',
        mark: '*',
        open: '▾',
        rising: '▴',
        folded: '▸',
        branch: '├',
        last: '└',
        line: '─',
        gutter: '│',
        axis: '┤',
        dot: '·',
        requested: '»',
        missing: '·',
        none: '–',
        more: '…',
        hanging: '╎',
        arrow: '→',
        times: '×',
        full: '█',
        eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
        ends: ['▕', '▏'],
        quotes: ['«', '»'],
        net: ['↓', '↑'],
        live: '●',
        corners: ['┌', '┐', '└', '┘'],
        sides: ['─', '│'],
        spark: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    };
    /// Columns of dots, four high: for fonts in which blocks leave gaps.
    pub(super) const BRAILLE: Self = Self {
        spark: ['⣀', '⣀', '⣤', '⣤', '⣶', '⣶', '⣿', '⣿'],
        ..Self::UNICODE
    };
    pub(super) const ASCII: Self = Self {
        running: '+',
        starting: '~',
        stopping: '~',
        backoff: '@',
        errored: 'X',
        stopped: '-',
        exited: 'k',
        cursor: '#',
        mark: '*',
        open: 'v',
        rising: '^',
        folded: '>',
        branch: '|',
        last: '`',
        line: '-',
        gutter: '|',
        axis: '|',
        dot: '.',
        requested: '>',
        missing: '.',
        none: '-',
        more: '.',
        hanging: ':',
        arrow: '>',
        times: 'x',
        full: '#',
        eighths: [' ', ' ', ' ', '#', '#', '#', '#', '#'],
        ends: ['[', ']'],
        quotes: ['[', ']'],
        net: ['v', '^'],
        live: '+',
        corners: ['+', '+', '+', '+'],
        sides: ['-', '|'],
        spark: ['_', '.', '-', '=', '+', '*', '%', '#'],
    };

    /// What was chosen; otherwise as the environment says.
    pub(super) fn chosen(charset: Charset) -> Self {
        match charset {
            Charset::Auto => Self::of_environment(),
            Charset::Unicode => Self::UNICODE,
            Charset::Ascii => Self::ASCII,
            Charset::Braille => Self::BRAILLE,
        }
    }

    /// Unicode needs a locale that says so and a terminal that has more than one font page.
    fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .unwrap_or_default()
            .to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let console = std::env::var("TERM").is_ok_and(|t| t == "linux");
        if utf8 && !console {
            Self::UNICODE
        } else {
            Self::ASCII
        }
    }

    pub(super) fn is_ascii(&self) -> bool {
        self.running.is_ascii()
    }

    pub(super) fn sign(&self, status: Status) -> char {
        match status {
            Status::Running | Status::Orphaned => self.running,
            Status::Starting | Status::Restarting => self.starting,
            Status::Stopping => self.stopping,
            Status::Backoff => self.backoff,
            Status::Errored => self.errored,
            Status::Stopped => self.stopped,
            Status::Exited => self.exited,
        }
    }

    /// Text with only the characters of this set.
    pub(super) fn text(&self, text: &str) -> String {
        if self.is_ascii() {
            text.chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect()
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthChar as _;

    #[test]
    fn check_13_every_sign_is_one_cell_and_its_ascii_twin_is_ascii() {
        let sets = [Glyphs::UNICODE, Glyphs::BRAILLE, Glyphs::ASCII];
        for glyphs in sets {
            let ascii = glyphs.is_ascii();
            let mut all: Vec<char> = Status::ALL.iter().map(|s| glyphs.sign(*s)).collect();
            all.extend(glyphs.spark);
            all.extend(glyphs.corners);
            all.extend([
                glyphs.cursor,
                glyphs.open,
                glyphs.folded,
                glyphs.gutter,
                glyphs.line,
            ]);
            for sign in all {
                assert_eq!(sign.width(), Some(1), "{sign}");
                assert_eq!(sign.is_ascii(), ascii, "{sign}");
            }
        }
    }

    #[test]
    fn check_13_sign_and_word_tell_every_status_apart() {
        for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
            let pairs: std::collections::HashSet<_> = Status::ALL
                .iter()
                .map(|s| (glyphs.sign(*s), s.word()))
                .collect();
            assert_eq!(pairs.len(), Status::ALL.len());
        }
    }

    #[test]
    fn chosen_colours_stand_in_for_those_of_the_theme_and_none_is_shown_where_there_are_none() {
        let own = Palette {
            bad: Some(Colour::Rgb(1, 2, 3)),
            ..Palette::default()
        };
        let bad = |theme: Theme| theme.style(Role::Bad).fg;
        assert_eq!(bad(Theme::Dark.with(&own)), Some(Color::Rgb(1, 2, 3)));
        let good = |theme: Theme| theme.style(Role::Good);
        assert_eq!(good(Theme::Dark.with(&own)), good(Theme::Dark));
        assert_eq!(
            good(Theme::HighContrast.with(&own)),
            good(Theme::HighContrast)
        );
        assert_eq!(Theme::Mono.with(&own), Theme::Mono);
        assert_eq!(Theme::Light.with(&Palette::default()), Theme::Light);
    }

    #[test]
    fn roles_have_letters_of_their_own() {
        let letters: std::collections::HashSet<_> = Role::ALL.iter().map(|(_, l)| l).collect();
        assert_eq!(letters.len(), Role::ALL.len());
    }
}
