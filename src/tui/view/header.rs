//! The first two lines: who, how many, whether it is live; and the machine.

use ratatui::layout::Rect;

use crate::api::Place;
use crate::logs::safe::harmless;
use crate::tui::company::{others, roller, user};
use crate::tui::model::{Link, Model};
use crate::tui::screens::rolling::under_way;
use crate::tui::theme::{Role, role_of};

use super::canvas::{Canvas, cells};
use super::figures::{percent, rate, short_bytes, short_uptime};
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
    x = canvas.text(x, y, room.saturating_sub(x), &trouble, Role::Bad);
    if let Some(text) = own(model, area.width) {
        let begin = room.saturating_sub(cells(&text) + 1);
        // What is wrong matters more.
        if begin >= x + 2 {
            canvas.text(begin, y, cells(&text), &text, Role::Text);
        }
    }
}

/// What the daemon takes, where there is room for it.
fn own(model: &Model, width: u16) -> Option<String> {
    let daemon = model.daemon.as_ref().filter(|_| width >= 120)?;
    let none = || model.glyphs.none.to_string();
    let since = model.told_at().saturating_sub(model.daemon_at).as_secs();
    let up = short_uptime(daemon.uptime + since);
    let rss = model.host.own.memory.map_or_else(none, short_bytes);
    let mut text = format!("daemon up {up}  rss {rss}");
    if width >= 160 {
        let cpu = model.host.own.cpu.map_or_else(none, percent);
        text.push_str(&format!("  cpu {cpu}"));
    }
    Some(text)
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

/// How much of a whole, in full percents: a bar moves when its figure does.
#[expect(clippy::cast_precision_loss, reason = "a percentage is shown")]
fn percent_of(used: u64, total: u64) -> f32 {
    (100.0 * used as f32 / total.max(1) as f32).round()
}

/// The second line, from the left.
struct Line<'c, 'b> {
    canvas: &'c mut Canvas<'b>,
    x: u16,
    area: Rect,
}

impl Line<'_, '_> {
    fn left(&self) -> u16 {
        self.area.width.saturating_sub(self.x)
    }

    fn text(&mut self, text: &str, role: Role) {
        self.x = self
            .canvas
            .text(self.x, self.area.y, self.left(), text, role);
    }

    /// A name, a bar, and how much that is.
    fn gauge(&mut self, name: &str, width: u16, percent: f32) {
        self.text(name, Role::Text);
        // A bar that is cut off says less than it seems to.
        if self.left() > width + 2 {
            let at = (self.x, self.area.y);
            self.x = bar(self.canvas, at, width, percent, used_role(percent));
        }
        self.text(&format!("{percent:>3.0}%"), Role::Text);
    }

    /// A figure as a whole, or not at all.
    fn whole(&mut self, text: &str, role: Role) {
        if cells(text) <= self.left() {
            self.text(text, role);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "gigabytes with one decimal")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

pub(super) fn gauges(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    // Before the daemon has told, nothing is known: no zeros.
    if area.height == 0 || model.daemon.is_none() {
        return;
    }
    let host = &model.host;
    let [medium, wide] = [area.width >= 120, area.width >= 160];
    let big = if wide {
        area.width / 12
    } else {
        area.width / 10
    }
    .clamp(6, 24);
    let small = big / 2 + 1;
    let glyphs = canvas.glyphs;
    let mut line = Line { canvas, x: 1, area };
    line.gauge("cpu", big, host.cpu.round());
    if medium {
        line.text(&format!(" {} cores", host.cores), Role::Text);
    }
    let used = percent_of(host.memory_used, host.memory_total);
    line.gauge("  mem", big, used);
    let of = if medium {
        let [used, total] = [host.memory_used, host.memory_total].map(gib);
        format!(" {used:.1}/{total:.0}G")
    } else {
        format!(" of {}G", host.memory_total >> 30)
    };
    line.text(&of, Role::Text);
    if wide && host.swap_total > 0 {
        let swapped = percent_of(host.swap_used, host.swap_total);
        line.gauge("  swap", small, swapped);
    }
    let [one, five, fifteen] = host.load;
    let load = match (medium, wide) {
        (_, true) => format!("  load {one:.2} {five:.2} {fifteen:.2}"),
        (true, false) => format!("  load {one:.2}"),
        (false, false) => format!("  load {one:.1}"),
    };
    line.text(&load, Role::Text);
    match host.disk.map(f32::round) {
        Some(disk) if medium => line.gauge("  disk", small, disk),
        Some(disk) => line.text(&format!("  disk {disk:.0}%"), used_text(disk)),
        None => {}
    }
    // The log matters more than the network: it stands last, and stands.
    let log = format!("  log {}/s", rate(host.logged, glyphs.none));
    if wide {
        let [down, up] = glyphs.net;
        let [fro, to] = [host.net.map(|net| net.down), host.net.map(|net| net.up)]
            .map(|bytes| rate(bytes, glyphs.none));
        let net = format!("  net {down}{fro} {up}{to}/s");
        if cells(&net) + cells(&log) <= line.left() {
            line.text(&net, Role::Text);
        }
    }
    line.whole(&log, Role::Text);
}

/// The same for a figure without a bar.
fn used_text(percent: f32) -> Role {
    if percent > 90.0 {
        Role::Bad
    } else {
        Role::Text
    }
}
