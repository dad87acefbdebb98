//! The settings of the daemon: `daemon.toml` in the configuration folder, and `ADASA_SECTION__KEY` in its environment,
//! which wins.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::settings::Settings;
use crate::domain::spec::Origin;

use super::document::{Key, Node, Value, parse};
use super::error::ConfigError;
use super::read::{Caller, Read, Reader};

/// What the file is called.
pub(crate) const DAEMON_FILE: &str = "daemon.toml";
/// The longest name and label.
const TEXT_MAX: usize = 40;
const HOST_KEYS: [&str; 3] = ["name", "label", "confirm"];
const CONFIRM: [(&str, bool); 2] = [("normal", false), ("strict", true)];
/// What a variable of the daemon begins with.
const PREFIX: &str = "ADASA_";
/// Sections that are read by whom they are for, before there are settings.
const ELSEWHERE: [&str; 2] = ["LOG", "LOGS"];

/// Reads the settings; without a file there are only those of the environment.
///
/// # Errors
/// A file that cannot be read, or what is wrong in it or in a variable, with its place.
pub(crate) fn load_settings(
    path: &Path,
    env: &BTreeMap<String, String>,
) -> Result<Settings, ConfigError> {
    let mut it = Settings::default();
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let tree = parse(path, &text)?;
            take(&reader(path, &text, &Caller::default()), &tree, &mut it)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            let why = format!("it cannot be read: {error}");
            return Err(ConfigError::whole(path, why));
        }
    }
    for (name, value) in env {
        let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|n| n.split_once("__"))
        else {
            continue;
        };
        if ELSEWHERE.contains(&section) {
            continue;
        }
        // As if the variable were a file of one key.
        let table = |name: &str, node: Node| Node {
            value: Value::Table(vec![(
                Key {
                    name: name.to_ascii_lowercase(),
                    span: 0..0,
                },
                node,
            )]),
            span: 0..0,
        };
        let value_node = Node {
            value: Value::Text(value.clone()),
            span: 0..value.len(),
        };
        let tree = table(section, table(key, value_node));
        take(
            &reader(Path::new(name), value, &Caller::default()),
            &tree,
            &mut it,
        )?;
    }
    Ok(it)
}

fn reader<'a>(path: &'a Path, text: &'a str, caller: &'a Caller) -> Reader<'a> {
    Reader {
        path,
        folder: path.parent().unwrap_or(Path::new("/")),
        text,
        caller,
        origin: Origin::Typed,
    }
}

fn take(reader: &Reader<'_>, tree: &Node, it: &mut Settings) -> Read<()> {
    for (key, node) in reader.table(tree, "the file")? {
        if key.name != "host" {
            return Err(reader.unknown(key, &["host"]));
        }
        for (key, node) in reader.table(node, "host")? {
            match key.name.as_str() {
                "name" => it.host.name = Some(short(reader, node, "name")?),
                "label" => it.host.label = Some(short(reader, node, "label")?),
                "confirm" => it.host.strict = reader.word(node, "confirm", &CONFIRM)?,
                _ => return Err(reader.unknown(key, &HOST_KEYS)),
            }
        }
    }
    Ok(())
}

/// A text that stands in one line of a header.
fn short(reader: &Reader<'_>, node: &Node, key: &str) -> Read<String> {
    let text = reader.text(node, key)?;
    let fits = !text.is_empty() && text.chars().count() <= TEXT_MAX;
    if fits && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    let message = format!("`{key}` takes 1 to {TEXT_MAX} characters in one line");
    Err(reader.at(&node.span, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, env: &[(&str, &str)]) -> Result<Settings, String> {
        let dir = std::env::temp_dir().join(format!(
            "adasa-settings-{}-{:x}",
            std::process::id(),
            crc32fast::hash(format!("{text}{env:?}").as_bytes())
        ));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join(DAEMON_FILE);
        std::fs::write(&path, text).unwrap();
        let env = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        let read = load_settings(&path, &env.collect()).map_err(|e| {
            let file = e.file.file_name().unwrap().to_string_lossy().into_owned();
            let place = e
                .place
                .map_or_else(String::new, |(l, c)| format!(":{l}:{c}"));
            format!(
                "{file}{place}: {} ({})",
                e.message,
                e.hint.unwrap_or_default()
            )
        });
        std::fs::remove_dir_all(dir).unwrap();
        read
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let text = "[host]\nname = \"eu-1\"\nlabel = \"PROD\"\nconfirm = \"strict\"\n";
        let it = read(text, &[]).unwrap().host;
        assert_eq!(
            (it.name.as_deref(), it.label.as_deref()),
            (Some("eu-1"), Some("PROD"))
        );
        assert!(it.strict);
        let env = [
            ("ADASA_HOST__LABEL", "TEST"),
            ("ADASA_HOST__CONFIRM", "normal"),
            ("ADASA_HOME", "/x"),
            ("ADASA_LOG__LEVEL", "debug"),
            ("ADASA_LOGS__QUOTA", "1GiB"),
        ];
        let it = read(text, &env).unwrap().host;
        assert_eq!((it.label.as_deref(), it.strict), (Some("TEST"), false));
        assert_eq!(read("", &[]), Ok(Settings::default()));
    }

    #[test]
    fn what_is_wrong_has_its_place_and_the_nearest_key() {
        for (text, env, why) in [
            (
                "[host]\nlabl = 1\n",
                None,
                "daemon.toml:2:1: there is no key `labl` (did you mean `label`?)",
            ),
            (
                "[hots]\n",
                None,
                "daemon.toml:1:2: there is no key `hots` (did you mean `host`?)",
            ),
            (
                "[host]\nlabel = 3\n",
                None,
                "daemon.toml:2:9: `label` takes",
            ),
            ("[host]\nconfirm = \"off\"\n", None, "daemon.toml:2:11: "),
            ("[host]\nname = \"\"\n", None, "1 to 40 characters"),
            (
                "",
                Some(("ADASA_HOST__LABL", "x")),
                "ADASA_HOST__LABL:1:1: there is no key `labl` (did you mean `label`?)",
            ),
            (
                "",
                Some(("ADASA_HOTS__LABEL", "x")),
                "there is no key `hots`",
            ),
            (
                "",
                Some(("ADASA_HOST__CONFIRM", "off")),
                "ADASA_HOST__CONFIRM:1:1: ",
            ),
        ] {
            let env: Vec<_> = env.into_iter().collect();
            let told = read(text, &env).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
