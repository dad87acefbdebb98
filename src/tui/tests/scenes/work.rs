//! What the dashboard itself takes, and what others are at.

use std::time::Duration;

use crate::tui::tests::activity::begun_by_dev;
use crate::tui::tests::desk::Desk;
use crate::tui::tests::voices::{hear, heard};
use crate::tui::trace::Frame;

use super::activity::with_activity;

fn stats() -> Desk {
    let mut desk = Desk::new();
    desk.wait(60_000);
    for n in 0..300_u64 {
        let slow = if n == 200 { 9000 } else { 0 };
        let whole = Duration::from_micros(700 + 3 * n + slow);
        desk.model.stats.frame(Frame {
            at: Duration::from_millis(10_000 + 200 * n),
            made: whole / 3,
            whole,
            bytes: if n % 3 == 0 {
                0
            } else {
                140 + 40 * slow as usize / 100
            },
            told: 2,
        });
    }
    desk.model.stats.waited(Duration::from_secs(30), 37);
    desk.press(":");
    desk.type_text("stats");
    desk.press("Enter");
    desk
}

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let mut busy = with_activity();
    begun_by_dev(&mut busy, "restart", &["web", "cron"], "operation-7");
    busy.select(5);
    let mut locked = busy.clone();
    locked.press("x");
    let mut rolled = busy.clone();
    rolled.select(11);
    rolled.press("R");
    let mut voices = busy.clone();
    let now = voices.model.wall_ms;
    hear(
        &mut voices,
        vec![
            heard(4, 2, None),
            heard(10, 0, Some(now - 1)),
            heard(11, 1, Some(now - 1)),
        ],
    );
    vec![
        ("stats", stats()),
        ("voices", voices),
        ("others_at_work", busy),
        ("question_locked", locked),
        ("rolling_plan_locked", rolled),
    ]
}
