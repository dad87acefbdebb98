//! One value of a file at a time: what it should be, and what is said when it is not.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::{Key, Node, Value};
use super::error::ConfigError;
use super::expand::expand;
use super::read::{Read, Reader};
use super::units;

impl Reader<'_> {
    pub(super) fn at(&self, span: &Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError::at(self.path, self.text, span, message)
    }

    /// A value that is wrong: what stands there, and what should.
    pub(super) fn wrong(&self, node: &Node, key: &str, wanted: &str) -> ConfigError {
        let source = self.text.get(node.span.clone()).unwrap_or("");
        let shown: String = source
            .lines()
            .next()
            .unwrap_or("")
            .chars()
            .take(60)
            .collect();
        self.at(
            &node.span,
            format!(
                "`{key}` takes {wanted}, not {} ({shown})",
                node.value.kind()
            ),
        )
    }

    pub(super) fn unknown(&self, key: &Key, valid: &[&str]) -> ConfigError {
        let error = self.at(&key.span, format!("there is no key `{}`", key.name));
        let nearest = valid
            .iter()
            .map(|name| (strsim::jaro_winkler(&key.name, name), *name))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, name)) => error.hint(format!("did you mean `{name}`?")),
            None => error.hint(format!("the keys are {}", valid.join(", "))),
        }
    }

    pub(super) fn table<'n>(&self, node: &'n Node, key: &str) -> Read<&'n [(Key, Node)]> {
        match &node.value {
            Value::Table(entries) => Ok(entries),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Bool(_)
            | Value::List(_)
            | Value::Null => Err(self.wrong(node, key, "a table")),
        }
    }

    pub(super) fn list<'n>(&self, node: &'n Node, key: &str) -> Read<&'n [Node]> {
        match &node.value {
            Value::List(items) => Ok(items),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Bool(_)
            | Value::Table(_)
            | Value::Null => Err(self.wrong(node, key, "a list")),
        }
    }

    /// A text, with its variables replaced.
    pub(super) fn text(&self, node: &Node, key: &str) -> Read<String> {
        match &node.value {
            Value::Text(text) => {
                expand(text, &self.caller.env).map_err(|e| self.at(&node.span, e.to_string()))
            }
            Value::Integer(_)
            | Value::Float(_)
            | Value::Bool(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Null => Err(self.wrong(node, key, "a text")),
        }
    }

    /// A text; numbers and truth values are taken as they are written, as environments are.
    pub(super) fn loose_text(&self, node: &Node, key: &str) -> Read<String> {
        match &node.value {
            Value::Integer(number) => Ok(number.to_string()),
            Value::Float(number) => Ok(number.to_string()),
            Value::Bool(it) => Ok(it.to_string()),
            Value::Text(_) | Value::List(_) | Value::Table(_) | Value::Null => self.text(node, key),
        }
    }

    pub(super) fn truth(&self, node: &Node, key: &str) -> Read<bool> {
        match node.value {
            Value::Bool(it) => Ok(it),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Null => Err(self.wrong(node, key, "true or false")),
        }
    }

    pub(super) fn count(&self, node: &Node, key: &str) -> Read<u32> {
        match node.value {
            Value::Integer(number) => u32::try_from(number)
                .map_err(|_| self.at(&node.span, format!("`{key}` cannot be {number}"))),
            Value::Text(_)
            | Value::Float(_)
            | Value::Bool(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Null => Err(self.wrong(node, key, "a whole number")),
        }
    }

    pub(super) fn number(&self, node: &Node, key: &str) -> Read<f64> {
        match node.value {
            #[expect(clippy::cast_precision_loss, reason = "factors and seconds are small")]
            Value::Integer(number) => Ok(number as f64),
            Value::Float(number) => Ok(number),
            Value::Text(_) | Value::Bool(_) | Value::List(_) | Value::Table(_) | Value::Null => {
                Err(self.wrong(node, key, "a number"))
            }
        }
    }

    pub(super) fn duration(&self, node: &Node, key: &str) -> Read<Duration> {
        let parsed = match &node.value {
            Value::Integer(_) | Value::Float(_) => {
                units::seconds_to_duration(self.number(node, key)?)
            }
            Value::Text(_) => units::duration(&self.text(node, key)?),
            Value::Bool(_) | Value::List(_) | Value::Table(_) | Value::Null => {
                return Err(self.wrong(node, key, "a duration (\"5s\", or seconds)"));
            }
        };
        parsed.map_err(|why| self.at(&node.span, format!("`{key}`: {why}")))
    }

    pub(super) fn size(&self, node: &Node, key: &str) -> Read<u64> {
        let parsed = match &node.value {
            Value::Integer(number) => {
                u64::try_from(*number).map_err(|_| format!("{number} is no size"))
            }
            Value::Text(_) => units::size(&self.text(node, key)?),
            Value::Float(_) | Value::Bool(_) | Value::List(_) | Value::Table(_) | Value::Null => {
                return Err(self.wrong(node, key, "a size (\"512MB\", or bytes)"));
            }
        };
        parsed.map_err(|why| self.at(&node.span, format!("`{key}`: {why}")))
    }

    pub(super) fn path(&self, node: &Node, key: &str, base: &Path) -> Read<PathBuf> {
        let text = self.text(node, key)?;
        let joined = base.join(text);
        std::path::absolute(&joined).map_err(|e| self.at(&node.span, format!("`{key}`: {e}")))
    }

    pub(super) fn word<T>(&self, node: &Node, key: &str, words: &[(&str, T)]) -> Read<T>
    where
        T: Copy,
    {
        let text = self.text(node, key)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let error = self.at(&node.span, format!("`{key}` cannot be {text:?}"));
        Err(error.hint(format!("it is one of {}", list.join(", "))))
    }
}
