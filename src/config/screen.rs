//! The settings of the dashboard: `client.toml` in the configuration folder.

use std::path::Path;
use std::time::Duration;

use crate::domain::spec::Origin;

use super::document::{Node, Value, parse};
use super::error::ConfigError;
use super::read::{Caller, Read, Reader};

/// How colours are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colours {
    /// The terminal's own: dark and light backgrounds both work.
    Terminal,
    /// None.
    Mono,
    /// For a dark background: lighter colours.
    Dark,
    /// For a light background: darker colours.
    Light,
    /// Bold, bright, underlined: for eyes and screens that need it.
    HighContrast,
}

/// The word for each.
pub(crate) const THEMES: [(&str, Colours); 5] = [
    ("terminal", Colours::Terminal),
    ("dark", Colours::Dark),
    ("light", Colours::Light),
    ("mono", Colours::Mono),
    ("high-contrast", Colours::HighContrast),
];

/// Which characters signs and charts are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// As locale and terminal say.
    Auto,
    /// Unicode, whatever they say.
    Unicode,
    /// Only ASCII.
    Ascii,
    /// Unicode, with charts of braille dots instead of blocks: for fonts whose blocks leave gaps.
    Braille,
}

const CHARSETS: [(&str, Charset); 4] = [
    ("auto", Charset::Auto),
    ("unicode", Charset::Unicode),
    ("ascii", Charset::Ascii),
    ("braille", Charset::Braille),
];

/// A colour of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// One of the 256; the first eight are the base colours, the next eight the bright ones.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// The base colours in their order.
const BASE: [&str; 8] = [
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
];

impl Colour {
    /// `red`, `bright-red`, `208` or `#ff8700`.
    fn parse(text: &str) -> Option<Self> {
        let base = |name: &str| BASE.iter().position(|it| *it == name);
        if let Some(hex) = text.strip_prefix('#') {
            let digits = hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
            let [_, r, g, b] = u32::from_str_radix(hex, 16).ok()?.to_be_bytes();
            return digits.then_some(Self::Rgb(r, g, b));
        }
        if let Some(name) = text.strip_prefix("bright-") {
            return u8::try_from(base(name)? + 8).ok().map(Self::Indexed);
        }
        match base(text) {
            Some(n) => u8::try_from(n).ok().map(Self::Indexed),
            None => text.parse().ok().map(Self::Indexed),
        }
    }
}

/// Colours that stand in for those of the theme, by what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Palette {
    /// All is well.
    pub good: Option<Colour>,
    /// On its way.
    pub moving: Option<Colour>,
    /// Waits after a failure.
    pub waiting: Option<Colour>,
    /// Needs a person.
    pub bad: Option<Colour>,
}

/// What the file says; what it does not say stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Screen {
    /// How often numbers are drawn anew.
    pub interval: Option<Duration>,
    /// Only characters that every terminal has.
    pub ascii: Option<bool>,
    /// Which characters signs and charts are made of.
    pub glyphs: Option<Charset>,
    /// How colours are chosen.
    pub theme: Option<Colours>,
    /// Other colours than those of the theme.
    pub colours: Palette,
    /// Take the mouse from the terminal.
    pub mouse: Option<bool>,
    /// Only look.
    pub read_only: Option<bool>,
    /// Keys by the name of their action, in the order of the file.
    pub keys: Vec<(String, Vec<String>)>,
}

const KEYS: [&str; 8] = [
    "interval",
    "ascii",
    "glyphs",
    "theme",
    "colours",
    "mouse",
    "read_only",
    "keys",
];
const ROLES: [&str; 4] = ["good", "moving", "waiting", "bad"];

/// Reads the settings; without a file there are none.
///
/// # Errors
/// A file that cannot be read, or what is wrong in it, with its place.
pub(crate) fn load_screen(path: &Path) -> Result<Screen, ConfigError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Screen::default()),
        Err(error) => {
            return Err(ConfigError::whole(
                path,
                format!("it cannot be read: {error}"),
            ));
        }
    };
    let caller = Caller::default();
    let reader = Reader {
        path,
        folder: path.parent().unwrap_or(Path::new("/")),
        text: &text,
        caller: &caller,
        origin: Origin::Typed,
    };
    screen(&reader, &parse(path, &text)?)
}

fn screen(reader: &Reader<'_>, tree: &Node) -> Read<Screen> {
    let mut it = Screen::default();
    for (key, node) in reader.table(tree, "the file")? {
        if key.name != "tui" {
            return Err(reader.unknown(key, &["tui"]));
        }
        for (key, node) in reader.table(node, "tui")? {
            match key.name.as_str() {
                "interval" => it.interval = Some(reader.duration(node, "interval")?),
                "ascii" => it.ascii = Some(reader.truth(node, "ascii")?),
                "mouse" => it.mouse = Some(reader.truth(node, "mouse")?),
                "read_only" => it.read_only = Some(reader.truth(node, "read_only")?),
                "theme" => it.theme = Some(reader.word(node, "theme", &THEMES)?),
                "glyphs" => it.glyphs = Some(reader.word(node, "glyphs", &CHARSETS)?),
                "colours" => it.colours = palette(reader, node)?,
                "keys" => it.keys = keys(reader, node)?,
                _ => return Err(reader.unknown(key, &KEYS)),
            }
        }
    }
    Ok(it)
}

fn palette(reader: &Reader<'_>, node: &Node) -> Read<Palette> {
    let mut it = Palette::default();
    for (key, node) in reader.table(node, "colours")? {
        let place = match key.name.as_str() {
            "good" => &mut it.good,
            "moving" => &mut it.moving,
            "waiting" => &mut it.waiting,
            "bad" => &mut it.bad,
            _ => return Err(reader.unknown(key, &ROLES)),
        };
        let wanted = "a base colour (`green`, `bright-green`), a number of the 256, or `#rrggbb`";
        let text = reader.loose_text(node, &key.name)?;
        *place = Some(Colour::parse(&text).ok_or_else(|| reader.wrong(node, &key.name, wanted))?);
    }
    Ok(it)
}

/// One key, or several.
fn keys(reader: &Reader<'_>, node: &Node) -> Read<Vec<(String, Vec<String>)>> {
    let one = |key: &str, node: &Node| match &node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Bool(_)
        | Value::List(_)
        | Value::Table(_)
        | Value::Null => Err(reader.wrong(node, key, "the name of a key, or a list of them")),
    };
    let mut found = Vec::new();
    for (key, node) in reader.table(node, "keys")? {
        let keys = match &node.value {
            Value::List(items) => items
                .iter()
                .map(|item| one(&key.name, item))
                .collect::<Read<Vec<_>>>()?,
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Bool(_)
            | Value::Table(_)
            | Value::Null => vec![one(&key.name, node)?],
        };
        found.push((key.name.clone(), keys));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Screen, String> {
        let dir = std::env::temp_dir().join(format!(
            "adasa-screen-{}-{:x}",
            std::process::id(),
            crc32fast::hash(text.as_bytes())
        ));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("client.toml");
        std::fs::write(&path, text).unwrap();
        let read = load_screen(&path).map_err(|e| {
            let place = e
                .place
                .map_or_else(String::new, |(l, c)| format!("{l}:{c}: "));
            format!("{place}{} ({})", e.message, e.hint.unwrap_or_default())
        });
        std::fs::remove_dir_all(dir).unwrap();
        read
    }

    #[test]
    fn every_key_is_read() {
        let it = read("[tui]\ninterval = \"2s\"\nascii = true\ntheme = \"mono\"\n[tui.keys]\nstop = \"Z\"\nquit = [\"q\", \"^Q\"]\n").unwrap();
        assert_eq!(it.interval, Some(Duration::from_secs(2)));
        assert_eq!(it.ascii, Some(true));
        assert_eq!(it.theme, Some(Colours::Mono));
        assert_eq!(
            it.keys,
            [
                ("stop".to_owned(), vec!["Z".to_owned()]),
                ("quit".to_owned(), vec!["q".to_owned(), "^Q".to_owned()])
            ]
        );
    }

    #[test]
    fn colours_are_named_numbered_or_mixed() {
        let it = read(
            "[tui]\nglyphs = \"braille\"\n[tui.colours]\ngood = \"bright-cyan\"\nmoving = 33\nwaiting = \"blue\"\nbad = \"#ff8700\"\n",
        );
        let it = it.unwrap();
        assert_eq!(it.glyphs, Some(Charset::Braille));
        let palette = Palette {
            good: Some(Colour::Indexed(14)),
            moving: Some(Colour::Indexed(33)),
            waiting: Some(Colour::Indexed(4)),
            bad: Some(Colour::Rgb(255, 0x87, 0)),
        };
        assert_eq!(it.colours, palette);
        for nonsense in ["256", "#ff87", "#ff87000", "#+f8700", "pink", "bright-", ""] {
            let read = read(&format!("[tui.colours]\nbad = {nonsense:?}\n"));
            let said = read.unwrap_err();
            assert!(said.contains("`bad` takes a base colour"), "{said}");
        }
        let said = read("[tui.colours]\nbat = \"red\"\n").unwrap_err();
        assert!(said.ends_with("(did you mean `bad`?)"), "{said}");
    }

    #[test]
    fn what_is_wrong_has_its_place_and_the_nearest_key() {
        assert_eq!(
            read("[tui]\nintervall = 1\n").unwrap_err(),
            "2:1: there is no key `intervall` (did you mean `interval`?)"
        );
        assert!(
            read("[tui]\ntheme = \"pink\"\n")
                .unwrap_err()
                .contains("terminal, dark, light, mono, high-contrast")
        );
        assert!(
            read("[tui.keys]\nstop = 3\n")
                .unwrap_err()
                .starts_with("2:8: `stop` takes the name of a key")
        );
    }

    #[test]
    fn no_file_is_no_setting() {
        assert_eq!(
            load_screen(Path::new("/nowhere/client.toml")),
            Ok(Screen::default())
        );
    }
}
