//! Words that select, as typed: a config file stands for what it defines.

use std::collections::BTreeMap;
use std::path::Path;

use crate::api::Face;
use crate::client::{Client, ClientError};
use crate::config::{self, Caller};
use crate::domain::selector::Selector;

use super::args::Global;
use super::failure::{Failure, exit};

/// A client that says that it is the command line.
pub(super) fn new_client(autostart: bool) -> Result<Client, ClientError> {
    Ok(Client::new(autostart)?.introduced_as(Face::Cli))
}

/// A client as the flags want it.
pub(super) fn client(global: &Global) -> Result<Client, Failure> {
    Ok(new_client(!global.no_autostart)?)
}

/// Who types: environment variables that are text.
pub(super) fn caller() -> Caller {
    let env: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)))
        .collect();
    Caller { env }
}

/// Whether a word names a config file.
pub(super) fn is_file(word: &str) -> bool {
    let path = Path::new(word);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    matches!(ending, "toml" | "json") && path.is_file()
}

/// The words as selectors.
pub(super) fn selectors(words: &[String]) -> Result<Vec<Selector>, Failure> {
    let mut found = Vec::new();
    for word in words {
        if is_file(word) {
            for spec in config::load(Path::new(word), &caller())?.specs {
                found.push(Selector::Name {
                    namespace: Some(spec.namespace.to_string()),
                    name: spec.name.to_string(),
                });
            }
        } else {
            found.push(word.parse().map_err(|why| Failure::new(exit::USAGE, why))?);
        }
    }
    Ok(found)
}

/// The words as the API takes them.
pub(super) fn words(words: &[String]) -> Result<Vec<String>, Failure> {
    Ok(selectors(words)?.iter().map(ToString::to_string).collect())
}
