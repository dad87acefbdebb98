//! What is wrong with a file, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Line and column, from 1; none when the file as a whole is wrong.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// The line it is on.
    pub excerpt: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl ConfigError {
    /// About the file as a whole.
    #[must_use]
    pub(crate) fn whole(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: None,
            message: message.into(),
            excerpt: None,
            hint: None,
        }
    }

    /// About a place in its text.
    #[must_use]
    pub(crate) fn at(
        file: &Path,
        text: &str,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line = before.matches('\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |n| n + 1);
        let column = text[begin..start].chars().count() + 1;
        let excerpt: String = text[begin..]
            .lines()
            .next()
            .unwrap_or("")
            .chars()
            .take(160)
            .collect();
        Self {
            place: Some((line, column)),
            excerpt: Some(excerpt.trim_end().to_owned()),
            ..Self::whole(file, message)
        }
    }

    /// With what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(excerpt) = self.excerpt.as_ref().filter(|e| !e.is_empty()) {
            write!(f, "\n  | {excerpt}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
