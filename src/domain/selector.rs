//! What a command takes: ids, names, instances, namespaces, globs, tags, statuses, `all`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::names::{InstanceId, Namespace, ProcessName, Tag};
use super::status::Status;

/// One word that selects instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Selector {
    /// Every instance.
    All,
    /// One instance by number.
    Id(InstanceId),
    /// An exact process name or an exact instance name, in one namespace or in any.
    Name {
        /// Only there, when given.
        namespace: Option<String>,
        /// The exact name.
        name: String,
    },
    /// A pattern with `*` and `?` over process and instance names.
    Glob {
        /// Only there, when given; may be a pattern too.
        namespace: Option<String>,
        /// The pattern.
        pattern: String,
    },
    /// Every process with this tag.
    Tag(Tag),
    /// Every instance in this status.
    Status(Status),
    /// Of those, the ones that failed: `backoff` or `errored`.
    Failed(Box<Selector>),
}

/// What of an instance can be selected by.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its number.
    pub id: InstanceId,
    /// Its namespace.
    pub namespace: &'a Namespace,
    /// The name of its process.
    pub process: &'a ProcessName,
    /// Its own name.
    pub label: &'a str,
    /// The tags of its process.
    pub tags: &'a [Tag],
    /// Its status.
    pub status: Status,
}

impl Selector {
    /// Whether it selects this instance.
    #[must_use]
    pub fn matches(&self, it: &Candidate<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Id(id) => *id == it.id,
            Self::Name { namespace, name } => {
                namespace
                    .as_deref()
                    .is_none_or(|n| n == it.namespace.as_str())
                    && (name == it.process.as_str() || name == it.label)
            }
            Self::Glob { namespace, pattern } => {
                namespace
                    .as_deref()
                    .is_none_or(|n| glob(n, it.namespace.as_str()))
                    && (glob(pattern, it.process.as_str()) || glob(pattern, it.label))
            }
            Self::Tag(tag) => it.tags.contains(tag),
            Self::Status(status) => *status == it.status,
            Self::Failed(of) => it.status.is_failed() && of.matches(it),
        }
    }

    /// Whether selecting nothing is an answer (`all`, a pattern, a status) and not an error (a name, an id).
    #[must_use]
    pub fn may_be_empty(&self) -> bool {
        match self {
            Self::All | Self::Glob { .. } | Self::Tag(_) | Self::Status(_) => true,
            Self::Failed(of) => of.may_be_empty(),
            Self::Id(_) | Self::Name { .. } => false,
        }
    }

    /// Of which it is a choice by what they are now: a name has to be there, whether or not it failed.
    #[must_use]
    pub fn whole(&self) -> &Self {
        match self {
            Self::Failed(of) => of.whole(),
            Self::All
            | Self::Id(_)
            | Self::Name { .. }
            | Self::Glob { .. }
            | Self::Tag(_)
            | Self::Status(_) => self,
        }
    }

    /// Those of them that failed.
    #[must_use]
    pub fn failed(self) -> Self {
        match self {
            Self::Failed(_) => self,
            Self::All
            | Self::Id(_)
            | Self::Name { .. }
            | Self::Glob { .. }
            | Self::Tag(_)
            | Self::Status(_) => Self::Failed(Box::new(self)),
        }
    }
}

/// `*` is any run of characters, `?` any one.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*' {
            p += 1;
            t += 1;
        } else if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p, t));
            p += 1;
        } else if let Some((star, from)) = retry {
            p = star + 1;
            t = from + 1;
            retry = Some((star, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("an empty word selects nothing".into());
        }
        if text == "all" {
            return Ok(Self::All);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text
                .parse()
                .map(|id| Self::Id(InstanceId(id)))
                .map_err(|_| format!("{text} is too large for an id"));
        }
        if let Some(tag) = text.strip_prefix("tag:") {
            return Tag::new(tag).map(Self::Tag).map_err(|e| e.to_string());
        }
        if let Some(status) = text.strip_prefix("status:") {
            return status.parse().map(Self::Status);
        }
        if let Some(of) = text.strip_prefix("failed:") {
            // Said twice it is the same, and a word of any length would be a selector of any depth.
            if of.starts_with("failed:") {
                return Err(format!("{text:?} says failed: twice"));
            }
            return of.parse().map(Self::failed);
        }
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
            None => (None, text.to_owned()),
        };
        let fits = |t: &str| {
            !t.is_empty()
                && !t.starts_with('.')
                && t.chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-*?".contains(c))
        };
        if !fits(&name) || !namespace.as_deref().is_none_or(fits) {
            return Err(format!(
                "{text:?} is no selector (an id, a name, ns/name, a pattern with * or ?, tag:x, status:x, failed:x or all)"
            ));
        }
        if text.contains(['*', '?']) {
            Ok(Self::Glob {
                namespace,
                pattern: name,
            })
        } else {
            Ok(Self::Name { namespace, name })
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = |ns: &Option<String>| ns.as_ref().map(|n| format!("{n}/")).unwrap_or_default();
        match self {
            Self::All => f.write_str("all"),
            Self::Id(id) => write!(f, "{id}"),
            Self::Name { namespace, name } => write!(f, "{}{name}", prefix(namespace)),
            Self::Glob { namespace, pattern } => write!(f, "{}{pattern}", prefix(namespace)),
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::Status(status) => write!(f, "status:{status}"),
            Self::Failed(of) => write!(f, "failed:{of}"),
        }
    }
}

impl TryFrom<String> for Selector {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(selector: &str, namespace: &str, process: &str, label: &str) -> bool {
        let candidate = Candidate {
            id: InstanceId(7),
            namespace: &Namespace::new(namespace).unwrap(),
            process: &ProcessName::new(process).unwrap(),
            label,
            tags: &[Tag::new("web").unwrap()],
            status: Status::Running,
        };
        selector.parse::<Selector>().unwrap().matches(&candidate)
    }

    #[test]
    fn a_name_is_exact() {
        assert!(matches("api", "default", "api", "api-0"));
        assert!(matches("api-0", "default", "api", "api-0"));
        assert!(!matches("api", "default", "api-gateway", "api-gateway"));
        assert!(!matches("ap", "default", "api", "api"));
    }

    #[test]
    fn every_form_selects() {
        for selector in [
            "all",
            "7",
            "shop/api",
            "shop/*",
            "*/api",
            "a*",
            "?pi",
            "api-?",
            "tag:web",
            "status:running",
            "status:online",
        ] {
            assert!(matches(selector, "shop", "api", "api-1"), "{selector}");
        }
        for selector in ["8", "other/api", "b*", "??", "tag:db", "status:stopped"] {
            assert!(!matches(selector, "shop", "api", "api-1"), "{selector}");
        }
    }

    #[test]
    fn what_selects_nothing_sensible_is_refused() {
        for text in [
            "",
            "a b",
            "../x",
            "/",
            "a/",
            "status:up",
            "tag:",
            "99999999999",
            "a/b/c",
        ] {
            assert!(text.parse::<Selector>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_failed_is_what_waits_or_gave_up_and_is_selected() {
        let failed = Status::ALL.into_iter().filter(|it| it.is_failed());
        let failed: Vec<_> = failed.collect();
        assert_eq!(failed, [Status::Backoff, Status::Errored]);
        let (namespace, process) = (Namespace::default(), ProcessName::new("api").unwrap());
        let candidate = |status| Candidate {
            id: InstanceId(7),
            namespace: &namespace,
            process: &process,
            label: "api-1",
            tags: &[],
            status,
        };
        for (word, hits) in [
            ("failed:all", 2),
            ("failed:api", 2),
            ("failed:ap?", 2),
            ("failed:web", 0),
            ("failed:status:errored", 1),
        ] {
            let selector: Selector = word.parse().unwrap();
            let all = Status::ALL.into_iter();
            let found = all.filter(|status| selector.matches(&candidate(*status)));
            assert_eq!(found.count(), hits, "{word}");
        }
        let name: Selector = "failed:api".parse().unwrap();
        assert!(!name.may_be_empty() && "failed:all".parse::<Selector>().unwrap().may_be_empty());
        assert_eq!(name.whole().to_string(), "api");
        assert_eq!(name.to_string().parse::<Selector>().unwrap(), name);
        for wrong in ["failed:", "failed:a b", "failed:failed:api"] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn stars_backtrack() {
        assert!(glob("*a*b", "xxaxxbxb"));
        assert!(!glob("*a*b", "xxbxxa"));
        assert!(glob("**", ""));
        assert!(!glob("?", ""));
    }
}
