//! What a command printed and how it ended, with assertions that say everything when they fail.

use std::process::ExitStatus;

use serde_json::Value;

/// The end of a command.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The command line, for messages.
    pub what: String,
    pub status: ExitStatus,
    /// Standard output as text; bytes that are none are replaced.
    pub stdout: String,
    pub stderr: String,
    /// Standard output as it came.
    pub bytes: Vec<u8>,
}

impl Output {
    #[track_caller]
    fn check(self, holds: bool, wanted: &str) -> Self {
        assert!(holds, "{wanted}, but\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.code(0)
    }

    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        let holds = self.status.code() == Some(code);
        self.check(holds, &format!("exit code {code} was expected"))
    }

    /// The whole of standard output.
    #[track_caller]
    pub(crate) fn stdout(self, text: &str) -> Self {
        let holds = self.stdout == text;
        self.check(holds, &format!("stdout {text:?} was expected"))
    }

    /// The whole of standard error.
    #[track_caller]
    pub(crate) fn stderr(self, text: &str) -> Self {
        let holds = self.stderr == text;
        self.check(holds, &format!("stderr {text:?} was expected"))
    }

    #[track_caller]
    pub(crate) fn stdout_has(self, text: &str) -> Self {
        let holds = self.stdout.contains(text);
        self.check(holds, &format!("{text:?} was expected in stdout"))
    }

    #[track_caller]
    pub(crate) fn stderr_has(self, text: &str) -> Self {
        let holds = self.stderr.contains(text);
        self.check(holds, &format!("{text:?} was expected in stderr"))
    }

    #[track_caller]
    pub(crate) fn stdout_lacks(self, text: &str) -> Self {
        let holds = !self.stdout.contains(text);
        self.check(holds, &format!("{text:?} was not expected in stdout"))
    }

    #[track_caller]
    pub(crate) fn stderr_lacks(self, text: &str) -> Self {
        let holds = !self.stderr.contains(text);
        self.check(holds, &format!("{text:?} was not expected in stderr"))
    }

    /// An error of the usual form: nothing on stdout, `adasa: …` on stderr, this code.
    #[track_caller]
    pub(crate) fn error(self, code: i32) -> Self {
        let holds = self.stderr.starts_with("adasa: ");
        self.check(holds, "an error `adasa: WHAT: WHY` was expected")
            .stdout("")
            .code(code)
    }

    /// Standard output as one JSON value, and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("JSON was expected on stdout ({e}), but\n{self}"))
    }

    /// Standard output as one JSON value per line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|e| {
                panic!("a line of JSON was expected, not {line:?} ({e})\n{self}")
            })
        };
        self.stdout.lines().map(parse).collect()
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            what,
            status,
            stdout,
            stderr,
            bytes: _,
        } = self;
        write!(
            f,
            "  command: {what}\n  {status}\n  stdout: {stdout:?}\n  stderr: {stderr:?}\n{stderr}"
        )
    }
}
