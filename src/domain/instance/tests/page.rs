//! The table of the machine as the documentation has it.

use std::fmt::Write as _;

use super::*;

fn table() -> String {
    let policy = Policy {
        restart: Restart::OnFailure,
        budget: 3,
        detach: false,
    };
    let exited = |code| Report::Exited {
        ending: Ending::Code(code),
        forgiven: 0,
    };
    type Column = (&'static str, Box<dyn Fn(Instance) -> Event>);
    let report = |what| move |at: Instance| Event::Report { run: at.run, what };
    let columns: Vec<Column> = vec![
        ("Start", Box::new(|_| Event::Start)),
        ("Stop", Box::new(|_| Event::Stop { force: false })),
        ("Stop by force", Box::new(|_| Event::Stop { force: true })),
        ("Restart", Box::new(|_| Event::Restart)),
        ("Remove", Box::new(|_| Event::Remove)),
        ("Spawned", Box::new(report(Report::Spawned))),
        (
            "SpawnFailed",
            Box::new(report(Report::SpawnFailed { forgiven: 0 })),
        ),
        ("NeverSpawned", Box::new(report(Report::NeverSpawned))),
        ("Executed", Box::new(report(Report::Executed))),
        ("Exited well", Box::new(report(exited(0)))),
        ("Exited badly", Box::new(report(exited(1)))),
        ("OverLimit", Box::new(report(Report::OverLimit))),
        ("Swept", Box::new(report(Report::Swept))),
        (
            "Deadline",
            Box::new(|at| Event::Deadline { epoch: at.epoch }),
        ),
    ];
    let mut rows: Vec<Instance> = Vec::new();
    let mut queue = VecDeque::from([Instance::at_rest(RunId(1))]);
    while let Some(at) = queue.pop_front() {
        if rows.iter().any(|row| row.phase == at.phase) {
            continue;
        }
        rows.push(Instance { attempts: 0, ..at });
        for event in fresh_events(at) {
            queue.push_back(step(&policy, at, &event).0);
        }
    }
    rows.sort_by_key(|row| name(row.phase));
    let mut text = String::from("| from \\ event |");
    for (title, _) in &columns {
        let _ = write!(text, " {title} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(columns.len()));
    for row in rows {
        let _ = write!(text, "\n| **{}** |", name(row.phase));
        for (_, event) in &columns {
            let before = Instance { attempts: 1, ..row };
            let (after, effects) = step(&policy, before, &event(before));
            let mut cell = Vec::new();
            if after.phase != before.phase {
                cell.push(name(after.phase));
            }
            let acts: Vec<String> = effects
                .iter()
                .filter_map(|e| match e {
                    Effect::Arm(_) => None,
                    Effect::Sweep(how) => Some(format!("+Sweep {how:?}")),
                    Effect::Refuse(_) => Some("+Refuse".into()),
                    Effect::Spawn
                    | Effect::Signal
                    | Effect::Kill
                    | Effect::Retire
                    | Effect::Alarm => Some(format!("+{e:?}")),
                })
                .collect();
            cell.extend(acts);
            if cell.is_empty() && after.attempts != before.attempts {
                cell.push("failures forgotten".into());
            }
            let cell = if cell.is_empty() {
                "·".to_owned()
            } else {
                cell.join("; ")
            };
            let _ = write!(text, " {cell} |");
        }
    }
    text.push('\n');
    text
}

/// `ADASA_BLESS=1` writes the table anew.
#[test]
fn the_documented_table_is_the_machine() {
    let _page = crate::domain::PAGE.lock();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/state-machine.md");
    let old = std::fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- table: begin -->\n", "<!-- table: end -->");
    let head = old.split_once(begin).expect("a begin mark").0;
    let tail = old.split_once(end).expect("an end mark").1;
    let new = format!("{head}{begin}{}{end}{tail}", table());
    if std::env::var_os("ADASA_BLESS").is_some() {
        std::fs::write(path, &new).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == new,
        "docs/state-machine.md is stale: run the tests with ADASA_BLESS=1"
    );
}
