//! Keys and what they do: one table, from which footer, help and `docs/keys.md` come, and what the configuration
//! changes in it.

mod action;
mod bindings;
mod copying;
mod detail;
mod log_view;
mod own_log;
mod press;
mod signals;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crossterm::event::KeyEvent;
use strum::VariantNames as _;

pub(super) use action::{Action, Place};
pub(super) use bindings::{BINDINGS, Binding, NO_ANSWER};
pub(super) use press::{Press, Sequence};

/// What the keys pressed so far mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Act(Action),
    /// The beginning of something.
    Prefix,
    Nothing,
}

/// Two lines of the table that want the same keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    lines: (usize, usize),
    keys: Sequence,
    actions: (Action, Action),
    #[cfg(test)]
    places: (Place, Place),
}

/// The keys as they are configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keymap {
    /// One entry for each line of [`BINDINGS`], in its order.
    keys: Vec<Vec<Sequence>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = BINDINGS
            .iter()
            // What does not parse is found by a test over the whole table.
            .map(|b| b.keys.split(' ').filter_map(|k| k.parse().ok()).collect())
            .collect();
        Self { keys }
    }
}

impl Keymap {
    /// The table with other keys for some actions. What cannot be is said, and the default stays.
    pub(super) fn with(changes: &[(String, Vec<String>)]) -> (Self, Vec<String>) {
        let mut it = Self::default();
        let mut faults = Vec::new();
        for (name, keys) in changes {
            if let Err(fault) = it.change(name, keys) {
                faults.push(fault);
            }
        }
        (it, faults)
    }

    fn change(&mut self, name: &str, keys: &[String]) -> Result<(), String> {
        let action: Action = name.parse().map_err(|_| {
            let nearest = Action::VARIANTS
                .iter()
                .max_by(|a, b| strsim::jaro(name, a).total_cmp(&strsim::jaro(name, b)))
                .copied()
                .unwrap_or_default();
            format!("tui.keys: no action is called `{name}`; did you mean `{nearest}`?")
        })?;
        let sequences = keys
            .iter()
            .map(|key| key.parse::<Sequence>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("tui.keys.{name}: {error}; the default stays"))?;
        let mut changed = self.clone();
        for (binding, keys) in BINDINGS.iter().zip(&mut changed.keys) {
            if binding.action == action {
                keys.clone_from(&sequences);
            }
        }
        let known = Self::default().clashes();
        if let Some(clash) = changed
            .clashes()
            .into_iter()
            .find(|it| known.iter().all(|old| old.lines != it.lines))
        {
            let (one, other) = clash.actions;
            return Err(format!(
                "tui.keys.{name}: {} would mean both {one} and {other}; the default stays",
                clash.keys
            ));
        }
        *self = changed;
        Ok(())
    }

    /// Pairs of lines that want the same keys where both count. A place of its own comes before everywhere: such pairs in
    /// the table as it is are meant.
    pub(super) fn clashes(&self) -> Vec<Clash> {
        let all: Vec<_> = self
            .lines()
            .enumerate()
            .flat_map(|(line, (binding, keys))| keys.iter().map(move |key| (line, binding, key)))
            .collect();
        let mut clashes = Vec::new();
        for (n, (line, a, one)) in all.iter().enumerate() {
            for (other_line, b, other) in all.iter().skip(n + 1) {
                let meet = a.place == b.place
                    || a.place == Place::Everywhere
                    || b.place == Place::Everywhere;
                if meet && (one.0.starts_with(&other.0) || other.0.starts_with(&one.0)) {
                    clashes.push(Clash {
                        lines: (*line, *other_line),
                        keys: (*one).clone(),
                        actions: (a.action, b.action),
                        #[cfg(test)]
                        places: (a.place, b.place),
                    });
                }
            }
        }
        clashes
    }

    /// The lines of the table with their keys.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&'static Binding, &[Sequence])> {
        BINDINGS.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// The lines that count in one of these places, in the order of the places.
    pub(super) fn lines_at(
        &self,
        places: &[Place],
    ) -> impl Iterator<Item = (&'static Binding, &[Sequence])> {
        places
            .iter()
            .flat_map(move |place| self.lines().filter(move |(b, _)| b.place == *place))
    }

    /// What the keys mean in these places; the first place that knows them decides.
    pub(super) fn meaning(&self, places: &[Place], typed: &[Press]) -> Meaning {
        let mut prefix = false;
        for (binding, keys) in self.lines_at(places) {
            for key in keys {
                if key.0 == typed {
                    return Meaning::Act(binding.action);
                }
                prefix |= key.0.starts_with(typed);
            }
        }
        if prefix {
            Meaning::Prefix
        } else {
            Meaning::Nothing
        }
    }

    /// What one key means.
    pub(super) fn action(&self, places: &[Place], event: &KeyEvent) -> Option<Action> {
        match self.meaning(places, &[Press::of(event)?]) {
            Meaning::Act(action) => Some(action),
            Meaning::Prefix | Meaning::Nothing => None,
        }
    }

    /// What may follow the keys typed: for the box that shows it.
    pub(super) fn followers(
        &self,
        places: &[Place],
        typed: &[Press],
    ) -> Vec<(String, &'static str)> {
        self.lines_at(places)
            .flat_map(|(binding, keys)| keys.iter().map(move |key| (binding, key)))
            .filter(|(_, key)| key.0.len() > typed.len() && key.0.starts_with(typed))
            .map(|(binding, key)| {
                let rest = Sequence(key.0.iter().skip(typed.len()).copied().collect());
                (rest.to_string(), binding.help)
            })
            .collect()
    }

    /// The keys that work in these places, for the footer; of those everywhere, only those that also work on a screen,
    /// if one stands on top.
    pub(super) fn hints(&self, places: &[Place], on_screen: bool) -> Vec<(String, &'static str)> {
        let (mut words, mut known) = (BTreeSet::new(), BTreeSet::new());
        self.lines_at(places)
            .filter(|(b, _)| !on_screen || b.place != Place::Everywhere || b.action.is_global())
            .filter_map(|(b, keys)| Some((keys.first()?.to_string(), b.hint?)))
            .filter(|(key, word)| known.insert(key.clone()) & words.insert(*word))
            .collect()
    }
}
