//! One verb on several instances.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::api::Progress;
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::bulk::{BulkScreen, Part};
use crate::tui::theme::{Role, role_of};
use crate::tui::view::canvas::{Canvas, cells};

fn pids(part: &Part, arrow: &str) -> String {
    match (part.before, part.told.as_ref().and_then(|told| told.pid)) {
        (Some(old), Some(new)) if old != new => format!("pid {old} {arrow} {new}"),
        (_, Some(pid)) => format!("pid {pid}"),
        (Some(old), None) => format!("pid {old} {arrow} none"),
        (None, None) => String::new(),
    }
}

fn words(part: &Part, it: &BulkScreen) -> String {
    match part.progress() {
        Progress::Done => it.verb.past().to_owned(),
        Progress::Already => "was so already".to_owned(),
        Progress::Left { reason } => format!("left as it was: {}", harmless(reason)),
        Progress::Failed { reason } => format!("not {}: {}", it.verb.past(), harmless(reason)),
        Progress::Pending => match &part.told {
            Some(told) => match told.due_in_ms {
                Some(left) => format!("{} {}s", told.status, left.div_ceil(1000)),
                None => told.status.to_string(),
            },
            None => "asked".to_owned(),
        },
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1}s", took.as_secs_f32())
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &BulkScreen) {
    let (done, failed, running) = it.counts();
    let count = it.parts.len();
    let right = format!("operation {}", it.operation);
    canvas.title(area, &format!("{} {count}", it.verb.word()), &right);
    let dot = canvas.glyphs.dot;
    let mut summary = format!("{done} done {dot} {failed} failed {dot} {running} on the way");
    if it.unrecorded {
        summary.push_str(&format!(
            " {dot} not recorded yet: the state folder waits for its disk"
        ));
    }
    let (x, width) = (area.x + 1, area.width.saturating_sub(2));
    canvas.text(x, area.y + 1, width, &summary, Role::Title);
    if let Some(why) = &it.refused {
        canvas.text(x, area.y + 2, width, &harmless(why), Role::Bad);
    }
    // The reason of the selected one is shown whole, below.
    let below = area.height > 10;
    let height = area.height.saturating_sub(if below { 7 } else { 3 });
    let list = Rect::new(area.x, area.y + 3, area.width, height);
    let first = it
        .cursor
        .saturating_sub(usize::from(list.height).saturating_sub(1));
    let widest = it
        .parts
        .iter()
        .map(|p| cells(&p.name))
        .max()
        .unwrap_or(0)
        .min(32);
    let arrow = canvas.glyphs.arrow.to_string();
    for (y, (n, part)) in (list.y..list.bottom()).zip(it.parts.iter().enumerate().skip(first)) {
        let (sign, role) = match part.progress() {
            Progress::Done | Progress::Already | Progress::Left { .. } => {
                (canvas.glyphs.exited, Role::Good)
            }
            Progress::Failed { .. } => (canvas.glyphs.errored, Role::Bad),
            Progress::Pending => {
                let status = part.told.as_ref().map(|told| told.status);
                let role = status.map_or(Role::Requested, role_of);
                (canvas.glyphs.starting, role)
            }
        };
        canvas.text(x + 2, y, 1, &sign.to_string(), role);
        canvas.text(x + 4, y, widest, &harmless(&part.name), Role::Text);
        let took = part.took.map_or_else(String::new, seconds);
        canvas.right(x + 4 + widest, y, 9, &took, Role::Text);
        let mut at = x + widest + 15;
        let room = |at: u16| area.right().saturating_sub(at + 1);
        let told = pids(part, &arrow);
        if area.width >= 60 {
            canvas.text(at, y, room(at).min(22), &told, Role::Text);
            at += 24;
        }
        canvas.text(at, y, room(at), &words(part, it), Role::Text);
        if n == it.cursor {
            canvas.paint(Rect::new(area.x, y, area.width, 1), Role::Selected);
            canvas.text(area.x, y, 1, &canvas.glyphs.cursor.to_string(), Role::Text);
        }
    }
    if below && let Some(part) = it.parts.get(it.cursor) {
        let y = list.bottom();
        canvas.title(
            Rect::new(area.x, y, area.width, 1),
            &harmless(&part.name),
            "",
        );
        canvas.text(x, y + 1, width, &words(part, it), Role::Text);
        let alarm = model
            .rows
            .get(&part.id)
            .map(|row| row.view.because.as_str());
        canvas.text(x, y + 2, width, &harmless(alarm.unwrap_or("")), Role::Text);
    }
}
