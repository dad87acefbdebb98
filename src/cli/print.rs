//! Standard output and error: nothing else writes there.
#![expect(clippy::print_stderr, reason = "this is where errors are shown")]

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::logs::safe::{Colour, Look, SafeText, harmless};

use super::failure::Failure;

/// Bytes as they are.
pub(super) fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// A line for people; what came from outside is made harmless.
pub(super) fn line(text: &str) {
    let mut text = if stdout_is_terminal() {
        text.split('\n')
            .map(harmless)
            .collect::<Vec<_>>()
            .join("\n")
    } else {
        text.to_owned()
    };
    text.push('\n');
    bytes(text.as_bytes());
}

/// A value as JSON, readable. An empty list stays on one line, as tools expect.
pub(super) fn json(value: &impl Serialize) {
    json_text(serde_json::to_string_pretty(value).unwrap_or_default());
}

/// A value as JSON on one line.
pub(super) fn json_line(value: &impl Serialize) {
    json_text(serde_json::to_string(value).unwrap_or_default());
}

/// DEL, C1 controls and what turns the direction of text need no escape in JSON, and a terminal obeys them: here they
/// have one, which means the same.
fn json_text(mut text: String) {
    let obeyed = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(obeyed) {
        let escape = |c: char| match obeyed(c) {
            true => format!("\\u{:04x}", u32::from(c)),
            false => c.to_string(),
        };
        text = text.chars().map(escape).collect();
    }
    text.push('\n');
    bytes(text.as_bytes());
}

/// An error.
pub(super) fn failure(failure: &Failure, json: bool) {
    let clean = |text: &str| {
        text.split('\n')
            .map(harmless)
            .collect::<Vec<_>>()
            .join("\n")
    };
    if json {
        error_as_json(failure);
    }
    eprintln!("adasa: {}", clean(&failure.what));
    if let Some(text) = &failure.hint {
        hint(text);
    }
}

/// An error as programs read it.
pub(super) fn error_as_json(failure: &Failure) {
    json_line(&serde_json::json!({
        "success": false,
        "error": { "message": failure.what, "hint": failure.hint, "exit": failure.exit },
    }));
}

/// A question to whoever sits there; what is typed, without the end of the line.
pub(super) fn ask(question: &str) -> Option<String> {
    eprint!("{}", harmless(question));
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed).ok()?;
    Some(typed.trim().to_owned())
}

/// What to do about it.
pub(super) fn hint(text: &str) {
    let lines: Vec<String> = text.split('\n').map(harmless).collect();
    eprintln!("  hint: {}", lines.join("\n"));
}

/// A remark on standard error.
pub(super) fn remark(text: &str) {
    eprintln!("adasa: {}", harmless(text));
}

/// What is going on, on a line that is written over; nothing when nobody watches.
pub(super) fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{}", harmless(text));
        let _ = std::io::stderr().flush();
    }
}

/// Takes the line of [`progress`] away.
pub(super) fn progress_end() {
    progress("");
}

pub(super) fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether colours are wanted: on a terminal, unless `NO_COLOR` is set; see no-color.org.
pub(super) fn colours() -> bool {
    stdout_is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// How many cells wide the output is; without limit where nobody looks at it.
pub(super) fn width() -> usize {
    if let Some(columns) = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()) {
        return columns;
    }
    if stdout_is_terminal()
        && let Ok((columns, _)) = crossterm::terminal::size()
    {
        return usize::from(columns);
    }
    usize::MAX
}

/// A harmless line with its looks as escape sequences of our own.
pub(super) fn styled(text: &SafeText, colours: bool) -> String {
    if !colours {
        return text.plain();
    }
    let mut out = String::new();
    for (piece, look) in text.pieces() {
        let unmarked = Look {
            mark: false,
            control: false,
            ..*look
        };
        if unmarked == Look::default() {
            out.push_str(piece);
        } else {
            out.push_str(&codes(*look));
            out.push_str(piece);
            out.push_str("\x1b[0m");
        }
    }
    out
}

fn codes(look: Look) -> String {
    let mut codes = Vec::new();
    for (on, code) in [
        (look.bold, 1),
        (look.italic, 3),
        (look.underline, 4),
        (look.reverse, 7),
    ] {
        if on {
            codes.push(code.to_string());
        }
    }
    let mut colour = |colour: Option<Colour>, base: u8| match colour {
        None => {}
        Some(Colour::Indexed(n)) => codes.push(format!("{base};5;{n}")),
        Some(Colour::Rgb(r, g, b)) => codes.push(format!("{base};2;{r};{g};{b}")),
    };
    colour(look.fg, 38);
    colour(look.bg, 48);
    format!("\x1b[{}m", codes.join(";"))
}
