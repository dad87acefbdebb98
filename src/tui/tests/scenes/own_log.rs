//! What the daemon says about itself.

use std::collections::BTreeMap;

use crate::api::{Level, Record};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::Ticket;
use crate::tui::tests::desk::{Desk, noon_ms};

/// One record; times go on with its number.
pub(in crate::tui::tests) fn record(n: u64, level: Level, target: &str, message: &str) -> Record {
    Record {
        at_us: (noon_ms() + 1700 * n) * 1000,
        level,
        target: target.into(),
        message: message.into(),
        fields: BTreeMap::new(),
        missed: 0,
    }
}

/// The stream that is open.
pub(in crate::tui::tests) fn ticket(desk: &Desk) -> Ticket {
    let opened = desk.wanted.iter().rev().find_map(|command| match command {
        Cmd::Records { ticket, .. } => Some(*ticket),
        _ => None,
    });
    opened.expect("no stream of records")
}

pub(in crate::tui::tests) fn told(desk: &mut Desk, records: Vec<Record>) {
    let ticket = ticket(desk);
    desk.send(Msg::Records { ticket, records });
}

/// Opened, with what a daemon says on a usual day.
pub(in crate::tui::tests) fn opened() -> Desk {
    let mut desk = Desk::new();
    desk.model.wall_ms = noon_ms() + 5000;
    desk.model
        .toast("mailer did not start: Permission denied (13)", true);
    desk.model.toasts.clear();
    desk.wait(200);
    desk.press("5");
    let said = [
        (Level::Info, "role", "the daemon has taken over"),
        (Level::Info, "supervisor", "api-1: running (restart by ops)"),
        (Level::Warn, "supervisor", "mailer: backoff (exit 1)"),
        (
            Level::Warn,
            "server.unix",
            "a stranger was turned away uid=1007",
        ),
        (
            Level::Info,
            "retention",
            "api-0.out.log: 5 archives are kept, 1 is removed",
        ),
        (Level::Error, "supervisor", "billing: errored (exit 1)"),
        (
            Level::Warn,
            "store",
            "the state could not be made durable: the disk is full; it is tried again with the next record, and said when it succeeds",
        ),
        (Level::Info, "supervisor", "web-2: run 7 ended: SIGKILL"),
    ];
    let records = (0..).zip(said);
    let records = records.map(|(n, (level, target, text))| record(n, level, target, text));
    told(&mut desk, records.collect());
    desk
}

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let base = opened();
    let mut more = base.clone();
    more.press("j j j j + Down Left f");
    let mut long = base.clone();
    let many = (20..200).map(|n| {
        let text = format!("job-{n}: running (start by ops)");
        record(n, Level::Info, "supervisor", &text)
    });
    told(&mut long, many.collect());
    long.press("PgUp PgUp");
    told(
        &mut long,
        vec![record(300, Level::Warn, "supervisor", "one more")],
    );
    let mut hidden = base.clone();
    hidden.press("h");
    vec![
        ("daemon_log", base),
        ("daemon_log_levels", more),
        ("daemon_log_paused", long),
        ("daemon_log_hidden", hidden),
    ]
}
