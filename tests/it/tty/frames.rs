//! What the dashboard sends and how often it wakes: counts of bytes, frames and switches, which a busy machine does not
//! change. Times are measured by `tests/bench/screen.py`.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{COMMON, MEDIUM, WIDE, at_the_terminal, done, is_live, quit, selected, status};
use crate::sandbox::Sandbox;
use crate::screen::Screen;

/// A home with so many quiet processes, `p0` and on.
fn home_of(count: usize) -> Sandbox {
    let home = Sandbox::new();
    let process =
        |n| serde_json::json!({ "name": format!("p{n}"), "script": "sleep", "args": ["100000"] });
    let all: Vec<Value> = (0..count).map(process).collect();
    let file = home.file(
        "all.json",
        serde_json::json!({ "processes": all }).to_string(),
    );
    done(&home, &["up", "-d", &file.display().to_string()]);
    home
}

/// The dashboard, live, writing down its frames.
fn traced(home: &Sandbox, size: (u16, u16)) -> Screen {
    let trace = home.path("frames").display().to_string();
    let screen = Screen::open(
        at_the_terminal(home, &["tui", "--trace-frames", &trace]),
        size,
    );
    screen.until(|text| is_live(text) && status(text, "p0") == Some("running"));
    screen
}

fn frames(home: &Sandbox) -> Vec<Value> {
    let whole = |text: &str| {
        text.lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
    };
    whole(&home.read("frames")).expect("a line of JSON for each frame")
}

fn bytes(frame: &Value) -> u64 {
    frame["bytes"].as_u64().expect("bytes")
}

#[test]
fn check_31_first_paint_and_cursor_step_stay_within_their_bytes() {
    let home = home_of(39);
    for (size, first, step) in [
        (COMMON, 6_000, 350),
        (MEDIUM, 14_000, 450),
        (WIDE, 30_000, 600),
    ] {
        let mut screen = traced(&home, size);
        let painted = screen.raw().len();
        assert!(painted <= first, "{size:?}: {painted} bytes");
        let mut least = u64::MAX;
        for _ in 0..5 {
            let before = (
                selected(&screen.text()).map(str::to_owned),
                frames(&home).len(),
            );
            screen.keys("j");
            screen.until(|text| selected(text).map(str::to_owned) != before.0);
            // The frame that shows it; a measurement that comes with it makes it larger.
            let moved = frames(&home)[before.1..].iter().map(bytes).min();
            least = least.min(moved.unwrap_or(u64::MAX));
        }
        assert!(least <= step, "{size:?}: {least} bytes for a step");
        quit(&mut screen);
    }
}

#[test]
fn check_32_every_frame_that_is_sent_is_written_down() {
    let home = home_of(3);
    let mut screen = traced(&home, COMMON);
    for _ in 0..5 {
        let before = selected(&screen.text()).map(str::to_owned);
        screen.keys(if before.as_deref() == Some("p2") {
            "g"
        } else {
            "j"
        });
        screen.until(|text| selected(text).map(str::to_owned) != before);
    }
    quit(&mut screen);
    let frames = frames(&home);
    let sent: u64 = frames.iter().map(bytes).sum();
    let raw = screen.raw();
    let begun = raw.windows(8).filter(|it| *it == b"\x1b[?2026h").count();
    assert_eq!(frames.len(), begun, "a synchronised update is a frame");
    // Entering and leaving are no frames.
    assert!(
        sent <= raw.len() as u64 && sent + 200 >= raw.len() as u64,
        "{sent} of {}",
        raw.len()
    );
    for frame in &frames {
        let time = |key: &str| frame[key].as_u64().expect("microseconds");
        assert!(time("made_us") <= time("frame_us"), "{frame}");
    }
}

#[test]
fn a_trace_that_cannot_be_begun_is_said_before_the_screen_is_taken() {
    let home = home_of(1);
    let command = at_the_terminal(&home, &["tui", "--trace-frames", "/nowhere/frames"]);
    let mut screen = Screen::open(command, COMMON);
    assert!(!screen.wait_exit().success());
    assert!(
        screen.text().contains("/nowhere/frames"),
        "{}",
        screen.text()
    );
    assert!(!screen.raw().windows(8).any(|it| it == b"\x1b[?1049h"));
}

fn voluntary_switches(pid: i32) -> u64 {
    let mut total = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))
        .expect("its threads")
        .flatten()
    {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("voluntary"));
        let count = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        total += count.unwrap_or(0);
    }
    total
}

/// The dashboard below its guardian, and that.
fn pids(screen: &Screen) -> Vec<i32> {
    let guardian = screen.pid();
    let children = std::fs::read_to_string(format!("/proc/{guardian}/task/{guardian}/children"));
    let children = children.unwrap_or_default();
    let below = children
        .split_whitespace()
        .filter_map(|pid| pid.parse().ok());
    std::iter::once(guardian).chain(below).collect()
}

#[test]
fn check_40_an_idle_dashboard_wakes_at_most_twice_a_second() {
    let home = home_of(39);
    let mut screen = Screen::open(at_the_terminal(&home, &["tui"]), MEDIUM);
    screen.until(|text| is_live(text) && status(text, "p0") == Some("running"));
    let all = pids(&screen);
    let count = || all.iter().map(|pid| voluntary_switches(*pid)).sum::<u64>();
    // What the start brings about is over when a span is as quiet as the others: the best of a few counts.
    let mut least = u64::MAX;
    let mut allowed = 0;
    for _ in 0..3 {
        let (before, begun) = (count(), Instant::now());
        // Nothing to wait for but time: a sign that never comes.
        let never = screen.seen_within(Duration::from_secs(10), |_| false);
        assert!(never.is_err());
        least = least.min(count() - before);
        // One measurement more may fall into the span than it has seconds.
        allowed = 2 * begun.elapsed().as_secs() + 2;
        if least <= allowed {
            break;
        }
    }
    assert!(least <= allowed, "{least} wake-ups, {allowed} allowed");
    quit(&mut screen);
}
