//! The filter line: words that must all hold. `status:x|y`, `name:x`, `ns:x`, `tag:x`, `id:3`, `cpu>5`, `mem>100M`,
//! `restarts>3`, `/regex/`, `!word`; anything else is part of a name.

use regex::{Regex, RegexBuilder};

use crate::api::Status;
use crate::config::units::size;

use super::model::Row;

/// The most memory a pattern may take, bytes: what is typed must never stop the screen.
const PATTERN_SIZE: usize = 256 * 1024;
/// What stands before the value of a word.
const FIELDS: [&str; 5] = ["name:", "ns:", "status:", "tag:", "id:"];

/// A filter as typed, and what it means.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    text: String,
    terms: Vec<(bool, Term)>,
    error: Option<String>,
}

#[derive(Debug, Clone)]
enum Term {
    Name(String),
    Namespace(String),
    Tag(String),
    Id(String),
    Status(Vec<Status>),
    Cpu(Bound, f32),
    Memory(Bound, u64),
    Restarts(Bound, u32),
    Pattern(Regex),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Above,
    Below,
}

impl Bound {
    fn holds<T: PartialOrd>(self, value: T, limit: T) -> bool {
        match self {
            Self::Above => value > limit,
            Self::Below => value < limit,
        }
    }
}

impl Filter {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it; the rest of it holds all the same.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    pub(super) fn set(&mut self, text: String) {
        self.terms.clear();
        self.error = None;
        for word in text.split_whitespace() {
            let (not, word) = match word.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, word),
            };
            match term(word) {
                Ok(Some(term)) => self.terms.push((not, term)),
                Ok(None) => {}
                Err(why) => self.error = Some(why),
            }
        }
        self.text = text;
    }

    pub(super) fn push(&mut self, c: char) {
        let mut text = std::mem::take(&mut self.text);
        text.push(c);
        self.set(text);
    }

    pub(super) fn pop(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.pop();
        self.set(text);
    }

    pub(super) fn matches(&self, row: &Row) -> bool {
        let view = &row.view;
        self.terms.iter().all(|(not, term)| {
            let holds = match term {
                Term::Name(part) => {
                    view.name.to_lowercase().contains(part)
                        || view.process.as_str().to_lowercase().contains(part)
                }
                Term::Namespace(name) => view.namespace.as_str().to_lowercase().contains(name),
                Term::Tag(tag) => view.tags.iter().any(|it| it.as_str().contains(tag)),
                Term::Id(id) => view.id.to_string() == *id,
                Term::Status(wanted) => wanted.contains(&view.status),
                Term::Cpu(bound, percent) => view.cpu.is_some_and(|it| bound.holds(it, *percent)),
                Term::Memory(bound, bytes) => view.memory.is_some_and(|it| bound.holds(it, *bytes)),
                Term::Restarts(bound, count) => bound.holds(view.restarts, *count),
                Term::Pattern(pattern) => {
                    pattern.is_match(&view.name) || pattern.is_match(view.process.as_str())
                }
            };
            holds != *not
        })
    }
}

/// One status by its word or by a beginning that fits no other.
fn status(word: &str) -> Result<Status, String> {
    let starts: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|s| s.word().starts_with(word))
        .collect();
    match (word.parse(), starts.as_slice()) {
        (Ok(status), _) => Ok(status),
        (Err(_), [one]) => Ok(*one),
        (Err(why), _) => Err(why),
    }
}

/// `field>value` or `field<value`.
fn bound<'w>(word: &'w str, field: &str) -> Option<(Bound, &'w str)> {
    let rest = word.strip_prefix(field)?;
    let above = rest.strip_prefix('>').map(|value| (Bound::Above, value));
    above.or_else(|| rest.strip_prefix('<').map(|value| (Bound::Below, value)))
}

fn term(word: &str) -> Result<Option<Term>, String> {
    if word.is_empty() {
        return Ok(None);
    }
    if let Some(pattern) = word.strip_prefix('/') {
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
        if pattern.is_empty() {
            return Ok(None);
        }
        return RegexBuilder::new(pattern)
            .case_insensitive(true)
            .size_limit(PATTERN_SIZE)
            .build()
            .map(|it| Some(Term::Pattern(it)))
            .map_err(|error| {
                let text = error.to_string();
                let why = text
                    .lines()
                    .last()
                    .unwrap_or("")
                    .trim_start_matches("error: ");
                format!("/{pattern}/: {why}")
            });
    }
    for (field, limit) in [("cpu", 0), ("mem", 1), ("restarts", 2)] {
        if let Some((bound, value)) = bound(word, field) {
            if value.is_empty() {
                return Ok(None);
            }
            let wrong = |_| format!("{word} is no number");
            return Ok(Some(match limit {
                0 => {
                    let percent = value.trim_end_matches('%').parse();
                    Term::Cpu(
                        bound,
                        percent.map_err(|_| format!("{word} is no number of percent"))?,
                    )
                }
                1 => Term::Memory(bound, size(value)?),
                _ => Term::Restarts(bound, value.parse().map_err(wrong)?),
            }));
        }
    }
    if let Some(field) = FIELDS.into_iter().find(|field| word.starts_with(field)) {
        let value = word[field.len()..].to_lowercase();
        if value.is_empty() {
            return Ok(None);
        }
        return Ok(Some(match field {
            "name:" => Term::Name(value),
            "ns:" => Term::Namespace(value),
            "tag:" => Term::Tag(value),
            "id:" => Term::Id(value),
            _ => {
                let words = value.split('|').filter(|word| !word.is_empty());
                Term::Status(words.map(status).collect::<Result<_, _>>()?)
            }
        }));
    }
    Ok(Some(Term::Name(word.to_lowercase())))
}
