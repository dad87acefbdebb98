//! The first two lines: who, how many, whether it is live; and the machine.

use ratatui::layout::Rect;

use crate::api::Place;
use crate::logs::safe::harmless;
use crate::tui::company::{others, roller, user};
use crate::tui::model::{Link, Model};
use crate::tui::screens::rolling::under_way;
use crate::tui::theme::{Role, role_of};

use super::canvas::{Canvas, cells};
use super::figures::short_uptime;
use super::screens::activity::here;

/// What is said in place of counts.
const NOTHING: &str = "no processes yet";

/// Whether there is nothing to count.
fn is_empty(model: &Model) -> bool {
    model.rows.is_empty() && model.daemon.is_some()
}

/// So much is said of what another is at.
const OTHERS: usize = 40;

pub(super) fn header(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let y = area.y;
    let (state, role) = match &model.link {
        Link::Live => (format!("{} live", canvas.glyphs.live), Role::Good),
        Link::Connecting => ("connecting".to_owned(), Role::Moving),
        Link::Lost(lost) => {
            let age = model.now.saturating_sub(lost.since).as_secs();
            let sign = canvas.glyphs.errored;
            (
                format!("{sign} STALE {age}s retry {}", lost.attempts + 1),
                Role::Stale,
            )
        }
    };
    let width = cells(&state);
    canvas.text(area.width.saturating_sub(width + 1), y, width, &state, role);
    let room = area.width.saturating_sub(width + 2);
    let mut x = canvas.text(1, y, room.saturating_sub(1), "adasa", Role::Title);
    if area.width >= 100
        && let Some(daemon) = &model.daemon
    {
        x = canvas.text(
            x + 1,
            y,
            room.saturating_sub(x + 1),
            &daemon.version,
            Role::Text,
        );
    }
    // Where there is little room, what is wrong matters more than where.
    if !model.host.name.is_empty() && area.width >= 60 {
        x = canvas.text(
            x + 2,
            y,
            room.saturating_sub(x + 2),
            &model.host.name,
            Role::Text,
        );
    }
    if let Some(label) = &model.host.label {
        let [open, close] = canvas.glyphs.quotes;
        let text = format!("{open}{}{close}", harmless(label));
        x = canvas.text(x + 1, y, room.saturating_sub(x + 1), &text, Role::Question);
    }
    x += 2;
    for rollout in under_way(model) {
        let done = rollout.count(|place| place == Place::Done);
        let does = match roller(model, rollout) {
            None => "roll".to_owned(),
            Some(user) => format!("{user} rolls"),
        };
        let text = format!("{does} {} {done}/{}", rollout.process, rollout.size());
        let text = harmless(&text);
        // How many are in which status is seen in the table too.
        if x + cells(&text) + 2 <= room {
            x = canvas.text(x, y, room.saturating_sub(x), &text, Role::Moving) + 2;
        }
    }
    // Where there is little room, what is wrong matters more than what others are at.
    let seen = others(model).into_iter().filter(|_| area.width >= 60);
    for it in seen {
        let text = harmless(&format!("{}: {}", user(it), it.words()));
        let text: String = text.chars().take(OTHERS).collect();
        if x + cells(&text) + 2 <= room {
            x = canvas.text(x, y, room.saturating_sub(x), &text, Role::Moving) + 2;
        }
    }
    // Where there is little room, what is wrong matters more than who looks.
    if area.width >= 100 {
        x = company(canvas, (x, y), room, model);
    }
    let alarms = model.daemon.as_ref().map_or(0, |it| it.alarms.len());
    let trouble = match alarms + model.unread {
        0 => String::new(),
        count => format!("  ! {count}"),
    };
    let others = area.width < 100 && area.width >= 60 && model.company.clients.len() > 1;
    let kept = if others { "2 here   ".len() } else { 0 };
    let counted = room.saturating_sub(u16::try_from(kept).unwrap_or(0) + cells(&trouble));
    for (n, (status, count)) in model.counts().into_iter().enumerate() {
        let role = role_of(status);
        let text = format!("{count} {status}");
        let between = if n > 0 { 3 } else { 0 };
        if x + between + cells(&text) > counted {
            break;
        }
        if n > 0 {
            let dot = format!(" {} ", canvas.glyphs.dot);
            x = canvas.text(x, y, room.saturating_sub(x), &dot, Role::Text);
        }
        x = canvas.text(x, y, room.saturating_sub(x), &text, role);
    }
    if is_empty(model) && x + cells(NOTHING) + 2 <= room {
        x = canvas.text(x, y, room.saturating_sub(x), NOTHING, Role::Text);
    }
    if area.width < 100 {
        x = company(canvas, (x + 2, y), room, model);
    }
    canvas.text(x, y, room.saturating_sub(x), &trouble, Role::Bad);
}

/// Who else is here.
fn company(canvas: &mut Canvas<'_>, (x, y): (u16, u16), room: u16, model: &Model) -> u16 {
    let count = model.company.clients.len();
    if count < 2 {
        return x;
    }
    let text = if room >= 150 {
        format!("{count} here: {}", here(model))
    } else {
        format!("{count} here")
    };
    if x + cells(&text) + 2 > room {
        return x;
    }
    canvas.text(x, y, room.saturating_sub(x), &text, Role::Title) + 2
}

/// A bar of `width` cells, `percent` of it full to an eighth of a cell.
pub(super) fn bar(
    canvas: &mut Canvas<'_>,
    (x, y): (u16, u16),
    width: u16,
    percent: f32,
    role: Role,
) -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the width"
    )]
    let eighths = (f32::from(width) * 8.0 * percent.clamp(0.0, 100.0) / 100.0).round() as usize;
    let [left, right] = canvas.glyphs.ends;
    let mut filled: String = std::iter::repeat_n(canvas.glyphs.full, eighths / 8).collect();
    if let Some(part) = (eighths % 8).checked_sub(1) {
        filled.extend(canvas.glyphs.eighths.get(part));
    }
    let begin = canvas.text(x, y, 1, left.encode_utf8(&mut [0; 4]), Role::Frame);
    canvas.text(begin, y, width, &filled, role);
    canvas.text(
        begin + width,
        y,
        1,
        right.encode_utf8(&mut [0; 4]),
        Role::Frame,
    )
}

/// How full is too full.
fn used_role(percent: f32) -> Role {
    if percent > 90.0 {
        Role::Bad
    } else {
        Role::Good
    }
}

pub(super) fn gauges(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    // Before the daemon has told, nothing is known: no zeros.
    if area.height == 0 || model.daemon.is_none() {
        return;
    }
    let host = &model.host;
    let y = area.y;
    let wide = (area.width / 10).clamp(6, 24);
    let mut x = canvas.text(1, y, area.width, "cpu", Role::Text);
    x = bar(canvas, (x, y), wide, host.cpu, used_role(host.cpu));
    x = canvas.text(
        x,
        y,
        area.width.saturating_sub(x),
        &format!("{:>3.0}%", host.cpu),
        Role::Text,
    );
    #[expect(clippy::cast_precision_loss, reason = "a percentage is shown")]
    let used = 100.0 * host.memory_used as f32 / host.memory_total.max(1) as f32;
    x = canvas.text(
        x + 2,
        y,
        area.width.saturating_sub(x + 2),
        "mem",
        Role::Text,
    );
    x = bar(canvas, (x, y), wide, used, used_role(used));
    let of = format!("{used:>3.0}% of {}G", host.memory_total >> 30);
    x = canvas.text(x, y, area.width.saturating_sub(x), &of, Role::Text);
    let load = if area.width >= 120 {
        format!(
            "  load {:.2} {:.2} {:.2}",
            host.load[0], host.load[1], host.load[2]
        )
    } else {
        format!("  load {:.1}", host.load[0])
    };
    x = canvas.text(x, y, area.width.saturating_sub(x), &load, Role::Text);
    if let Some(disk) = host.disk {
        let role = if disk > 90.0 { Role::Bad } else { Role::Text };
        let text = format!("  disk {disk:.0}%");
        x = canvas.text(x, y, area.width.saturating_sub(x), &text, role);
    }
    if let Some(daemon) = model.daemon.as_ref().filter(|_| area.width >= 160) {
        let since = model.told_at().saturating_sub(model.daemon_at).as_secs();
        let text = format!("  daemon up {}", short_uptime(daemon.uptime + since));
        canvas.text(x, y, area.width.saturating_sub(x), &text, Role::Text);
    }
}
