//! What stands in front: questions, the lost connection, remarks.

use ratatui::layout::Rect;

use crate::logs::safe::harmless;
use crate::tui::link::{Alive, Lost};
use crate::tui::model::Model;
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

pub(super) fn popup(canvas: &mut Canvas<'_>, model: &Model, title: &str, lines: &[(String, Role)]) {
    let width = lines.iter().map(|(text, _)| cells(text)).max().unwrap_or(0);
    let area = centred(model, width.max(cells(title) + 4), lines.len());
    let inside = canvas.frame(area, title);
    put(canvas, inside, lines);
}

/// The lost connection; it never takes the keyboard.
pub(super) fn lost(canvas: &mut Canvas<'_>, model: &Model, lost: &Lost) {
    if lost.hidden {
        return;
    }
    let daemon = model.daemon.as_ref();
    let what = match daemon {
        Some(daemon) => format!("The connection to the daemon (pid {}) is lost.", daemon.pid),
        None => "There is no connection to a daemon.".to_owned(),
    };
    let mut lines = vec![what, String::new()];
    if let Some(daemon) = daemon {
        let alive = match lost.alive {
            Some(Alive { alive, of, .. }) => {
                format!("{alive} of {of} pids still alive (checked here)")
            }
            None => "being checked".to_owned(),
        };
        lines.push(format!("processes    {alive}"));
        let pid = daemon.pid;
        let it = match lost.alive.map(|it| it.daemon) {
            None => "being checked".to_owned(),
            Some(None) => format!("pid {pid}, an older one: cannot be checked"),
            Some(Some(true)) => format!("pid {pid} is there"),
            Some(Some(false)) => format!("pid {pid} is gone"),
        };
        lines.push(format!("daemon       {it}"));
    }
    lines.push(format!("why          {}", harmless(&lost.why)));
    let next = match lost.until_next(model.now) {
        Some(left) => format!("in {:.1}s", left.as_secs_f32()),
        None => "under way".to_owned(),
    };
    let attempt = lost.attempts + 1;
    lines.push(format!(
        "next try     {next} (attempt {attempt}); Enter tries now"
    ));
    if daemon.is_some() {
        let last = "What you see is the last known state; numbers are frozen.";
        lines.extend([String::new(), last.to_owned()]);
    }
    let lines: Vec<_> = lines.into_iter().map(|text| (text, Role::Text)).collect();
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
