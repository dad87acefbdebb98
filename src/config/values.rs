//! One value of a file at a time: what it should be, and what is said when it is not.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::{Key, Node, Value};
use super::error::ConfigError;
use super::expand::expand;
use super::read::{Read, Reader};
use super::units;

/// Keys that say the same thing, or that one thing goes to two places.
const ALTERNATIVES: [(&str, &str); 8] = [
    ("max_memory", "limits.max_memory"),
    ("stop_timeout", "limits.stop_timeout"),
    ("stop_timeout_secs", "limits.stop_timeout"),
    ("limit_action", "limits.limit_action"),
    ("stop_timeout", "stop_timeout_secs"),
    ("restart_delay", "restart_delay_secs"),
    ("log_file", "out_file"),
    ("log_file", "err_file"),
];

impl Reader<'_> {
    /// Two keys for one thing: one of them would be dead.
    pub(super) fn contradictions(
        &self,
        entries: &[(Key, Node)],
        limits: Option<&Node>,
    ) -> Read<()> {
        let inner = match limits {
            Some(node) => self.table(node, "limits")?,
            None => &[],
        };
        let find = |name: &str| match name.strip_prefix("limits.") {
            Some(name) => inner.iter().find(|(key, _)| key.name == name),
            None => entries.iter().find(|(key, _)| key.name == name),
        };
        for (one, other) in ALTERNATIVES {
            if let (Some(_), Some((key, _))) = (find(one), find(other)) {
                let message = format!("`{one}` and `{other}` cannot stand together");
                return Err(self.at(&key.span, message).hint("keep one of them"));
            }
        }
        Ok(())
    }

    /// Where a log goes: a file, or a place for one.
    pub(super) fn log_file(&self, node: &Node, key: &str, base: &Path) -> Read<PathBuf> {
        let path = self.path(node, key, base)?;
        match std::fs::symlink_metadata(&path) {
            Ok(meta) if !meta.is_file() => {
                let message = format!("`{key}`: {} is no regular file", path.display());
                Err(self.at(&node.span, message))
            }
            Ok(_) | Err(_) => Ok(path),
        }
    }

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
