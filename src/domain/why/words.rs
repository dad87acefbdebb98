//! The answer in words.

use std::fmt::Write as _;

use crate::domain::operation::Verb;
use crate::domain::run::{Asker, Ended, Evidence, Reason, Run};
use crate::domain::status::Status;

use super::{Cause, Holder, Next, Standing};

impl Next {
    /// As a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Runs => "it runs".into(),
            Self::Starts => "it is being started".into(),
            Self::Ends { kill_in_ms: None } => "it is being ended".into(),
            Self::Ends {
                kill_in_ms: Some(ms),
            } => format!("it is being ended; SIGKILL follows in {}", span(*ms)),
            Self::Retries {
                in_ms,
                failures,
                allowed,
            } => format!(
                "the next attempt is in {} ({failures} of {allowed} failures)",
                span(*in_ms)
            ),
            Self::GaveUp { never: true, .. } => "it stays so: its restart policy is never".into(),
            Self::GaveUp {
                failures, allowed, ..
            } => format!(
                "adasa gave up after {failures} of {allowed} failures; it stays so until it is started"
            ),
            Self::StaysStopped => "it stays stopped until it is started".into(),
            Self::StaysEnded => "it ended well, and its restart policy leaves it so".into(),
        }
    }
}

/// The whole answer in one sentence.
pub(super) fn answer(standing: &Standing, last: Option<&Run>, cause: Option<&Cause>) -> String {
    let name = &standing.name;
    let running = standing.status == Status::Running;
    let mut text = if running {
        let since = standing
            .uptime_ms
            .map_or_else(String::new, |ms| format!(" for {}", span(ms)));
        format!("{name} is running{since}")
    } else if standing.status == Status::Backoff {
        format!("{name} waits for its next attempt")
    } else {
        format!("{name} is {}", standing.status)
    };
    let Some(last) = last else {
        // Without a run there is only what the daemon says.
        return if running {
            text + ", and no end of it is known"
        } else {
            format!("{text}: {}", standing.because)
        };
    };
    text.push_str(&if standing.alive {
        format!("; before that, run {} ", last.run)
    } else {
        format!(": run {} ", last.run)
    });
    let Some(end) = &last.ended else {
        text.push_str("is over, and nobody saw how: what could have seen it went down with it");
        return text;
    };
    text.push_str(&said(end, cause, standing));
    let _ = write!(text, ", after {}", span(end.lasted_ms));
    text
}

fn said(end: &Ended, cause: Option<&Cause>, standing: &Standing) -> String {
    let ending = end.exit.ending;
    match cause {
        Some(Cause::Finished) => "ended well by itself".into(),
        Some(Cause::Asked { asker, after_grace }) => {
            let grace = if *after_grace {
                " and had to be killed, for it did not obey in time"
            } else {
                ""
            };
            let what = match asker {
                Asker::Command {
                    verb: Verb::Restart,
                    by,
                    ..
                } => format!("was ended for a restart by {by}"),
                Asker::Command { by, .. } => format!("was ended by {by}"),
                Asker::MemoryLimit { .. } => format!("was ended for {asker}"),
                Asker::Shutdown => "was ended with everything else".into(),
                Asker::TooSlow => "was ended: it did not become its program in time".into(),
                Asker::Policy | Asker::Boot | Asker::Other { .. } => format!("was ended: {asker}"),
            };
            what + grace
        }
        Some(Cause::OutOfMemory { proved: true }) => {
            "was killed by the kernel, which was out of memory".into()
        }
        Some(Cause::OutOfMemory { proved: false }) => {
            "was killed, probably by the kernel for want of memory".into()
        }
        Some(Cause::NotExecuted) => format!("never became {}", standing.program),
        Some(Cause::AddressInUse { port, holder }) => {
            let mut known: Vec<String> = port.iter().map(|p| format!("port {p}")).collect();
            known.extend(holder.iter().map(|h| format!("held by {h}")));
            let known = match known.as_slice() {
                [] => String::new(),
                known => format!(" ({})", known.join(", ")),
            };
            format!("ended with {ending}: the address it wanted was in use{known}")
        }
        Some(Cause::MissingFile { path }) => {
            let which = path.as_deref().unwrap_or("a file");
            format!("ended with {ending}: it missed {which}")
        }
        Some(Cause::CommandNotFound) => format!("ended with {ending}: a command was not found"),
        Some(Cause::CommandNotExecutable) => {
            format!("ended with {ending}: a command could not be executed")
        }
        Some(Cause::CodeOfSignal { signal }) => {
            format!("ended with {ending}, which by convention means {signal}")
        }
        Some(Cause::Sent { by, .. }) => format!("was ended by {ending}, sent at the word of {by}"),
        Some(Cause::Signal { .. }) => format!("was ended by {ending}, which adasa did not send"),
        Some(Cause::Failed { .. }) | None => format!("failed with {ending}"),
        Some(Cause::Unknown) => "ended, and the kernel does not tell how".into(),
    }
}

/// One end in a few words.
#[must_use]
pub(crate) fn short(end: &Ended) -> String {
    match &end.reason {
        Reason::Itself => {
            let told = |e: &Evidence| matches!(e, Evidence::KernelLog { .. });
            let why = if end.evidence.iter().any(told) {
                ", out of memory"
            } else {
                ""
            };
            format!("{}{why}", end.exit.ending)
        }
        Reason::Asked { asker, .. } => {
            let killed = if end.reason.was_killed_after_grace() {
                ", killed after its grace"
            } else {
                ""
            };
            format!("{} ({asker}{killed})", end.exit.ending)
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.instance.as_ref().unwrap_or(&self.name);
        write!(f, "{name} (pid {})", self.pid)
    }
}

/// Milliseconds as short text: `40ms`, `2.5s`, `5m 2s`, `3h 12m`, `2d 5h`.
#[must_use]
pub(crate) fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    let pair = |a: u64, x: &str, b: u64, y: &str| {
        if b == 0 {
            format!("{a}{x}")
        } else {
            format!("{a}{x} {b}{y}")
        }
    };
    match seconds {
        0 => format!("{ms}ms"),
        1..10 if ms % 1000 >= 100 => format!("{seconds}.{}s", ms % 1000 / 100),
        1..60 => format!("{seconds}s"),
        60..3600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3600..86400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => pair(seconds / 86400, "d", seconds % 86400 / 3600, "h"),
    }
}
