//! What a frame costs on the wire.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;

use crate::api::{Metric, Net, Push};
use crate::domain::spec::Stream::Out;
use crate::tui::msg::Msg;
use crate::tui::theme::Theme;

use super::desk::{Desk, everything, host, line};
use super::scenes::moment::known;

/// The two marks around a frame: `ESC [?2026h` and `l`.
const MARKS: usize = 16;

/// The bytes from one frame to another, as `Terminal::paint` makes them.
fn bytes(from: &Buffer, to: &Buffer) -> usize {
    let changes = from.diff(to);
    if changes.is_empty() {
        return 0;
    }
    let mut out = Vec::new();
    CrosstermBackend::new(&mut out)
        .draw(changes.into_iter())
        .unwrap();
    out.len() + MARKS
}

fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.model.theme = Theme::Terminal;
    desk.wait(200);
    desk.logs(
        (0..30)
            .map(|n| line(n, "api-0", Out, "GET / 200 14ms"))
            .collect(),
    );
    desk
}

#[test]
fn check_17_the_same_frame_costs_nothing() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = desk();
        desk.resize(width, height);
        let before = desk.frame();
        assert_eq!(bytes(&before, &desk.frame()), 0);
        // Time alone changes nothing within a second.
        desk.wait(200);
        desk.send(Msg::Drawn);
        assert_eq!(bytes(&before, &desk.frame()), 0);
    }
}

#[test]
fn the_same_state_told_again_costs_nothing() {
    let mut desk = desk();
    let before = desk.frame();
    // A countdown told again begins again.
    for view in everything().into_iter().filter(|v| v.due_in_ms.is_none()) {
        desk.push(Push::Instance {
            instance: Box::new(view),
        });
    }
    desk.push(Push::Metrics {
        heard: vec![],
        host: host(),
        metrics: vec![],
    });
    assert_eq!(bytes(&before, &desk.frame()), 0);
}

#[test]
fn check_17_a_step_of_the_cursor_is_two_rows() {
    for (size, most) in [((80, 24), 350), ((120, 40), 450), ((200, 60), 600)] {
        let mut worst = 0;
        let mut desk = desk();
        desk.resize(size.0, size.1);
        desk.wait(200);
        desk.press("g");
        for _ in 0..desk.model.lines().len() {
            let before = desk.frame();
            let offset = desk.model.offset;
            desk.send(Msg::Key(KeyEvent::new(
                KeyCode::Char('j'),
                KeyModifiers::NONE,
            )));
            if desk.model.offset == offset {
                worst = worst.max(bytes(&before, &desk.frame()));
            }
        }
        assert!(worst > 0 && worst <= most, "{worst} bytes at {size:?}");
    }
}

#[test]
fn a_key_that_does_nothing_costs_nothing() {
    let mut desk = desk();
    desk.press("G");
    let before = desk.frame();
    desk.press("j PgDn G Enter Esc #");
    assert_eq!(bytes(&before, &desk.frame()), 0);
}

/// Bytes a second of a minute in which nothing happens, and every figure of the machine trembles.
fn idle(desk: &mut Desk) -> usize {
    let quiet = |desk: &Desk| {
        let rows = desk
            .model
            .rows
            .values()
            .filter(|row| row.view.pid.is_some());
        rows.map(|row| Metric {
            id: row.view.id,
            cpu: Some(0.0),
            memory: row.view.memory,
            fds: None,
        })
        .collect::<Vec<_>>()
    };
    let mut total = 0;
    // The pictures of what was before have gone after ten minutes.
    for second in 0..720 {
        let before = desk.frame();
        desk.wait(1000);
        let mut host = host();
        let tremble = (second % 2) as f32;
        host.cpu += tremble;
        host.load[0] += f64::from(tremble) / 50.0;
        host.net = host.net.map(|net| Net {
            down: net.down + second * 100_000,
            ..net
        });
        host.own.cpu = host.own.cpu.map(|cpu| cpu + tremble / 10.0);
        let metrics = quiet(desk);
        desk.push(Push::Metrics {
            heard: vec![],
            host,
            metrics,
        });
        if second >= 660 {
            total += bytes(&before, &desk.frame());
        }
    }
    total / 60
}

#[test]
fn a_quiet_machine_keeps_to_the_budget_of_the_wire() {
    for (size, most) in [((80, 24), 60), ((120, 40), 100), ((200, 60), 150)] {
        let mut it = known();
        it.desk.model.theme = Theme::Terminal;
        // Countdowns are no quiet, nor are ages in seconds.
        for row in it.desk.model.rows.values_mut() {
            row.view.due_in_ms = None;
            row.view.uptime = row.view.uptime.map(|seconds| seconds + 86_400);
        }
        it.desk.resize(size.0, size.1);
        it.desk.wait(200);
        it.serve();
        let cost = idle(&mut it.desk);
        assert!(
            cost > 0 && cost <= most,
            "{cost} bytes a second at {size:?}"
        );
    }
}

#[test]
fn one_line_of_log_is_no_whole_screen() {
    let mut desk = desk();
    let before = desk.frame();
    desk.logs(vec![line(30, "api-0", Out, "GET / 200 15ms")]);
    let cost = bytes(&before, &desk.frame());
    assert!(cost < 700, "{cost} bytes");
}
