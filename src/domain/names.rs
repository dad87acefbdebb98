//! Validated names and numbers: what may become a path, a label or a key. Copies of a name share its text, for each is
//! held in many places.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name, in bytes: it becomes a folder name and a table column.
pub(crate) const NAME_MAX: usize = 64;

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("a name cannot be empty")]
    Empty,
    /// More than [`NAME_MAX`] bytes.
    #[error("a name has at most {NAME_MAX} characters, this one has {0}")]
    TooLong(usize),
    /// A leading dot would make a hidden folder, or `..`.
    #[error("a name cannot begin with a dot")]
    LeadingDot,
    /// A leading dash would read as a flag.
    #[error("a name cannot begin with a dash")]
    LeadingDash,
    /// Outside `[A-Za-z0-9._-]`.
    #[error("'{0}' cannot be part of a name (letters, digits, '.', '_' and '-' can)")]
    Character(char),
    /// Only digits would be read as an id.
    #[error("a name of digits only would be read as an id")]
    OnlyDigits,
    /// `all` is a selector.
    #[error("'all' means every process and cannot be a name")]
    Reserved,
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_MAX {
        return Err(NameError::TooLong(text.len()));
    }
    if text.starts_with('.') {
        return Err(NameError::LeadingDot);
    }
    if text.starts_with('-') {
        return Err(NameError::LeadingDash);
    }
    if let Some(bad) = text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
    {
        return Err(NameError::Character(bad));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NameError::OnlyDigits);
    }
    if text.eq_ignore_ascii_case("all") {
        return Err(NameError::Reserved);
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks the grammar `[A-Za-z0-9._-]`, no leading dot or dash, not only digits, not `all`.
            ///
            /// # Errors
            /// The first rule that the text breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check(&text).map(|()| Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// The name of a process, unique in its namespace.
    ProcessName
);
name!(
    /// A group of processes; `default` unless said otherwise.
    Namespace
);
name!(
    /// A word that selects processes: `tag:x`.
    Tag
);

const DEFAULT: &str = "default";

impl Namespace {
    /// Whether it is the one that is meant when none is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.as_str() == DEFAULT
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self(DEFAULT.into())
    }
}

/// What a process is called as a whole: its namespace and its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessKey {
    /// The namespace.
    pub namespace: Namespace,
    /// The name in it.
    pub name: ProcessName,
}

impl fmt::Display for ProcessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_default() {
            f.pad(self.name.as_str())
        } else {
            f.pad(&format!("{}/{}", self.namespace, self.name))
        }
    }
}

/// The stable number of one instance; never given again.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct InstanceId(pub u32);

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The number of one execution of an instance; grows by one with each, never repeats.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct RunId(pub u64);

impl RunId {
    /// The run after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The id of an operation, made by the client that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperationId(Arc<str>);

impl OperationId {
    /// Checks the grammar: 8 to 64 characters of `[A-Za-z0-9-]`.
    ///
    /// # Errors
    /// The text itself, when it is not of that form.
    pub fn new(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        let fits = (8..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(text)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OperationId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(text).map_err(|t| {
            format!("an operation id has 8 to 64 letters, digits or dashes, not {t:?}")
        })
    }
}

impl From<OperationId> for String {
    fn from(id: OperationId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What one instance is called: the process's name alone when it is the only one, else `name-N`.
#[must_use]
pub(crate) fn instance_label(name: &ProcessName, index: u32, instances: u32) -> String {
    if instances == 1 {
        name.as_str().to_owned()
    } else {
        format!("{name}-{index}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_unfit_for_a_path_or_ambiguous_are_refused() {
        for (text, why) in [
            ("", NameError::Empty),
            (".hidden", NameError::LeadingDot),
            ("..", NameError::LeadingDot),
            ("-f", NameError::LeadingDash),
            ("a/b", NameError::Character('/')),
            ("a b", NameError::Character(' ')),
            ("ä", NameError::Character('ä')),
            ("12", NameError::OnlyDigits),
            ("ALL", NameError::Reserved),
        ] {
            assert_eq!(ProcessName::new(text), Err(why), "{text:?}");
        }
        assert_eq!(
            ProcessName::new("x".repeat(65)),
            Err(NameError::TooLong(65))
        );
        for text in ["api", "api-0", "a.b_c", "0a", &"x".repeat(64)] {
            assert!(ProcessName::new(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_single_instance_has_the_name_of_its_process() {
        let name = ProcessName::new("api").unwrap();
        assert_eq!(instance_label(&name, 0, 1), "api");
        assert_eq!(instance_label(&name, 2, 3), "api-2");
    }

    #[test]
    fn operation_ids_have_a_form() {
        assert!(OperationId::new("0123abcd").is_ok());
        assert!(OperationId::new("short").is_err());
        assert!(OperationId::new("with space").is_err());
        assert!(OperationId::new("x".repeat(65)).is_err());
    }
}
