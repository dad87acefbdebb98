//! What one instance is defined by.

use crate::api::Detail;
use crate::config::units::{short_duration, short_size};
use crate::domain::spec::{LimitAction, OnDiskFull, Origin};
use crate::tui::model::Model;
use crate::tui::screens::detail::DetailScreen;
use crate::tui::theme::Role;
use crate::tui::view::charts::second;

use super::{Line, titled, unknown};

/// The definition in a few lines, and what is wrong.
pub(super) fn short(model: &Model, it: &DetailScreen, detail: &Detail, width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    let row = model.rows.get(&it.id).map(|row| &row.view);
    let view = row.unwrap_or(&detail.instance);
    if let Some(alarm) = &view.alarm {
        lines.extend(titled("alarm", alarm, width, Role::Bad));
    }
    if let Some(text) = controls(it) {
        lines.extend(titled("controls", &text, width, Role::Waiting));
    }
    let mut add = |title: &str, text: &str| lines.extend(titled(title, text, width, Role::Text));
    add("command", &detail.command.typed());
    add("folder", &detail.cwd.display().to_string());
    add("origin", &origin(detail));
    add("restart", &restart(detail));
    add("stop", &stop(detail));
    let limit = detail.limits.max_memory;
    let text = limit.map_or_else(|| "none".into(), |m| format!("memory {}", short_size(m)));
    add("limits", &text);
    for (stream, path) in &detail.logs {
        add(&format!("log {stream}"), &path.display().to_string());
    }
    let keep = &detail.log_policy;
    let text = format!(
        "{} a file, {} archives",
        short_size(keep.max_size),
        keep.archives
    );
    add("kept", &text);
    add_tags(detail, &mut add);
    lines
}

/// What it wrote that would command a terminal: in the log of a service a mistake, or an attack.
fn controls(it: &DetailScreen) -> Option<String> {
    let found = it.controls.told.as_ref().filter(|it| it.sequences > 0)?;
    let least = if found.complete { "" } else { "at least " };
    let word = if found.sequences == 1 {
        "sequence"
    } else {
        "sequences"
    };
    let first = found
        .first_ms
        .map_or_else(String::new, |ms| format!(": first at {}", second(ms)));
    let count = found.sequences;
    Some(format!(
        "{least}{count} control {word} in its log in the last hour{first}"
    ))
}

/// All of it, but for the environment.
pub(super) fn lines(it: &DetailScreen, width: u16) -> Vec<Line> {
    let mut lines = unknown(&it.detail);
    let Some(detail) = &it.detail.told else {
        return lines;
    };
    let mut add = |title: &str, text: &str| lines.extend(titled(title, text, width, Role::Text));
    let view = &detail.instance;
    add("process", &process(detail));
    add("command", &detail.command.typed());
    add("folder", &detail.cwd.display().to_string());
    add("origin", &origin(detail));
    add("restart", &restart(detail));
    let policy = &detail.restart;
    let counts = match policy.window {
        Some(window) => format!("failures of the last {} count", short_duration(window)),
        None => {
            let stable = short_duration(policy.min_uptime);
            format!("a run of {stable} forgives earlier failures")
        }
    };
    add("", &counts);
    add("stop", &stop(detail));
    if detail.stop.detach_children {
        add("", "what it leaves behind in groups of their own lives on");
    }
    add("limits", &limits(detail));
    if view.instances > 1 {
        let down = detail.max_unavailable;
        let all = view.instances;
        add("rolling", &format!("at most {down} of {all} down at once"));
    }
    if view.protected {
        add("protected", "what ends it asks for its name");
    }
    for (stream, path) in &detail.logs {
        add(&format!("log {stream}"), &path.display().to_string());
    }
    for (n, text) in kept(detail).iter().enumerate() {
        add(if n == 0 { "kept" } else { "" }, text);
    }
    add_tags(detail, &mut add);
    lines
}

fn add_tags(detail: &Detail, add: &mut impl FnMut(&str, &str)) {
    let tags = detail.instance.tags.iter();
    let tags: Vec<String> = tags.map(ToString::to_string).collect();
    if !tags.is_empty() {
        add("tags", &tags.join(" "));
    }
}

fn process(detail: &Detail) -> String {
    let view = &detail.instance;
    let copy = if view.instances > 1 {
        format!(", instance {} of {}", view.instance, view.instances)
    } else {
        String::new()
    };
    format!("{} in namespace {}{copy}", view.process, view.namespace)
}

fn origin(detail: &Detail) -> String {
    let from = match &detail.origin {
        Origin::Typed => "typed".to_owned(),
        Origin::File(file) => file.display().to_string(),
    };
    let (now, run) = (detail.generation, detail.run_generation);
    let old = if now == run || run == 0 {
        String::new()
    } else {
        format!("; its run is of {run}")
    };
    format!("{from}, generation {now}{old}")
}

fn restart(detail: &Detail) -> String {
    let restart = &detail.restart;
    format!(
        "{}, from {} to {}, errored after {} failures",
        restart.on.word(),
        short_duration(restart.backoff.initial),
        short_duration(restart.backoff.cap),
        restart.max_restarts
    )
}

fn stop(detail: &Detail) -> String {
    let grace = short_duration(detail.stop.timeout);
    format!("{}, SIGKILL after {grace}", detail.stop.signal)
}

fn limits(detail: &Detail) -> String {
    let Some(most) = detail.limits.max_memory else {
        return "none".into();
    };
    let then = match detail.limits.action {
        LimitAction::Log => "that is said",
        LimitAction::Restart => "it is restarted",
        LimitAction::Stop => "it is stopped",
    };
    format!("memory {}; above it {then}", short_size(most))
}

fn kept(detail: &Detail) -> Vec<String> {
    let keep = &detail.log_policy;
    let age = keep
        .max_age
        .map_or_else(String::new, |age| format!(" or {}", short_duration(age)));
    let packed = if keep.compress { ", compressed" } else { "" };
    let until = keep.archive_age.map_or_else(String::new, |age| {
        format!(", none older than {}", short_duration(age))
    });
    let mut lines = vec![format!(
        "{}{age} a file, {} archives{packed}{until}",
        short_size(keep.max_size),
        keep.archives
    )];
    if keep.merge {
        lines.push("both streams in one file".into());
    }
    lines.push(match keep.on_disk_full {
        OnDiskFull::Drop => "on a full disk lines are dropped and counted".into(),
        OnDiskFull::Block => "on a full disk it waits".into(),
    });
    lines
}
