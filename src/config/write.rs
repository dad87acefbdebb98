//! A definition as the text of a file that means the same.

use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::spec::{LimitAction, OnDiskFull, Spec};

/// As TOML, with every key that is not left out because nothing stands for "none".
#[must_use]
pub(crate) fn written(spec: &Spec) -> String {
    let mut page = Page::default();
    page.line("name", text(spec.name.as_str()));
    page.line("namespace", text(spec.namespace.as_str()));
    page.line("script", text(&spec.command.program));
    page.line("args", list(spec.command.args.iter().map(String::as_str)));
    page.line("cwd", text(&spec.cwd.to_string_lossy()));
    page.line("instances", spec.instances);
    page.line("max_unavailable", spec.max_unavailable);
    page.line("protected", spec.protected);
    page.line(
        "tags",
        list(spec.tags.iter().map(crate::domain::names::Tag::as_str)),
    );
    let restart = &spec.restart;
    page.line("restart", text(restart.on.word()));
    page.line("max_restarts", restart.max_restarts);
    page.line("restart_delay", duration(restart.backoff.initial));
    page.line("max_restart_delay", duration(restart.backoff.cap));
    page.line("backoff_factor", format!("{:?}", restart.backoff.factor));
    page.maybe("restart_window", restart.window.map(duration));
    page.line("min_uptime", duration(restart.min_uptime));
    page.line("stop_signal", text(&spec.stop.signal.to_string()));
    page.line("stop_timeout", duration(spec.stop.timeout));
    page.line("detach_children", spec.stop.detach_children);
    page.maybe("max_memory", spec.limits.max_memory);
    let action = match spec.limits.action {
        LimitAction::Log => "log",
        LimitAction::Restart => "restart",
        LimitAction::Stop => "stop",
    };
    page.line("limit_action", text(action));
    let logs = &spec.logs;
    page.line("merge_logs", logs.merge);
    let path = |path: &std::path::PathBuf| text(&path.to_string_lossy());
    page.maybe("out_file", logs.out_file.as_ref().map(path));
    page.maybe("err_file", logs.err_file.as_ref().map(path));
    page.line("log_max_size", logs.max_size);
    page.maybe("log_max_age", logs.max_age.map(duration));
    page.line("log_archives", logs.archives);
    page.line("log_compress", logs.compress);
    let full = match logs.on_disk_full {
        OnDiskFull::Drop => "drop",
        OnDiskFull::Block => "block",
    };
    page.line("on_disk_full", text(full));
    page.0.push_str("\n[env]\n");
    for (name, value) in &spec.env {
        let mark = spec.marks.get(name).and_then(|mark| mark.secret);
        match mark {
            None => page.line(&text(name), text(value)),
            Some(secret) => {
                let table = format!("{{ value = {}, secret = {secret} }}", text(value));
                page.line(&text(name), table);
            }
        }
    }
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn maybe(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.line(key, value);
        }
    }
}

/// Quoted; a dollar sign is one, and no variable.
fn text(text: &str) -> String {
    let quoted = serde_json::to_string(&text.replace('$', "$$")).unwrap_or_default();
    quoted.replace('\u{7f}', "\\u007f")
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.map(text).collect();
    format!("[{}]", items.join(", "))
}

fn duration(it: Duration) -> String {
    if it.subsec_nanos() == 0 {
        format!("\"{}s\"", it.as_secs())
    } else {
        format!("\"{}ms\"", it.as_millis())
    }
}
