//! What ended a run, by its status and by what else was seen.

use crate::domain::clues::Clues;
use crate::domain::exit::{Ending, Signal};
use crate::domain::run::{Ended, Evidence, Reason};

use super::words::span;
use super::{Cause, Found, Standing};

/// A cause with what it is concluded from and what could be done.
pub(super) struct Judged {
    pub(super) cause: Cause,
    pub(super) evidence: Vec<String>,
    pub(super) hint: Option<String>,
}

fn judged(cause: Cause, evidence: Vec<String>, hint: Option<&str>) -> Judged {
    Judged {
        cause,
        evidence,
        hint: hint.map(str::to_owned),
    }
}

/// Looks for the cause.
pub(super) fn judge(end: &Ended, clues: &Clues, standing: &Standing, found: &Found) -> Judged {
    let mut judged = judge_end(end, clues, standing, found);
    for found in &end.evidence {
        if let Evidence::Sent { signal, by, ago_ms } = found {
            let ago = span(*ago_ms);
            let text = format!("adasa sent it {signal} {ago} before, asked by {by}");
            judged.evidence.push(text);
        }
    }
    judged
}

fn judge_end(end: &Ended, clues: &Clues, standing: &Standing, found: &Found) -> Judged {
    if let Reason::Asked { asker, killed } = &end.reason {
        let after_grace = end.reason.was_killed_after_grace();
        let sent = if *killed {
            "SIGKILL"
        } else {
            "its stop signal"
        };
        let evidence = vec![
            format!("adasa sent it {sent}"),
            format!("it ended with {}", end.exit.ending),
        ];
        let hint = after_grace.then_some(
            "it does not end on its stop signal in time: another `stop_signal`, or a longer `stop_timeout`",
        );
        let asker = asker.clone();
        return judged(Cause::Asked { asker, after_grace }, evidence, hint);
    }
    match end.exit.ending {
        Ending::Code(0) => judged(
            Cause::Finished,
            vec!["it returned 0, the code of success".into()],
            None,
        ),
        Ending::NotExecuted(why) => {
            let mut evidence = vec![why.as_str().to_owned()];
            let amiss = found.program.as_ref();
            evidence.extend(amiss.map(|it| it.text.clone()));
            // What was in the way then and is not now needs no more than another start.
            let remedy = amiss.map_or("mend what the kernel says", |it| it.remedy);
            let hint = format!("{remedy}; then start it again");
            judged(Cause::NotExecuted, evidence, Some(&hint))
        }
        Ending::Signal { signal, core } => by_signal(end, signal, core),
        Ending::Code(code) => by_code(code, clues, standing, found),
        Ending::Unknown => judged(
            Cause::Unknown,
            vec!["nobody was left who could collect its status from the kernel".into()],
            None,
        ),
    }
}

fn by_signal(end: &Ended, signal: Signal, core: bool) -> Judged {
    let sent = end.evidence.iter().find_map(|found| match found {
        Evidence::Sent {
            signal: sent, by, ..
        } if *sent == signal => Some(by.clone()),
        Evidence::Sent { .. }
        | Evidence::KernelLog { .. }
        | Evidence::OomCounter { .. }
        | Evidence::LastMemory { .. } => None,
    });
    if let Some(by) = sent {
        let hint = "a signal ends it as a crash does; `adasa stop` ends it for good";
        return judged(Cause::Sent { signal, by }, Vec::new(), Some(hint));
    }
    let mut evidence = Vec::new();
    let mut memory = None;
    for found in &end.evidence {
        match found {
            Evidence::KernelLog { line } => {
                memory = Some(true);
                evidence.push(format!("the kernel's log: {line}"));
            }
            Evidence::OomCounter {
                group,
                before,
                after,
                shared,
            } => {
                memory = memory.or(Some(!shared));
                let whose = if *shared {
                    ", which others are in too"
                } else {
                    ""
                };
                evidence.push(format!(
                    "oom_kill of the control group {group}{whose}: {before} → {after}"
                ));
            }
            Evidence::Sent { .. } => {}
            Evidence::LastMemory { resident } => evidence.push(format!(
                "it used {} MB when it was measured last",
                resident / 1_000_000
            )),
        }
    }
    if let Some(proved) = memory.filter(|_| signal == Signal::KILL) {
        let hint = "give it or its control group more memory, or find out why it takes so much";
        return judged(Cause::OutOfMemory { proved }, evidence, Some(hint));
    }
    evidence.insert(0, format!("{signal} ended it; adasa sent none"));
    if signal == Signal::KILL {
        evidence.push("no sign that the kernel was short of memory was found".into());
    }
    if core {
        evidence.push("the kernel wrote a core dump".into());
    }
    judged(Cause::Signal { signal, core }, evidence, meaning(signal))
}

/// What a signal that nobody of adasa sent usually means.
fn meaning(signal: Signal) -> Option<&'static str> {
    match signal.number() {
        4 => Some("SIGILL usually means a binary for another processor, or a damaged one"),
        6 => Some("SIGABRT is what a program does to itself when it finds something impossible"),
        7 | 11 => Some("the program touched memory that is not its own: a fault in the program"),
        8 => Some("the program divided by zero, or the like"),
        9 => Some("somebody, or something, sent SIGKILL; the kernel does not record who"),
        13 => Some("the program wrote to a pipe or connection whose other end was closed"),
        2 | 15 => Some("somebody sent it by hand; `adasa stop` would be remembered here"),
        _ => None,
    }
}

fn by_code(code: i32, clues: &Clues, standing: &Standing, found: &Found) -> Judged {
    let mut evidence = vec![format!("it returned {code}")];
    if let Some(clue) = &clues.address {
        evidence.push(format!("its standard error: {}", clue.line));
        let hint = match (&found.holder, clue.port) {
            (Some(holder), Some(port)) => {
                evidence.push(format!("port {port} is held by {holder}"));
                let name = &standing.name;
                Some(match &holder.instance {
                    Some(other) if other == name => {
                        "the process of another run of its own has it".to_owned()
                    }
                    Some(other) => format!("give one of {name} and {other} another port"),
                    None => format!("end pid {}, or give {name} another port", holder.pid),
                })
            }
            (None, Some(port)) if found.free => {
                evidence.push(format!("nobody listens on port {port} now"));
                None
            }
            (Some(_) | None, _) => None,
        };
        let cause = Cause::AddressInUse {
            port: clue.port,
            holder: found.holder.clone(),
        };
        return Judged {
            cause,
            evidence,
            hint,
        };
    }
    if code == 127 || code == 126 {
        evidence.extend(found.program.iter().map(|it| it.text.clone()));
        let (cause, text) = if code == 127 {
            (
                Cause::CommandNotFound,
                "127 is how a shell says that it did not find a command",
            )
        } else {
            (
                Cause::CommandNotExecutable,
                "126 is how a shell says that it may not execute a command",
            )
        };
        evidence.push(text.into());
        let hint = "look for the command in its last lines, and at its PATH";
        return judged(cause, evidence, Some(hint));
    }
    if let Some(clue) = &clues.file {
        evidence.push(format!("its standard error: {}", clue.line));
        if let (Some(path), Some(there)) = (&clue.path, found.file_there) {
            let not = if there { "" } else { "not " };
            evidence.push(format!("{path} is {not}there now"));
        }
        let path = clue.path.clone();
        return judged(Cause::MissingFile { path }, evidence, None);
    }
    if let Some(signal) = (code > 128)
        .then(|| Signal::from_number(code - 128))
        .flatten()
    {
        evidence.push(format!(
            "by convention {code} is 128 + {}: {signal} ended something that it waited for, or it says so of itself",
            signal.number()
        ));
        return judged(Cause::CodeOfSignal { signal }, evidence, meaning(signal));
    }
    judged(Cause::Failed { code }, evidence, None)
}
