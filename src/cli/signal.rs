//! signal, kill -s.

use std::process::ExitCode;

use crate::api::{Intent, Progress, SendSignal, Sending, Whom};
use crate::client::operation_id;
use crate::domain::exit::Signal;

use super::args::{Global, SignalTo};
use super::care::carefully;
use super::failure::Failure;
use super::select::{client, selectors};
use super::{print, progress};

pub(super) fn send(global: &Global, signal: Signal, to: &SignalTo) -> Result<ExitCode, Failure> {
    let whom = if to.group { Whom::Group } else { Whom::Main };
    let send = Sending { signal, whom };
    let select = selectors(&to.targets.select)?;
    let client = client(global)?;
    let what = (Intent::Send(send), select.as_slice());
    let view = carefully(&client, global, to.care, what, |force_protected| {
        let wish = SendSignal {
            operation: operation_id(),
            send,
            select: select.clone(),
            only_run: None,
            force_protected,
        };
        client.send_signal(&wish, progress::first_wait(global))
    })?;
    let Some(view) = view else {
        return Ok(ExitCode::SUCCESS);
    };
    if !global.json {
        for target in view.targets.iter().filter(|t| t.progress == Progress::Done) {
            let name = &target.name;
            let pid = target
                .pid
                .map_or_else(String::new, |pid| format!(" (pid {pid})"));
            print::line(&format!(
                "{signal} was sent to {} of {name}{pid}",
                whom.words()
            ));
        }
    }
    let mut rest = view.clone();
    if !global.json {
        rest.targets.retain(|t| t.progress != Progress::Done);
    }
    if rest.targets.is_empty() && !view.targets.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(progress::say(&rest, global.json))
}
