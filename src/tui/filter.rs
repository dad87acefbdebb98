//! The filter line: words that must all hold. `status:x`, `cpu>5`, `mem>100M`, `!word`; anything else is part of a name.

use crate::api::Status;
use crate::config::units::size;

use super::model::Row;

/// A filter as typed, and what it means.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Filter {
    text: String,
    terms: Vec<(bool, Term)>,
    error: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Term {
    Name(String),
    Status(Status),
    CpuAbove(f32),
    MemoryAbove(u64),
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
        self.terms.iter().all(|(not, term)| {
            let holds = match term {
                Term::Name(part) => {
                    row.view.name.to_lowercase().contains(part)
                        || row.view.process.as_str().to_lowercase().contains(part)
                }
                Term::Status(status) => row.view.status == *status,
                Term::CpuAbove(percent) => row.view.cpu.is_some_and(|cpu| cpu > *percent),
                Term::MemoryAbove(bytes) => row.view.memory.is_some_and(|memory| memory > *bytes),
            };
            holds != *not
        })
    }
}

fn term(word: &str) -> Result<Option<Term>, String> {
    if word.is_empty() {
        return Ok(None);
    }
    if let Some(status) = word.strip_prefix("status:") {
        let starts: Vec<Status> = Status::ALL
            .into_iter()
            .filter(|s| !status.is_empty() && s.word().starts_with(status))
            .collect();
        return match (status.parse(), starts.as_slice()) {
            (Ok(status), _) => Ok(Some(Term::Status(status))),
            (Err(_), [one]) => Ok(Some(Term::Status(*one))),
            (Err(_), _) if status.is_empty() => Ok(None),
            (Err(why), _) => Err(why),
        };
    }
    if let Some(number) = word.strip_prefix("cpu>") {
        return match number.trim_end_matches('%').parse() {
            Ok(percent) => Ok(Some(Term::CpuAbove(percent))),
            Err(_) if number.is_empty() => Ok(None),
            Err(_) => Err(format!("cpu>{number} is no number of percent")),
        };
    }
    if let Some(number) = word.strip_prefix("mem>") {
        return match size(number) {
            Ok(bytes) => Ok(Some(Term::MemoryAbove(bytes))),
            Err(_) if number.is_empty() => Ok(None),
            Err(why) => Err(why),
        };
    }
    Ok(Some(Term::Name(word.to_lowercase())))
}
