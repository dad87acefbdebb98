//! Who did what, who is here, and what changed while nobody looked.

use crate::api::{Activity, Changes, ClientView, Outcome, Push, Redefined, Who};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::tests::desk::{Desk, everything, noon_ms, snapshot};

fn did(n: u64, said: &str, name: &str, text: &str, outcome: Option<(u32, u32)>) -> Activity {
    Activity {
        at_ms: noon_ms() + 60_000 * n,
        who: (!said.is_empty()).then(|| Who::new("ops", Some(7), Some(said), None)),
        name: name.into(),
        text: text.into(),
        bad: outcome.is_none_or(|(_, failed)| failed > 0),
        operation: None,
        outcome: outcome.map(|(ok, failed)| Outcome {
            ok,
            failed,
            why: (failed > 0).then(|| "does not die: pid 4711 (\x1b[2Jsleep)".to_owned()),
            took_ms: 3140,
        }),
    }
}

fn list() -> Vec<Activity> {
    vec![
        did(0, "", "mailer", "exit 1", None),
        did(1, "cli;tty=pts/4", "web", "rolling restart", Some((4, 0))),
        did(2, "", "billing", "errored (exit 1)", None),
        did(
            3,
            "tui;tty=pts/9;from=10.0.0.7",
            "api-0 cron",
            "stop",
            Some((1, 1)),
        ),
        did(4, "cli", "api billing and 7 more", "apply", Some((9, 0))),
    ]
}

/// The ticket of the last question of this kind.
pub(in crate::tui::tests) fn asked(desk: &Desk, of: impl Fn(&Query) -> bool) -> Option<Ticket> {
    desk.wanted.iter().rev().find_map(|command| match command {
        Cmd::Fetch { ticket, query } if of(query) => Some(*ticket),
        _ => None,
    })
}

fn answered(desk: &mut Desk, answer: Answer) {
    let ticket = Ticket(4711);
    desk.send(Msg::Fetched {
        ticket,
        answer: Ok(answer),
    });
}

pub(in crate::tui::tests) fn clients(own: i32) -> Vec<ClientView> {
    let client = |session, user, pid, said| ClientView {
        session,
        who: Who::new(user, Some(pid), Some(said), None),
        since_ms: noon_ms(),
    };
    vec![
        client(1, "dev", 99, "tui;tty=pts/4"),
        client(2, "ops", own, "tui;tty=pts/9"),
    ]
}

pub(in crate::tui::tests) fn with_activity() -> Desk {
    let mut desk = Desk::new();
    desk.model.company.own_pid = Some(7);
    desk.wait(200);
    answered(&mut desk, Answer::Activity(list()));
    desk.push(Push::Clients {
        clients: clients(7),
    });
    desk
}

pub(in crate::tui::tests) fn changes() -> Changes {
    let redefined = |name: &str, what: &str| Redefined {
        name: name.into(),
        what: what.into(),
        by: "dev (cli pts/4)".into(),
    };
    Changes {
        since_ms: noon_ms(),
        crashes: [("mailer".to_owned(), 17), ("api-2".to_owned(), 1)].into(),
        errored: vec!["billing".into()],
        redefined: vec![redefined("web", "apply"), redefined("thumbs", "scale")],
        operations: [("dev (cli pts/4)".to_owned(), 3)].into(),
        daemons: 1,
    }
}

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let base = with_activity();
    let mut screen = base.clone();
    screen.press("4");
    let mut news = base.clone();
    news.model.wall_ms = noon_ms() + 1000;
    answered(&mut news, Answer::Changes(changes()));
    let mut back = base.clone();
    back.lose();
    back.wait(3000);
    back.push(Push::Snapshot(Box::new(snapshot(everything()))));
    back.push(Push::Clients {
        clients: clients(7),
    });
    back.model.wall_ms = noon_ms() + 1000;
    answered(&mut back, Answer::Changes(changes()));
    vec![
        ("company", base),
        ("activity", screen),
        ("news", news),
        ("news_after_loss", back),
    ]
}
