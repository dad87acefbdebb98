//! What is typed at the foot of the view: a search, a filter, a word, a time, a pane, a file.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::api::Selector;
use crate::logs::filter::Filter;
use crate::tui::keymap::Action;
use crate::tui::log::{Asking, Pane, Scope, Words, moment};
use crate::tui::model::{Mode, Model};
use crate::tui::msg::Cmd;
use crate::tui::update::is_control;

use super::{Areas, LogView, PANES_MAX, WORDS_MAX, on_view, with_the_keys};

/// Nothing longer is typed, characters.
const TYPED_MAX: usize = 1000;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum PromptKind {
    Search,
    Filter,
    Highlight,
    Time,
    Pane,
    /// The bytes as they were written, or harmless text.
    Save {
        raw: bool,
    },
}

/// A line that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Prompt {
    pub(in crate::tui) kind: PromptKind,
    pub(in crate::tui) text: String,
    /// What is wrong with it.
    pub(in crate::tui) error: Option<String>,
}

impl Prompt {
    /// The prompt that an action opens.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other actions open no prompt"
    )]
    pub(super) fn of(action: Action, model: &Model) -> Option<Self> {
        let (_, view) = with_the_keys(model)?;
        let (kind, text) = match action {
            Action::Search => (PromptKind::Search, String::new()),
            Action::LogFilter => (PromptKind::Filter, String::new()),
            Action::Highlight => (PromptKind::Highlight, String::new()),
            Action::GoToTime => (PromptKind::Time, String::new()),
            Action::PaneAdd => (PromptKind::Pane, String::new()),
            Action::Save => {
                let name = view.pane().map_or("log", |pane| pane.scope.name.as_str());
                let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
                let name: String = name
                    .chars()
                    .map(|c| if plain(c) { c } else { '-' })
                    .collect();
                (PromptKind::Save { raw: false }, format!("{name}.log"))
            }
            _ => return None,
        };
        Some(Self {
            kind,
            text,
            error: None,
        })
    }

    /// What stands before the text.
    pub(in crate::tui) fn lead(&self) -> &'static str {
        match self.kind {
            PromptKind::Search => "/",
            PromptKind::Filter => "&",
            PromptKind::Highlight => "highlight ",
            PromptKind::Time => "go to ",
            PromptKind::Pane => "add the logs of ",
            PromptKind::Save { raw: false } => "save as text to ",
            PromptKind::Save { raw: true } => "save raw bytes to ",
        }
    }

    /// What stands behind it.
    pub(in crate::tui) fn after(&self) -> &'static str {
        match self.kind {
            PromptKind::Search => "a regular expression; Enter searches, Esc leaves it",
            PromptKind::Filter => "keeps lines that match, ! those that do not; empty clears",
            PromptKind::Highlight => "Enter makes it stand out; empty clears all",
            PromptKind::Time => "14:05, 14:05:30, 2026-01-05 14:05, -10m or now",
            PromptKind::Pane => "a name, tag:x, or all",
            PromptKind::Save { raw: false } => "Enter saves, Tab for raw bytes",
            PromptKind::Save { raw: true } => {
                "Enter saves, Tab for text; raw bytes command a terminal"
            }
        }
    }
}

/// Text from the clipboard.
pub(in crate::tui) fn prompt_paste(prompt: &mut Prompt, text: &str) {
    let room = TYPED_MAX.saturating_sub(prompt.text.chars().count());
    prompt.text.extend(text.chars().take(room));
    prompt.error = None;
}

/// A key while something is typed.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a prompt takes text and few keys"
)]
pub(in crate::tui) fn prompt_key(model: &mut Model, key: KeyEvent, commands: &mut Vec<Cmd>) {
    let Mode::LogPrompt(prompt) = &mut model.mode else {
        return;
    };
    prompt.error = None;
    match key.code {
        KeyCode::Esc => model.mode = Mode::Browse,
        KeyCode::Char('c') if is_control(&key, 'c') => model.mode = Mode::Browse,
        KeyCode::Char('u') if is_control(&key, 'u') => prompt.text.clear(),
        KeyCode::Backspace if prompt.text.is_empty() => model.mode = Mode::Browse,
        KeyCode::Backspace => drop(prompt.text.pop()),
        KeyCode::Tab => {
            if let PromptKind::Save { raw } = &mut prompt.kind {
                *raw = !*raw;
            }
        }
        KeyCode::Char(c)
            if !key.modifiers.contains(KeyModifiers::CONTROL)
                && prompt.text.chars().count() < TYPED_MAX =>
        {
            prompt.text.push(c);
        }
        KeyCode::Enter => enter(model, commands),
        _ => {}
    }
}

fn enter(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Mode::LogPrompt(prompt) = model.mode.clone() else {
        return;
    };
    let Some((seat, _)) = with_the_keys(model) else {
        model.mode = Mode::Browse;
        return;
    };
    let mut result = Ok(());
    on_view(model, seat, commands, |view, areas, asking| {
        result = view.typed(&prompt, areas, asking);
    });
    model.mode = match result {
        Ok(()) => Mode::Browse,
        Err(error) => Mode::LogPrompt(Prompt {
            error: Some(error),
            ..prompt
        }),
    };
}

impl LogView {
    /// Does what was typed.
    fn typed(
        &mut self,
        prompt: &Prompt,
        areas: &Areas,
        asking: &mut Asking<'_>,
    ) -> Result<(), String> {
        let shape = self.shape(areas, self.at);
        let text = prompt.text.as_str();
        match prompt.kind {
            PromptKind::Search => self.search(text, shape, asking)?,
            PromptKind::Filter => self.filter(text, asking)?,
            PromptKind::Highlight if text.is_empty() => self.words.clear(),
            PromptKind::Highlight => {
                let words = Words::new(text)?;
                if self.words.contains(&words) {
                    self.words.retain(|it| *it != words);
                } else if self.words.len() == WORDS_MAX {
                    return Err(format!(
                        "{WORDS_MAX} words at most: an empty one clears all"
                    ));
                } else {
                    self.words.push(words);
                }
            }
            PromptKind::Time => {
                let ms = moment(text, asking.wall_ms)?;
                if let Some(pane) = self.panes.get_mut(self.at) {
                    pane.open_at(ms, shape, asking);
                }
            }
            PromptKind::Pane => self.add_pane(text, asking)?,
            PromptKind::Save { raw } => {
                let name = text.trim();
                if name.is_empty() {
                    return Err("a file needs a name".into());
                }
                if !asking.live {
                    return Err("not connected: the lines are with the daemon".into());
                }
                let Some(what) = self.saving() else {
                    return Err("no line of a process is selected".into());
                };
                let path = PathBuf::from(name);
                asking.commands.push(Cmd::Save { path, raw, what });
            }
        }
        Ok(())
    }

    fn filter(&mut self, text: &str, asking: &mut Asking<'_>) -> Result<(), String> {
        let Some(pane) = self.panes.get_mut(self.at) else {
            return Ok(());
        };
        let mut filter = pane.scope.filter.clone();
        if text.is_empty() || text == "!" {
            filter.clear();
        } else {
            let (_, pattern) = text.split_at(usize::from(text.starts_with('!')));
            Words::new(pattern)?;
            if !filter.iter().any(|it| it == text) {
                filter.push(text.to_owned());
            }
        }
        Filter::new(&filter.join("\n"), None).map_err(|error| error.to_string())?;
        pane.rescope(|scope| scope.filter = filter, asking);
        // The hits of a search are among what passes.
        if let Some(text) = self.hunt.as_ref().map(|hunt| hunt.words.text().to_owned()) {
            self.recount(&text, asking);
        }
        self.strip.forget();
        Ok(())
    }

    fn add_pane(&mut self, text: &str, asking: &mut Asking<'_>) -> Result<(), String> {
        let name = text.trim();
        if name.is_empty() {
            return Err("a pane needs a name, tag:x, or all".into());
        }
        if self.panes.len() == PANES_MAX {
            return Err(format!("{PANES_MAX} panes at most: P closes one"));
        }
        name.parse::<Selector>()
            .map_err(|error| error.to_string())?;
        let mut pane = Pane::new(Scope {
            select: name.to_owned(),
            name: name.to_owned(),
            ..Scope::default()
        });
        pane.open(asking);
        self.panes.insert(self.at + 1, pane);
        self.locked_to = None;
        Ok(())
    }
}
