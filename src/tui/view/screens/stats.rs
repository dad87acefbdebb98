//! What the dashboard itself takes.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::tui::QUEUE;
use crate::tui::model::Model;
use crate::tui::stats::Spread;
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;

fn time(it: Duration) -> String {
    let micros = it.as_micros();
    if micros < 1000 {
        format!("{micros}us")
    } else if micros < 100_000 {
        format!("{:.1}ms", it.as_secs_f64() * 1000.0)
    } else {
        format!("{:.1}s", it.as_secs_f64())
    }
}

fn size(bytes: f64) -> String {
    if bytes < 1000.0 {
        format!("{bytes:.0} B")
    } else if bytes < 1_000_000.0 {
        format!("{:.1} kB", bytes / 1000.0)
    } else {
        format!("{:.1} MB", bytes / 1_000_000.0)
    }
}

fn spread(it: Spread) -> String {
    format!(
        "p50 {} p99 {} max {}",
        time(it.half),
        time(it.almost_all),
        time(it.longest)
    )
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    canvas.title(area, "stats", "of this dashboard, a minute");
    let it = model.stats.summary(model.now);
    let [bytes, bytes_minute] = it.bytes.map(size);
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let (largest, all) = (size(it.largest as f64), size(it.all_bytes as f64));
    let [messages, messages_minute] = it.messages;
    let lines = [
        (
            "frames",
            format!("{}, {} wrote nothing", it.frames, it.silent),
        ),
        ("screen", spread(it.whole)),
        ("made", spread(it.made)),
        ("bytes", format!("{bytes}/s now, {bytes_minute}/s mean")),
        ("", format!("largest {largest}, {all} in all")),
        (
            "messages",
            format!("{messages:.1}/s now, {messages_minute:.1}/s mean"),
        ),
        ("queue", format!("at most {} of {QUEUE} waited", it.waited)),
    ];
    for (y, (title, text)) in (area.y + 2..area.bottom()).zip(lines) {
        let x = area.x + 1;
        let room = area.right().saturating_sub(x);
        canvas.text(x, y, room.min(8), title, Role::Title);
        let x = x + 9;
        canvas.text(x, y, area.right().saturating_sub(x), &text, Role::Text);
    }
}
