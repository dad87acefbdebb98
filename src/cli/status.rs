//! status.

use std::process::ExitCode;

use serde::Serialize;

use crate::api::{Detail, Listener, Reveal, TreeProcess, TreeView, VariableOrigin};
use crate::client::ClientError;
use crate::config::units::{short_duration, short_seconds, short_size};
use crate::domain::spec::Origin;

use super::args::{Global, Status};
use super::failure::{Failure, exit};
use super::inspect::{dash, status_text, time};
use super::print;
use super::select::{client, selectors, words};

/// So many characters of a command line stand in a line.
const COMMAND: usize = 60;

/// What is known of one instance.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    detail: Detail,
    /// None when nobody could look in time.
    processes: Option<Vec<TreeProcess>>,
    /// As above.
    listening: Option<Vec<Listener>>,
}

pub(super) fn status(global: &Global, wanted: &Status) -> Result<ExitCode, Failure> {
    let client = client(global)?;
    let select = words(&wanted.targets.select)?;
    let revealed = match &wanted.reveal {
        None => None,
        Some(key) => {
            let mut all = selectors(&wanted.targets.select)?;
            let (Some(select), true) = (all.pop(), all.is_empty()) else {
                return Err(Failure::new(exit::USAGE, "--reveal is of one process"));
            };
            let key = key.clone();
            Some(client.reveal(&Reveal { select, key })?)
        }
    };
    let mut details = client.detail(&select)?;
    if let Some(revealed) = revealed {
        for detail in &mut details {
            let value = revealed.value.clone();
            detail.env.insert(revealed.key.clone(), value);
        }
    }
    let (mut trees, unknown) = match client.trees(&select) {
        Ok(trees) => (trees, None),
        Err(ClientError::Refused(error)) => (Vec::new(), Some(error.message)),
        Err(error) => return Err(error.into()),
    };
    let mut tree_of = |detail: &Detail| {
        let own = |it: &TreeView| it.id == detail.instance.id && it.run == detail.instance.run;
        let at = trees.iter().position(own)?;
        Some(trees.swap_remove(at))
    };
    if global.json {
        let all = details.into_iter().map(|detail| {
            let tree = tree_of(&detail);
            let (processes, listening) = tree.map(|it| (it.processes, it.listening)).unzip();
            Whole {
                detail,
                processes,
                listening,
            }
        });
        print::json(&all.collect::<Vec<_>>());
        return Ok(ExitCode::SUCCESS);
    }
    let blocks = details.iter().map(|detail| {
        let mut lines = block(detail);
        match (tree_of(detail), &unknown) {
            (Some(tree), _) => lines.extend(tree_lines(&tree)),
            (None, Some(why)) => lines.push(entry("tree", why)),
            (None, None) => {}
        }
        lines.join("\n")
    });
    print::line(&blocks.collect::<Vec<_>>().join("\n\n"));
    Ok(ExitCode::SUCCESS)
}

fn entry(title: &str, text: &str) -> String {
    format!("  {title:<11}{text}")
}

/// What a run is made of, where it is more than its main process.
fn tree_lines(tree: &TreeView) -> Vec<String> {
    let mut lines = Vec::new();
    if tree.processes.len() > 1 {
        for (n, it) in tree.processes.iter().enumerate() {
            let title = if n == 0 { "tree" } else { "" };
            let indent = "  ".repeat(usize::try_from(it.depth).unwrap_or(0).min(16));
            let mut command: String = it.command.chars().take(COMMAND).collect();
            if command.len() < it.command.len() {
                command.push('\u{2026}');
            }
            let cpu = dash(it.cpu, |cpu| format!("{cpu:.1}%"));
            let memory = short_size(it.memory);
            let text = format!("{indent}{} {command}  {memory}  {cpu}", it.pid);
            lines.push(entry(title, &text));
        }
        if tree.more > 0 {
            lines.push(entry("", &format!("and {} more", tree.more)));
        }
    }
    for (n, it) in tree.listening.iter().enumerate() {
        lines.push(entry(if n == 0 { "listening" } else { "" }, &it.words()));
    }
    if !tree.complete {
        lines.push(entry("", "there may be more: not all could be looked at"));
    }
    lines
}

fn block(detail: &Detail) -> Vec<String> {
    let row = &detail.instance;
    let mut lines = vec![format!("{} (id {})", row.name, row.id)];
    let mut add = |title: &str, text: String| lines.push(entry(title, &text));
    let because = if row.because.is_empty() {
        String::new()
    } else {
        format!(" ({})", row.because)
    };
    add("status", format!("{}{because}", status_text(row)));
    if let Some(alarm) = &row.alarm {
        add("ALARM", alarm.clone());
    }
    add("pid", dash(row.pid, |p| p.to_string()));
    add("uptime", dash(row.uptime, short_seconds));
    add("cpu", dash(row.cpu, |c| format!("{c:.1}% of one core")));
    let tree = if detail.tree > 1 {
        format!(" in {} processes", detail.tree)
    } else {
        String::new()
    };
    add(
        "memory",
        dash(row.memory, |m| format!("{}{tree}", short_size(m))),
    );
    add("restarts", row.restarts.to_string());
    add(
        "last exit",
        dash(row.exit.clone(), |e| {
            format!("{} at {}", e.text, time(e.at_ms))
        }),
    );
    add("command", detail.command.typed());
    add("cwd", detail.cwd.display().to_string());
    add("namespace", row.namespace.to_string());
    if !row.tags.is_empty() {
        add(
            "tags",
            row.tags
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    if !detail.env.is_empty() {
        add(
            "env",
            detail
                .env
                .iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    let from = sources(detail);
    if !from.is_empty() {
        add("env from", from);
    }
    let policy = &detail.restart;
    let on = policy.on.word();
    add(
        "restart",
        format!(
            "{on}, from {} to {}, errored after {} failures",
            short_duration(policy.backoff.initial),
            short_duration(policy.backoff.cap),
            policy.max_restarts
        ),
    );
    add(
        "stop",
        format!(
            "{}, SIGKILL after {}",
            detail.stop.signal,
            short_duration(detail.stop.timeout)
        ),
    );
    add(
        "limit",
        dash(detail.limits.max_memory, |m| {
            format!("memory {}", short_size(m))
        }),
    );
    for (stream, path) in &detail.logs {
        add(&format!("log {stream}"), path.display().to_string());
    }
    add(
        "definition",
        match &detail.origin {
            Origin::Typed => {
                format!("generation {}, typed", detail.generation)
            }
            Origin::File(file) => {
                format!("generation {}, {}", detail.generation, file.display())
            }
        },
    );
    lines
}
/// Which variables come from where.
fn sources(detail: &Detail) -> String {
    let all = [
        VariableOrigin::File,
        VariableOrigin::Template,
        VariableOrigin::Typed,
        VariableOrigin::Inherited,
    ];
    let of = |origin: VariableOrigin| {
        let own = detail.env_origins.iter().filter(|(_, it)| **it == origin);
        let mut names: Vec<&str> = own.map(|(name, _)| name.as_str()).collect();
        if origin == VariableOrigin::Inherited {
            names.extend(detail.inherited.keys().map(String::as_str));
        }
        (!names.is_empty()).then(|| format!("{}: {}", origin.word(), names.join(" ")))
    };
    all.into_iter()
        .filter_map(of)
        .collect::<Vec<_>>()
        .join("; ")
}
