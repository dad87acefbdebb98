//! Keys and what they do: one table, from which footer, help and `docs/keys.md` come.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::model::{Focus, Mode};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    First,
    Last,
    Fold,
    Unfold,
    Start,
    Stop,
    Restart,
    Kill,
    Delete,
    Filter,
    NextPane,
    Logs,
    Zoom,
    Follow,
    Times,
    Stream,
    Help,
    Back,
    Quit,
    Leave,
    Redraw,
    Suspend,
    Retry,
}

/// Where a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Everywhere,
    Processes,
    Logs,
}

impl Place {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "EVERYWHERE",
            Self::Processes => "PROCESSES",
            Self::Logs => "LOGS",
        }
    }
}

/// One line of the table.
pub(super) struct Binding {
    pub(super) place: Place,
    /// As they are shown, separated by spaces.
    pub(super) keys: &'static str,
    pub(super) action: Action,
    pub(super) help: &'static str,
    /// A word for the footer, when it stands there.
    pub(super) hint: Option<&'static str>,
}

const fn bind(
    place: Place,
    keys: &'static str,
    action: Action,
    help: &'static str,
    hint: Option<&'static str>,
) -> Binding {
    Binding {
        place,
        keys,
        action,
        help,
        hint,
    }
}

use Place::{Everywhere, Logs, Processes};

/// All keys.
pub(super) const BINDINGS: &[Binding] = &[
    bind(Processes, "s F7", Action::Start, "start", Some("start")),
    bind(Processes, "x", Action::Stop, "stop (asks)", Some("stop")),
    bind(
        Processes,
        "r",
        Action::Restart,
        "restart (asks)",
        Some("restart"),
    ),
    bind(
        Processes,
        "X",
        Action::Kill,
        "kill with SIGKILL (asks)",
        None,
    ),
    bind(
        Processes,
        "D Del",
        Action::Delete,
        "delete (asks for its name)",
        Some("delete"),
    ),
    bind(Processes, "l", Action::Logs, "to its logs", Some("logs")),
    bind(
        Processes,
        "h Left",
        Action::Fold,
        "fold, or to the process",
        None,
    ),
    bind(Processes, "Right", Action::Unfold, "unfold", None),
    bind(
        Logs,
        "f",
        Action::Follow,
        "follow, or pause",
        Some("follow"),
    ),
    bind(Logs, "t", Action::Times, "times on or off", Some("times")),
    bind(
        Logs,
        "o",
        Action::Stream,
        "both streams, out, err",
        Some("stream"),
    ),
    bind(
        Everywhere,
        "/ F3 F4",
        Action::Filter,
        "filter processes",
        Some("filter"),
    ),
    bind(Everywhere, "? F1", Action::Help, "this help", Some("help")),
    bind(
        Everywhere,
        "q",
        Action::Quit,
        "back; at the top leave",
        Some("quit"),
    ),
    bind(
        Everywhere,
        "Tab",
        Action::NextPane,
        "next pane",
        Some("pane"),
    ),
    bind(
        Everywhere,
        "z",
        Action::Zoom,
        "the pane alone",
        Some("zoom"),
    ),
    bind(Everywhere, "j Down", Action::Down, "down", None),
    bind(Everywhere, "k Up", Action::Up, "up", None),
    bind(Everywhere, "g Home", Action::First, "to the first", None),
    bind(
        Everywhere,
        "G End",
        Action::Last,
        "to the last; follow in logs",
        None,
    ),
    bind(Everywhere, "PgDn", Action::PageDown, "a page down", None),
    bind(Everywhere, "PgUp", Action::PageUp, "a page up", None),
    bind(Everywhere, "^D", Action::HalfDown, "half a page down", None),
    bind(Everywhere, "^U", Action::HalfUp, "half a page up", None),
    bind(
        Everywhere,
        "Esc",
        Action::Back,
        "close the innermost thing",
        None,
    ),
    bind(
        Everywhere,
        "Q F10 ^C",
        Action::Leave,
        "leave from anywhere",
        None,
    ),
    bind(
        Everywhere,
        "^L",
        Action::Redraw,
        "draw everything anew",
        None,
    ),
    bind(
        Everywhere,
        "^Z",
        Action::Suspend,
        "suspend to the shell",
        None,
    ),
    bind(
        Everywhere,
        "Enter",
        Action::Retry,
        "try to connect now, while disconnected",
        None,
    ),
];

/// A key as it is written in the table.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "terminals send more keys than are bound"
)]
pub(super) fn name(key: &KeyEvent) -> Option<String> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let name = match key.code {
        KeyCode::Char(c) if control => format!("^{}", c.to_ascii_uppercase()),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Up => "Up".into(),
        KeyCode::Down => "Down".into(),
        KeyCode::Left => "Left".into(),
        KeyCode::Right => "Right".into(),
        KeyCode::Home => "Home".into(),
        KeyCode::End => "End".into(),
        KeyCode::PageUp => "PgUp".into(),
        KeyCode::PageDown => "PgDn".into(),
        KeyCode::Tab | KeyCode::BackTab => "Tab".into(),
        KeyCode::Esc => "Esc".into(),
        KeyCode::Enter => "Enter".into(),
        KeyCode::Delete => "Del".into(),
        KeyCode::F(n) => format!("F{n}"),
        _ => return None,
    };
    Some(name)
}

/// What a key means now.
pub(super) fn action(key: &KeyEvent, focus: Focus) -> Option<Action> {
    let name = name(key)?;
    let here = match focus {
        Focus::Table => Processes,
        Focus::Logs => Logs,
    };
    BINDINGS
        .iter()
        .filter(|b| b.place == here || b.place == Everywhere)
        .find(|b| b.keys.split(' ').any(|k| k == name))
        .map(|b| b.action)
}

/// The keys that work now, for the footer.
pub(super) fn hints(focus: Focus, mode: &Mode) -> Vec<(&'static str, &'static str)> {
    match mode {
        Mode::Browse => {
            let here = match focus {
                Focus::Table => Processes,
                Focus::Logs => Logs,
            };
            BINDINGS
                .iter()
                .filter(|b| b.place == here || b.place == Everywhere)
                .filter_map(|b| Some((b.keys.split(' ').next()?, b.hint?)))
                .collect()
        }
        Mode::Filter => vec![("Enter", "keep"), ("Esc", "clear")],
        Mode::Help { .. } => vec![("j k", "scroll"), ("Esc", "close")],
        Mode::Ask(_) => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for here in [Processes, Logs] {
            let mut seen = std::collections::HashMap::new();
            for binding in BINDINGS
                .iter()
                .filter(|b| b.place == here || b.place == Everywhere)
            {
                for key in binding.keys.split(' ') {
                    let other = seen.insert(key, binding.help);
                    assert!(other.is_none(), "{key} is {other:?} and {:?}", binding.help);
                }
            }
        }
    }

    /// `ADASA_BLESS=1` writes the page anew.
    #[test]
    fn the_documented_keys_are_the_table() {
        let mut page = String::from(
            "# Keys of the dashboard\n\nWritten from the table in `src/tui/keymap.rs` by its test (`ADASA_BLESS=1 cargo test the_documented_keys`).\n",
        );
        for place in [Processes, Logs, Everywhere] {
            page.push_str(&format!(
                "\n## {}\n\n| Key | Does |\n| --- | --- |\n",
                place.title()
            ));
            for binding in BINDINGS.iter().filter(|b| b.place == place) {
                let keys: Vec<String> = binding.keys.split(' ').map(|k| format!("`{k}`")).collect();
                page.push_str(&format!("| {} | {} |\n", keys.join(" "), binding.help));
            }
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
        if std::env::var_os("ADASA_BLESS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == page,
            "docs/keys.md is stale: run the tests with ADASA_BLESS=1"
        );
    }
}
