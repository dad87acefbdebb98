//! Everything about one instance: one that crashed, one that runs, and before the daemon has answered.

use std::collections::BTreeMap;

use crate::api::{
    Detail, Earlier, Listener, LogControls, Next, Protocol, Revealed, RunState, RunView, Status,
    TreeProcess, TreeView, VariableOrigin, Why,
};
use crate::domain::event::{Event, What};
use crate::domain::exit::{Ending, Exit};
use crate::domain::names::{InstanceId, RunId};
use crate::domain::operation::Verb;
use crate::domain::run::{Asker, Ended, Reason, Run};
use crate::domain::spec::{Command, Limits, LogPolicy, Origin, RestartPolicy, StopPolicy};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::{Answer, Past, Query, Ticket};
use crate::tui::screens::Screen;
use crate::tui::screens::detail::Tab;
use crate::tui::tests::desk::{Desk, WALL_MS, noon_ms};

/// What a crashed process left: also something that is no text.
pub(in crate::tui::tests) fn last_lines() -> Vec<String> {
    vec![
        "loading /etc/billing.toml".into(),
        "\x1b[31mFATAL\x1b[0m ledger \x1b]0;owned\x07is not reachable".into(),
    ]
}

/// What a variable really is.
pub(in crate::tui::tests) const SECRET: &str = "hunter2 is \x1b]0;owned\x07 no password";

fn exit(code: i32, at_ms: u64) -> Exit {
    Exit {
        ending: Ending::Code(code),
        at_ms,
        cpu_ms: 40,
        peak_rss: 0,
    }
}

fn run(id: u32, run: u64, code: Option<i32>) -> RunView {
    let begun = noon_ms() - 4_000_000 * (4 - run.min(3));
    let operation = String::from("39dde4f88a3b9ebcaa41fb1c").try_into().unwrap();
    let ended = code.map(|code| Ended {
        exit: exit(code, begun + 63_000),
        lasted_ms: 63_000,
        reason: Reason::Itself,
        evidence: vec![],
    });
    RunView {
        run: Run {
            id: InstanceId(id),
            run: RunId(run),
            pid: Some(47_000 + i32::try_from(run).unwrap()),
            begun_ms: Some(begun),
            begun_by: Some(match run {
                1 => Asker::command(Verb::Start, "ops", &operation),
                _ => Asker::Policy,
            }),
            generation: 1,
            ended: ended.clone(),
        },
        state: match code {
            Some(_) => RunState::Ended,
            None => RunState::Running,
        },
        exit: ended.map(|end| end.exit.into()),
        stderr: last_lines(),
    }
}

/// As the daemon would tell of `billing`, which failed with 7, or of any other, which runs.
fn past(desk: &Desk, id: u32) -> Past {
    let view = &desk.model.rows[&InstanceId(id)].view;
    let failed = view.status == Status::Errored;
    let mut runs = vec![run(id, 2, Some(1)), run(id, 1, Some(137))];
    runs.insert(0, run(id, view.run.0, failed.then_some(7)));
    let why = Why {
        id: view.id,
        name: view.name.clone(),
        status: view.status,
        answer: format!(
            "{} is {}: run 3 failed with exit 7, after 1m 3s",
            view.name, view.status
        ),
        run: Some(RunId(3)),
        ended_ms: Some(noon_ms()),
        lasted_ms: Some(63_000),
        cause: None,
        evidence: vec!["it returned 7; adasa had not asked it to end".into()],
        next: Next::GaveUp {
            failures: 15,
            allowed: 15,
            never: false,
        },
        next_text: "adasa gave up after 15 of 15 failures; it stays so until it is started".into(),
        hint: Some("its last lines of standard error may say more".into()),
        earlier: vec![
            Earlier {
                run: RunId(2),
                text: "exit 1".into(),
                lasted_ms: Some(63_000),
            },
            Earlier {
                run: RunId(1),
                text: "exit 137".into(),
                lasted_ms: Some(63_000),
            },
        ],
        stderr: last_lines(),
    };
    Past {
        runs,
        why: Some(why),
    }
}

/// A crash and what followed, half a minute before the clock of the desk begins.
fn events(id: u32) -> Vec<Event> {
    let at = |before: u64, what| Event {
        at_ms: WALL_MS - before,
        id: Some(InstanceId(id)),
        name: String::new(),
        what,
    };
    vec![
        at(
            31_000,
            What::Exit {
                run: RunId(2),
                exit: exit(137, WALL_MS - 31_000),
                lasted_ms: 63_000,
                reason: Reason::Itself,
            },
        ),
        at(
            29_000,
            What::Status {
                from: Status::Backoff,
                to: Status::Starting,
                because: "run 2 failed; second attempt".into(),
                follows: None,
            },
        ),
    ]
}

pub(in crate::tui::tests) fn detail(desk: &Desk, id: u32) -> Detail {
    let instance = desk.model.rows[&InstanceId(id)].view.clone();
    let logs = ["out", "err"].map(|s| (s.into(), format!("/var/log/{}.{s}", instance.name).into()));
    let env = [
        ("NODE_ENV", "production"),
        ("STRIPE_TOKEN", "***"),
        ("TARGET", "postgres://api:***@db/prod"),
        ("TITLE", "\x1b]0;owned\x07"),
    ];
    let env = env.map(|(k, v)| (k.to_owned(), v.to_owned()));
    Detail {
        instance,
        command: Command {
            program: "/opt/billing/run".into(),
            args: vec!["--port".into(), "8003".into()],
        },
        cwd: "/srv/billing".into(),
        fds: Some(88),
        fds_limit: Some(1024),
        env_origins: env
            .iter()
            .map(|(key, _)| match key.as_str() {
                "STRIPE_TOKEN" => (key.clone(), VariableOrigin::Template),
                _ => (key.clone(), VariableOrigin::File),
            })
            .collect(),
        env: BTreeMap::from(env),
        inherited: BTreeMap::from([
            ("HOME".into(), "/home/ops".into()),
            ("PATH".into(), "/usr/local/bin:/usr/bin".into()),
        ]),
        restart: RestartPolicy::default(),
        stop: StopPolicy::default(),
        limits: Limits {
            max_memory: Some(256_000_000),
            ..Limits::default()
        },
        log_policy: LogPolicy::default(),
        logs: BTreeMap::from(logs),
        generation: 2,
        run_generation: 1,
        origin: Origin::Typed,
        max_unavailable: 1,
        tree: 3,
        events: events(id),
    }
}

/// Those that every connection begins with are not, and what is asked again and again.
fn is_of_a_screen(query: &Query) -> bool {
    !matches!(
        query,
        Query::History
            | Query::Activity
            | Query::Changes { .. }
            | Query::Tree { .. }
            | Query::Controls(_)
    )
}

/// A shell with a server below it, which has two workers, one of which was left behind; and names that are no text.
pub(in crate::tui::tests) fn tree(desk: &Desk, id: u32) -> TreeView {
    let view = &desk.model.rows[&InstanceId(id)].view;
    let main = view.pid.unwrap_or(0);
    let process = |n: i32, parent: i32, depth, command: &str, cpu| TreeProcess {
        pid: main + n,
        parent,
        depth,
        command: command.into(),
        cpu,
        memory: 31_000_000 / u64::from(n.unsigned_abs() + 1),
    };
    let listener = |protocol, address: &str, n, connections| Listener {
        protocol,
        address: address.parse().unwrap(),
        pid: main + n,
        connections,
    };
    let running = [
        process(0, 810, 0, "/opt/billing/run --port 8003", Some(9.1)),
        process(
            1,
            main,
            1,
            "node server.js --port 8003 --workers 2",
            Some(12.0),
        ),
        process(
            2,
            main + 1,
            2,
            "node worker.js \x1b]0;owned\x07 0",
            Some(0.4),
        ),
        process(3, main + 1, 2, "node worker.js 1", None),
        process(4, main, 1, "esbuild --service=0.19.12 --ping", Some(0.0)),
        process(9, 810, 0, "[sleep]", Some(0.0)),
    ];
    let listening = [
        listener(Protocol::Tcp, "0.0.0.0:8003", 1, Some(41)),
        listener(Protocol::Tcp, "127.0.0.1:9229", 1, Some(1)),
        listener(Protocol::Udp, "[::]:8125", 4, None),
    ];
    let up = view.pid.is_some();
    TreeView {
        id: view.id,
        name: view.name.clone(),
        run: view.run,
        processes: running.into_iter().filter(|_| up).collect(),
        more: 0,
        listening: listening.into_iter().filter(|_| up).collect(),
        complete: true,
    }
}

/// `billing` writes what it should not.
fn controls(id: u32) -> LogControls {
    let bad = id == 4;
    LogControls {
        sequences: if bad { 12 } else { 0 },
        lines: u64::from(bad),
        first_ms: bad.then(noon_ms),
        complete: true,
    }
}

/// Turns to a tab.
pub(in crate::tui::tests) fn turn(desk: &mut Desk, tab: Tab) {
    for _ in Tab::ALL {
        let Some(Screen::Detail(it)) = desk.model.screens.last() else {
            panic!("no detail is shown");
        };
        if it.tab == tab {
            return;
        }
        desk.press("]");
    }
    panic!("there is no tab {tab:?}");
}

/// The questions of the screen that was asked last; the charts of the table ask for themselves.
pub(in crate::tui::tests) fn questions(desk: &Desk) -> Vec<(Ticket, Query)> {
    let asked = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Fetch { ticket, query } if is_of_a_screen(query) => Some((*ticket, query.clone())),
        _ => None,
    });
    asked.collect()
}

/// The daemon answers what was asked about this one.
pub(in crate::tui::tests) fn answer(desk: &mut Desk, id: u32) {
    let all = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Fetch { ticket, query } => Some((*ticket, query.clone())),
        _ => None,
    });
    for (ticket, query) in all.collect::<Vec<_>>() {
        let answer = match query {
            Query::Tree { select } if select == id.to_string() => Answer::Tree(tree(desk, id)),
            Query::Controls(_) => Answer::Controls(controls(id)),
            Query::Reveal(wish) => Answer::Revealed(Revealed {
                key: wish.key,
                value: SECRET.into(),
            }),
            Query::Detail { select } if select == id.to_string() => {
                Answer::Detail(vec![detail(desk, id)])
            }
            Query::Past { select } if select == id.to_string() => {
                Answer::Past(Box::new(past(desk, id)))
            }
            _ => continue,
        };
        desk.send(Msg::Fetched {
            ticket,
            answer: Ok(answer),
        });
    }
    desk.wanted.clear();
}

/// The screen of this one, answered.
pub(in crate::tui::tests) fn shown(id: u32) -> Desk {
    let mut desk = Desk::new();
    desk.wait(200);
    desk.select(id);
    desk.press("d");
    answer(&mut desk, id);
    desk
}

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let mut asking = Desk::new();
    asking.wait(200);
    asking.press("d");
    let crashed = shown(4);
    let at = |desk: &Desk, tab| {
        let mut desk = desk.clone();
        turn(&mut desk, tab);
        desk
    };
    let runs = at(&crashed, Tab::Runs);
    let mut earlier = runs.clone();
    earlier.press("j j");
    let why = at(&crashed, Tab::Why);
    let running = shown(5);
    let mut question = running.clone();
    question.press("x");
    let mut env = at(&running, Tab::Env);
    env.press("j");
    let mut revealed = env.clone();
    revealed.press("V");
    answer(&mut revealed, 5);
    vec![
        ("detail_asking", asking),
        ("detail_config", at(&running, Tab::Config)),
        ("detail_crashed", crashed),
        ("detail_env", env),
        ("detail_env_revealed", revealed),
        ("detail_runs", runs),
        ("detail_runs_earlier", earlier),
        ("detail_tab_logs", at(&running, Tab::Logs)),
        ("detail_tree", at(&running, Tab::Tree)),
        ("detail_why", why),
        ("detail", running),
        ("detail_question", question),
    ]
}
