//! What a program's last words tell: which address was taken, which file was not there. Nothing is concluded here; what
//! a clue says is looked up, and only then is it part of an answer.

/// What the last lines of standard error point at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Clues {
    /// An address that was taken.
    pub address: Option<AddressClue>,
    /// A file that was not there.
    pub file: Option<FileClue>,
}

/// A line that says that an address is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressClue {
    /// The line.
    pub line: String,
    /// The port that it names.
    pub port: Option<u16>,
}

/// A line that says that a file is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileClue {
    /// The line.
    pub line: String,
    /// The path that it names.
    pub path: Option<String>,
}

const TAKEN: [&str; 3] = ["eaddrinuse", "address already in use", "address in use"];
const ABSENT: [&str; 3] = ["enoent", "no such file or directory", "no such file"];

/// Reads the clues, the newest line first.
#[must_use]
pub(crate) fn clues(stderr: &[String]) -> Clues {
    let mut clues = Clues::default();
    for line in stderr.iter().rev() {
        let lower = line.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if says(&TAKEN) {
            let port = port(line);
            // The line that names the port is worth more than the one above or below it.
            let better = |a: &AddressClue| a.port.is_none() && port.is_some();
            if clues.address.as_ref().is_none_or(better) {
                let line = line.trim().to_owned();
                clues.address = Some(AddressClue { line, port });
            }
        }
        if says(&ABSENT) && clues.file.is_none() {
            clues.file = Some(FileClue {
                line: line.trim().to_owned(),
                path: path(line),
            });
        }
    }
    clues
}

/// The last number behind a colon, or behind the word `port`, that can be a port.
fn port(line: &str) -> Option<u16> {
    let digit = |c: char| c.is_ascii_digit();
    let mut found = None;
    for (at, _) in line.match_indices(digit) {
        let (before, number) = line.split_at(at);
        if before.ends_with(digit) || before.ends_with('.') {
            continue;
        }
        let end = number.find(|c: char| !digit(c)).unwrap_or(number.len());
        let (number, after) = number.split_at(end);
        let clock = before.ends_with(':') && ends_with_hour(&before[..at - 1])
            || after
                .strip_prefix(':')
                .is_some_and(|rest| rest.starts_with(digit));
        let word = before.trim_end_matches([' ', '=', '(', '"', '\'']);
        let named = before.ends_with(':') || word.to_lowercase().ends_with("port");
        if named
            && !clock
            && !after.starts_with('.')
            && let Ok(port @ 1..) = number.parse::<u16>()
        {
            found = Some(port);
        }
    }
    found
}

/// Whether a text ends as the hours of a clock do: two digits, and nothing of an address before them.
fn ends_with_hour(text: &str) -> bool {
    let bare = text.trim_end_matches(|c: char| c.is_ascii_digit());
    text.len() - bare.len() == 2 && !bare.ends_with(['.', ']'])
}

/// A path in quotation marks; else a word with a slash in it.
fn path(line: &str) -> Option<String> {
    for mark in ['\'', '"', '`'] {
        let twice = line.matches(mark).count() >= 2;
        let quoted = line.split(mark).nth(1).filter(|_| twice);
        if let Some(text) = quoted.filter(|t| !t.is_empty() && t.len() < 4096) {
            return Some(text.to_owned());
        }
    }
    line.split_whitespace()
        .map(|word| word.trim_matches([':', ',', ';', '(', ')']))
        .rfind(|word| word.contains('/') && !word.contains("://"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Clues {
        clues(&[line.to_owned()])
    }

    #[test]
    fn the_port_that_was_taken_is_read_from_what_programs_say() {
        for (line, port) in [
            (
                "Error: listen EADDRINUSE: address already in use :::8080",
                Some(8080),
            ),
            (
                "nginx: bind() to 0.0.0.0:80 failed (98: Address already in use)",
                Some(80),
            ),
            ("OSError: [Errno 98] Address already in use", None),
            (
                "12:04:31 listen tcp :9000: bind: address already in use",
                Some(9000),
            ),
            ("12:04:31 Address already in use", None),
            ("bind: Address already in use, port 5432", Some(5432)),
            ("Address already in use: 99999", None),
        ] {
            let clue = of(line).address.unwrap_or_else(|| panic!("{line}"));
            assert_eq!(clue.port, port, "{line}");
        }
        assert_eq!(of("listening on :8080").address, None);
    }

    #[test]
    fn the_file_that_was_not_there_is_read_from_what_programs_say() {
        for (line, path) in [
            (
                "ENOENT: no such file or directory, open '/etc/app.json'",
                Some("/etc/app.json"),
            ),
            (
                "cat: /srv/none: No such file or directory",
                Some("/srv/none"),
            ),
            ("open config.toml: no such file or directory", None),
        ] {
            let clue = of(line).file.unwrap_or_else(|| panic!("{line}"));
            assert_eq!(clue.path.as_deref(), path, "{line}");
        }
        assert_eq!(of("all is well").file, None);
    }
}
