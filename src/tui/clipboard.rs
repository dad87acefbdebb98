//! The clipboard of whoever sits at the terminal: through tmux, which passes it on, or through the terminal itself.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Sends text there; the remark says how, and that nobody confirms it.
///
/// # Errors
/// When it could not even be sent.
pub(super) fn copy(text: &str) -> Result<String, String> {
    let count = text.chars().count();
    let what = if count == 1 {
        "character"
    } else {
        "characters"
    };
    if std::env::var_os("TMUX").is_some_and(|v| !v.is_empty()) {
        return match through_tmux(text) {
            Ok(()) => Ok(format!("{count} {what} are in the buffer of tmux")),
            Err(error) => Err(format!("tmux did not take the text: {error}; C or W")),
        };
    }
    let sequence = osc52(text);
    let mut out = io::stdout().lock();
    out.write_all(sequence.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| format!("the terminal did not take the text: {error}"))?;
    Ok(format!(
        "sent {count} {what} to the terminal (it does not confirm); missing? C or W"
    ))
}

/// The control sequence that sets a clipboard. The text inside is base64: nothing in it can end the sequence.
fn osc52(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text))
}

fn through_tmux(text: &str) -> io::Result<()> {
    let mut child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    let status = child.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("it ended with {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_text_can_end_the_sequence() {
        let sequence = osc52("a\x07\x1b\\b\x1b]52;c;x\x07");
        let body = sequence.strip_prefix("\x1b]52;c;").unwrap();
        let body = body.strip_suffix('\x07').unwrap();
        let plain = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        assert!(body.chars().all(plain), "{body}");
    }
}
