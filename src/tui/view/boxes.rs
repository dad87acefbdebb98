//! What stands in front: questions, help, the lost connection, remarks.

use ratatui::layout::Rect;

use crate::api::{Count, Intent, Sending, Verb};
use crate::config::units::short_duration;
use crate::domain::exit::Signal;
use crate::logs::safe::harmless;
use crate::tui::keymap::Place;
use crate::tui::model::{Ask, Lost, Model, Tier};
use crate::tui::screens::Prompt;
use crate::tui::theme::Role;

use super::canvas::{Canvas, cells};

/// A box in the middle, as large as its lines.
fn centred(model: &Model, width: u16, lines: usize) -> Rect {
    let (columns, rows) = model.size;
    // The footer has the keys of the box.
    let rows = rows.saturating_sub(1);
    let width = (width + 4).min(columns.min(90));
    let height = u16::try_from(lines + 2).unwrap_or(u16::MAX).min(rows);
    Rect::new((columns - width) / 2, (rows - height) / 2, width, height)
}

fn put(canvas: &mut Canvas<'_>, inside: Rect, lines: &[(String, Role)]) {
    for (y, (text, role)) in (inside.y..inside.bottom()).zip(lines) {
        canvas.text(inside.x, y, inside.width, text, *role);
    }
}

fn popup(canvas: &mut Canvas<'_>, model: &Model, title: &str, lines: &[(String, Role)]) {
    let width = lines.iter().map(|(text, _)| cells(text)).max().unwrap_or(0);
    let area = centred(model, width.max(cells(title) + 4), lines.len());
    let inside = canvas.frame(area, title);
    put(canvas, inside, lines);
}

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
    let mut add = |what: &str, text: String| lines.push((format!("{what:<14}{text}"), Role::Text));
    match ask.what {
        Intent::Do(Verb::Delete) => {
            add(
                "removes",
                "the definition; its processes are stopped".into(),
            );
            add("keeps", "log files".into());
        }
        Intent::Do(Verb::Kill) => add("how", "SIGKILL at once, the whole tree".into()),
        Intent::Do(Verb::Stop) => {
            add("after this", format!("0 of {count} running"));
            add("how", "stop signal, grace, then SIGKILL".into());
        }
        Intent::Do(Verb::Restart) => add(
            "after this",
            format!("{count} of {count} with new pids; all are down for a moment"),
        ),
        Intent::Send(Sending { signal, whom }) => {
            add(
                "how",
                format!("to {}; what follows is its own affair", whom.words()),
            );
            if let Some(meaning) = meaning(signal) {
                add("usually", meaning.into());
            }
        }
        Intent::Scale { to } => {
            let ends = gone(model, ask, to);
            let ends = ends.trim_matches([' ', '(', ')']);
            add(
                "how",
                if ends.is_empty() {
                    "new ones are started; the others stay as they are".into()
                } else {
                    ends.to_owned()
                },
            );
        }
        Intent::Do(Verb::Start) | Intent::Roll { .. } => {}
    }
    let names = match ask.targets.as_slice() {
        [_, _, ..] if !model.marks.is_empty() => ask.select.join(" "),
        _ => name.clone(),
    };
    add("same as", ask.what.twin(&names));
    lines.push((String::new(), Role::Text));
    match ask.tier {
        Tier::Name => {
            lines.push((
                format!("type {} to confirm: {}_", harmless(&ask.word), ask.typed),
                Role::Title,
            ));
            lines.push((String::new(), Role::Text));
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
    popup(canvas, model, verb, &lines);
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

fn help_lines(model: &Model) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    for place in Place::ALL {
        if model.keymap.lines_at(&[place]).next().is_none() {
            continue;
        }
        if !lines.is_empty() {
            lines.push((String::new(), Role::Text));
        }
        lines.push((place.title().to_owned(), Role::Title));
        for (binding, keys) in model.keymap.lines_at(&[place]) {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            lines.push((
                format!("  {:<12}{}", keys.join(" "), binding.help),
                Role::Text,
            ));
        }
    }
    lines
}

/// How many lines the help has.
pub(crate) fn help_height(model: &Model) -> u16 {
    u16::try_from(help_lines(model).len()).unwrap_or(0)
}

pub(super) fn help(canvas: &mut Canvas<'_>, model: &Model, scroll: u16) {
    let mut lines = vec![
        (
            "q leaves the dashboard only: processes keep running.".to_owned(),
            Role::Text,
        ),
        (
            "Filter: names, status:x|y cpu>5 mem>1g tag:x ns:x /regex/ !not".to_owned(),
            Role::Text,
        ),
        (String::new(), Role::Text),
    ];
    lines.extend(help_lines(model).into_iter().skip(usize::from(scroll)));
    popup(canvas, model, "help", &lines);
}

/// The lost connection; it never takes the keyboard.
pub(super) fn lost(canvas: &mut Canvas<'_>, model: &Model, lost: &Lost) {
    if lost.hidden {
        return;
    }
    let pid = model.daemon.as_ref().map_or(0, |d| d.pid);
    let alive = match lost.alive {
        Some((alive, of)) => format!("{alive} of {of} pids still alive (checked here)"),
        None => "being checked".to_owned(),
    };
    let lines = vec![
        (
            format!("The connection to the daemon (pid {pid}) is lost."),
            Role::Text,
        ),
        (String::new(), Role::Text),
        (format!("processes    {alive}"), Role::Text),
        (format!("why          {}", harmless(&lost.why)), Role::Text),
        (
            format!("tried        {} times; Enter tries now", lost.attempts + 1),
            Role::Text,
        ),
        (String::new(), Role::Text),
        (
            "What you see is the last known state; numbers are frozen.".to_owned(),
            Role::Text,
        ),
    ];
    popup(canvas, model, "not connected: Esc hides this box", &lines);
}

/// Remarks, the newest lowest, above the footer.
pub(super) fn toasts(canvas: &mut Canvas<'_>, footer: Rect, model: &Model) {
    let mut y = footer.y;
    for toast in model.toasts.iter().rev() {
        let Some(above) = y.checked_sub(1) else {
            return;
        };
        y = above;
        let text = format!(" {} ", harmless(&toast.text));
        let width = cells(&text).min(footer.width);
        let x = footer.width - width;
        let role = if toast.bad {
            Role::Question
        } else {
            Role::Selected
        };
        canvas.text(x, y, width, &text, role);
    }
}

/// What is typed in a log view.
pub(super) fn prompt(canvas: &mut Canvas<'_>, area: Rect, prompt: &Prompt) {
    let y = area.y;
    let room = |x: u16| area.width.saturating_sub(x);
    let mut x = canvas.text(1, y, area.width, prompt.lead(), Role::Title);
    // The end of a long text is what is being typed.
    let most = usize::from(room(x + 2));
    let text = harmless(&prompt.text);
    let skip = text.chars().count().saturating_sub(most);
    let text: String = text.chars().skip(skip).collect();
    x = canvas.text(x, y, room(x), &text, Role::Text);
    x = canvas.text(x, y, room(x), "_", Role::Selected);
    let (after, role) = match &prompt.error {
        Some(error) => (harmless(error), Role::Bad),
        None => (prompt.after().to_owned(), Role::Text),
    };
    canvas.text(x + 2, y, room(x + 2), &after, role);
}
