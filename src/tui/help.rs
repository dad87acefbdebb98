//! The help: every key with what it does, and a search in it that leaves only what it finds.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keymap::{Action, Binding, Place, Sequence};
use super::model::{Mode, Model};
use super::msg::Cmd;
use super::update::is_control;
use super::view::help_page;

/// No search is longer, characters.
const FIND: usize = 60;

/// How it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Help {
    /// How many lines are above.
    pub(super) scroll: usize,
    /// What is looked for; all is shown when it is empty.
    pub(super) find: String,
    /// Whether it is being typed.
    pub(super) typing: bool,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Blank,
    /// The keys of a place follow.
    Title(&'static str),
    /// Keys, what they do, and what the configuration calls it.
    Key(String, &'static str, &'static str),
}

/// The places whose keys count now, then all others.
fn places(model: &Model) -> Vec<Place> {
    let mut all = model.places();
    all.extend(
        Place::ALL
            .into_iter()
            .filter(|place| !all.contains(place))
            .collect::<Vec<_>>(),
    );
    all
}

/// What the help is of.
pub(super) fn title(model: &Model) -> String {
    let here = model.places().first().map_or("", |place| place.title());
    format!("help: {}   (/ finds a key or a word)", here.to_lowercase())
}

/// Whether what is looked for is one of these keys, or in these words. What is one character long is a key.
fn finds(find: &str, binding: &Binding, keys: &[Sequence]) -> bool {
    let key = keys.iter().map(ToString::to_string);
    if key
        .into_iter()
        .any(|key| key == find || key.split('+').any(|part| part == find))
    {
        return true;
    }
    if find.chars().count() < 2 {
        return false;
    }
    let name: &str = binding.action.into();
    let text = format!("{} {} {name}", binding.place.title(), binding.help).to_lowercase();
    find.to_lowercase()
        .split_whitespace()
        .all(|word| text.contains(word))
}

/// All lines that are shown.
pub(super) fn lines(model: &Model, help: &Help) -> Vec<Line> {
    let mut lines = Vec::new();
    let find = help.find.trim();
    for place in places(model) {
        let bindings = model.keymap.lines_at(&[place]).collect::<Vec<_>>();
        let mut found = bindings
            .into_iter()
            .filter(|(binding, keys)| find.is_empty() || finds(find, binding, keys))
            .peekable();
        if found.peek().is_none() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::Blank);
        }
        lines.push(Line::Title(place.title()));
        lines.extend(found.map(|(binding, keys)| {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            Line::Key(keys.join(" "), binding.help, binding.action.into())
        }));
    }
    lines
}

/// How many keys were found, of how many.
pub(super) fn counts(model: &Model, help: &Help) -> (usize, usize) {
    let count = |help: &Help| {
        let lines = lines(model, help);
        let keys = lines.iter().filter(|line| matches!(line, Line::Key(..)));
        keys.count()
    };
    (count(help), count(&Help::default()))
}

/// A key while it is open.
pub(super) fn key(model: &mut Model, key: KeyEvent, commands: &mut Vec<Cmd>) {
    let Mode::Help(help) = &model.mode else {
        return;
    };
    let mut it = help.clone();
    let goes_on = if it.typing {
        typed(&mut it, key);
        true
    } else {
        browsed(model, &mut it, key, commands)
    };
    if !goes_on {
        model.mode = Mode::Browse;
        return;
    }
    let most = lines(model, &it).len().saturating_sub(help_page(model));
    it.scroll = it.scroll.min(most);
    model.mode = Mode::Help(it);
}

/// What was pasted into the search.
pub(super) fn pasted(help: &mut Help, text: &str) {
    let room = FIND.saturating_sub(help.find.chars().count());
    help.find.extend(text.chars().take(room));
    help.scroll = 0;
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a prompt takes text and few keys"
)]
fn typed(it: &mut Help, key: KeyEvent) {
    match key.code {
        KeyCode::Esc => (it.typing, it.find, it.scroll) = (false, String::new(), 0),
        KeyCode::Char('c') if is_control(&key, 'c') => {
            (it.typing, it.find, it.scroll) = (false, String::new(), 0);
        }
        KeyCode::Char('u') if is_control(&key, 'u') => (it.find, it.scroll) = (String::new(), 0),
        KeyCode::Enter => it.typing = false,
        KeyCode::Backspace => {
            it.typing = it.find.pop().is_some();
            it.scroll = 0;
        }
        KeyCode::Down => it.scroll += 1,
        KeyCode::Up => it.scroll = it.scroll.saturating_sub(1),
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => {
            pasted(it, c.encode_utf8(&mut [0; 4]));
        }
        _ => {}
    }
}

/// False when it is closed.
fn browsed(model: &Model, it: &mut Help, key: KeyEvent, commands: &mut Vec<Cmd>) -> bool {
    let page = help_page(model).max(2) - 1;
    let places = [Place::Processes, Place::Everywhere];
    match model.keymap.action(&places, &key) {
        Some(Action::Down) => it.scroll += 1,
        Some(Action::Up) => it.scroll = it.scroll.saturating_sub(1),
        Some(Action::PageDown) => it.scroll += page,
        Some(Action::PageUp) => it.scroll = it.scroll.saturating_sub(page),
        Some(Action::HalfDown) => it.scroll += page.div_ceil(2),
        Some(Action::HalfUp) => it.scroll = it.scroll.saturating_sub(page.div_ceil(2)),
        Some(Action::First) => it.scroll = 0,
        Some(Action::Last) => it.scroll = usize::MAX,
        Some(Action::Filter) => it.typing = true,
        // What was found goes before the help does.
        Some(Action::Back) if !it.find.is_empty() => (it.find, it.scroll) = (String::new(), 0),
        Some(Action::Back | Action::Quit | Action::Help) => return false,
        Some(Action::Leave) => {
            commands.push(Cmd::Quit);
            return false;
        }
        Some(_) | None => {}
    }
    true
}
