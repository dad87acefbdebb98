//! Questions: in the footer, or in a box that says what a yes would do.

use ratatui::layout::Rect;

use crate::api::{Count, Intent, PlanProcess, Sending, Verb};
use crate::config::units::short_duration;
use crate::domain::exit::Signal;
use crate::logs::safe::harmless;
use crate::tui::company::lock;
use crate::tui::model::{Ask, Model, Tier};
use crate::tui::theme::Role;

use super::boxes::popup;
use super::canvas::{Canvas, cells};

fn of_pid(model: &Model, ask: &Ask) -> String {
    let row = ask.targets.first().and_then(|(id, _)| model.rows.get(id));
    match row.and_then(|row| row.view.pid) {
        Some(pid) => {
            let up = row
                .and_then(|r| r.view.uptime)
                .map_or_else(String::new, |s| {
                    format!(", up {}", short_duration(std::time::Duration::from_secs(s)))
                });
            format!(" (pid {pid}{up})")
        }
        None => row.map_or_else(String::new, |row| format!(" ({})", row.view.status)),
    }
}

/// The question in the footer.
pub(super) fn question(canvas: &mut Canvas<'_>, area: Rect, model: &Model, ask: &Ask) {
    let answers = "   y yes   Esc no";
    let room = area.width.saturating_sub(cells(answers));
    let name = harmless(&ask.name);
    let verb = ask.what.work().word();
    let mut text = match ask.what {
        Intent::Scale { to } => format!(
            " scale {name} from {} to {to}{}?",
            ask.from,
            gone(model, ask, to)
        ),
        Intent::Do(_) | Intent::Roll { .. } | Intent::Send(_) => {
            format!(" {verb} {name}{}?", of_pid(model, ask))
        }
    };
    if cells(&text) > room {
        text = match ask.what {
            Intent::Scale { to } => format!(" scale {name} to {to}?"),
            Intent::Do(_) | Intent::Roll { .. } | Intent::Send(_) => format!(" {verb} {name}?"),
        };
    }
    // How to say no must be seen whatever the name is.
    let x = canvas.text(area.x, area.y, room, &text, Role::Question);
    canvas.text(
        x,
        area.y,
        area.width.saturating_sub(x),
        answers,
        Role::Title,
    );
}

/// Which instances another number would end.
fn gone(model: &Model, ask: &Ask, to: Count) -> String {
    let Count::To(to) = to else {
        return String::new();
    };
    let kept = usize::try_from(to).unwrap_or(usize::MAX);
    let rows = ask.targets.iter().filter_map(|(id, _)| model.rows.get(id));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|row| row.view.instance);
    let names: Vec<String> = rows
        .iter()
        .skip(kept)
        .map(|row| harmless(&row.view.name))
        .collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!(" (ends {one})"),
        [first, .., last] => format!(" (ends {} of them: {first} to {last})", names.len()),
    }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| {
        c.to_uppercase().collect::<String>() + chars.as_str()
    })
}

/// The question in a box.
pub(super) fn ask(canvas: &mut Canvas<'_>, model: &Model, ask: &Ask) {
    let name = harmless(&ask.name);
    let count = ask.targets.len();
    let subject = if count > 1 {
        let names: Vec<String> = ask
            .targets
            .iter()
            .filter_map(|(id, _)| model.rows.get(id))
            .take(4)
            .map(|row| harmless(&row.view.name))
            .collect();
        let more = if count > 4 { " and more" } else { "" };
        format!(" ({count} instances: {}{more})", names.join(" "))
    } else {
        let id = ask
            .targets
            .first()
            .map_or_else(String::new, |(id, _)| format!("id {id}, "));
        let status = ask
            .targets
            .first()
            .and_then(|(id, _)| model.rows.get(id))
            .map_or("gone", |row| row.view.status.word());
        format!(" ({id}{status})")
    };
    let verb = ask.what.work().word();
    let asked = match ask.what {
        Intent::Scale { to } => format!("Scale {name} from {} to {to}?", ask.from),
        Intent::Send(Sending { signal, .. }) => format!("Send {signal} to {name}{subject}?"),
        Intent::Do(_) | Intent::Roll { .. } => format!("{} {name}{subject}?", capital(verb)),
    };
    let mut lines = vec![(asked, Role::Title), (String::new(), Role::Text)];
    let names = match ask.targets.as_slice() {
        [_, _, ..] if !model.marks.is_empty() => ask.select.join(" "),
        _ => name.clone(),
    };
    let effect = effect(model, ask, &names);
    let effect = effect
        .iter()
        .map(|(what, text)| format!("{what:<14}{text}"));
    let mut effect: Vec<_> = effect.map(|text| (text, Role::Text)).collect();
    let tail = answers(ask, verb, count);
    // How to answer is seen on the smallest screen; then what would become of it.
    let room = usize::from(model.size.1.saturating_sub(3));
    if lines.len() + effect.len() + tail.len() > room {
        lines.pop();
    }
    effect.truncate(room.saturating_sub(lines.len() + tail.len()));
    lines.extend(effect);
    lines.extend(tail);
    popup(canvas, model, verb, &lines);
}

/// What can be typed.
fn answers(ask: &Ask, verb: &str, count: usize) -> Vec<(String, Role)> {
    let mut lines = vec![(String::new(), Role::Text)];
    match ask.tier {
        Tier::Name => {
            lines.push((
                format!("type {} to confirm: {}_", harmless(&ask.word), ask.typed),
                Role::Title,
            ));
            let enter = if ask.typed == ask.word {
                format!("Enter  {verb}")
            } else {
                "Enter  does nothing until it matches".to_owned()
            };
            lines.push((format!("{enter}    Esc  cancel"), Role::Text));
        }
        Tier::Footer | Tier::Box => {
            lines.push((
                match ask.what {
                    Intent::Scale { to } => format!("y  scale to {to}      Esc  no (default)"),
                    Intent::Do(_) | Intent::Roll { .. } | Intent::Send(_) => {
                        format!("y  {verb} {count}      Esc  no (default)")
                    }
                },
                Role::Title,
            ));
        }
    }
    lines
}

/// What a yes would do: at first as much as is known here, then what the daemon says.
fn effect(model: &Model, ask: &Ask, names: &str) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let ids: Vec<_> = ask.targets.iter().map(|(id, _)| *id).collect();
    if let Some(lock) = lock(model, &ids) {
        lines.push(("under way", harmless(&lock)));
    }
    match ask.what {
        Intent::Do(Verb::Delete) => {
            lines.push((
                "removes",
                "the definition; its processes are stopped".into(),
            ));
            lines.push(("keeps", "log files".into()));
        }
        Intent::Send(Sending { signal, whom }) => {
            let how = format!("to {}; what follows is its own affair", whom.words());
            lines.push(("how", how));
            if let Some(meaning) = meaning(signal) {
                lines.push(("usually", meaning.into()));
            }
        }
        Intent::Do(_) | Intent::Roll { .. } | Intent::Scale { .. } => {}
    }
    if let Intent::Scale { to } = ask.what {
        let ends = gone(model, ask, to);
        let ends = ends.trim_matches([' ', '(', ')']);
        lines.push(match ends.strip_prefix("ends ") {
            Some(ends) => ("ends", ends.to_owned()),
            None => ("starts", "new ones; the others stay as they are".into()),
        });
    }
    if !matches!(ask.what, Intent::Send(_)) {
        lines.extend(capacity(model, ask));
    }
    if ask.protected {
        lines.push(("protected", "yes, by its definition".into()));
    }
    lines.push(("same as", twin(ask, names)));
    lines.push(("undo", undo(ask)));
    lines
}

fn twin(ask: &Ask, names: &str) -> String {
    let force = if ask.protected {
        " --force-protected"
    } else {
        ""
    };
    ask.what.twin(names) + force
}

/// What runs afterwards, who is connected, and how those are ended that are.
fn capacity(model: &Model, ask: &Ask) -> Vec<(&'static str, String)> {
    let more = model.glyphs.more.to_string();
    let Some(plan) = &ask.plan else {
        // As many lines as there will be.
        return ["after this", "open now", "how"]
            .map(|what| (what, more.clone()))
            .to_vec();
    };
    let mut after: Vec<String> = plan
        .processes
        .iter()
        .take(3)
        .map(|it| {
            let meanwhile = if it.least < it.up.min(it.after) {
                format!(", {} meanwhile", it.least)
            } else {
                String::new()
            };
            let name = harmless(&it.name);
            format!("{name} {} of {} running{meanwhile}", it.after, it.after_of)
        })
        .collect();
    if plan.processes.len() > 3 {
        after.push(format!("and {} more", plan.processes.len() - 3));
    }
    let mut lines = vec![("after this", after.join("; "))];
    if plan.processes.iter().all(|it| it.ends.is_empty()) {
        lines.push(("how", "nothing is ended".into()));
        return lines;
    }
    let open: Vec<String> = plan
        .processes
        .iter()
        .filter_map(PlanProcess::open)
        .collect();
    let looked = plan.processes.iter().any(|it| it.ports.is_some());
    lines.push((
        "open now",
        match (open.as_slice(), looked, ask.tickets.is_empty()) {
            ([], true, _) => "nobody listens".into(),
            ([], false, true) => "not known: the look took too long".into(),
            ([], false, false) => more,
            (open, _, _) => open.join("; "),
        },
    ));
    let mut how: Vec<String> = plan.processes.iter().filter_map(PlanProcess::how).collect();
    how.dedup();
    lines.push(("how", how.join("; ")));
    lines
}

fn undo(ask: &Ask) -> String {
    let back = match ask.what {
        Intent::Do(Verb::Stop | Verb::Kill) => "starts again what ran",
        Intent::Do(Verb::Delete) => "brings it back",
        Intent::Scale { .. } => "brings the number back",
        Intent::Do(Verb::Start | Verb::Restart) | Intent::Roll { .. } | Intent::Send(_) => {
            return "not possible".into();
        }
    };
    format!("u within 10 min {back}")
}

/// What programs usually do when they get it.
fn meaning(signal: Signal) -> Option<&'static str> {
    Some(match signal.number() {
        1 => "servers read their configuration again; others end",
        2 => "ends, as Ctrl-C does; then its restart policy counts",
        3 => "ends with a core dump; a Java program prints its threads",
        6 => "ends with a core dump",
        9 => "ends at once; then its restart policy counts",
        10 | 12 => "whatever the program says; without a word it ends",
        15 => "ends; then its restart policy counts",
        18 => "goes on after STOP",
        19 => "stands still until CONT",
        28 => "is told that its window has another size",
        _ => return None,
    })
}
