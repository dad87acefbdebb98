//! The pane of the daemon's own log.

use crate::api::{Level, Push};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::screens::Screen;
use crate::tui::theme::Glyphs;

use super::desk::{Desk, everything, snapshot};
use super::pictures::SIZES;
use super::scenes::own_log::{opened, record, ticket, told};

/// The queries of the streams that were opened.
fn asked(desk: &Desk) -> Vec<crate::api::RecordQuery> {
    let streams = desk.wanted.iter().filter_map(|command| match command {
        Cmd::Records { query, .. } => Some(*query),
        _ => None,
    });
    streams.collect()
}

fn numbered(range: std::ops::Range<u64>) -> Vec<crate::api::Record> {
    range
        .map(|n| record(n, Level::Info, "supervisor", &format!("record {n:04}")))
        .collect()
}

fn last_row(desk: &Desk) -> String {
    let screen = desk.screen();
    let rows: Vec<&str> = screen.lines().collect();
    rows[rows.len() - 2].trim_end().to_owned()
}

/// Whatever a record says, every row ends where the screen ends, and what stands beside it stands.
#[test]
fn check_16_records_with_wide_and_control_characters_keep_the_frame() {
    let hostile = [
        "\x1b[2J\x1b[H erased \x1b]0;owned\x07 \x1b]52;c;aGk=\x07".to_owned(),
        "\u{4e16}\u{754c}".repeat(120),
        format!("{}\u{4e16}|", "x".repeat(61)),
        "\u{202e}turned\u{202c} \u{200b}\u{2060} \u{1f468}\u{200d}\u{1f469} e\u{301}\u{301}"
            .to_owned(),
        "first\nsecond\r\nthird\ttab \u{9b}31m \0\x7f".to_owned(),
        String::new(),
        "\n\n\n".to_owned(),
        "a".repeat(100_000),
    ];
    for text in hostile {
        for target in ["supervisor", "\x1b[31m\u{4e16}\n", ""] {
            let mut desk = opened();
            told(&mut desk, vec![record(50, Level::Warn, target, &text)]);
            for (width, height) in SIZES {
                desk.resize(width, height);
                for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
                    desk.model.glyphs = glyphs;
                    let screen = desk.screen();
                    let seen = (width, height, &text, target);
                    for row in screen.lines() {
                        assert!(!row.chars().any(char::is_control), "{seen:?}: {row:?}");
                        let cells = unicode_width::UnicodeWidthStr::width(row);
                        assert!(cells <= usize::from(width), "{seen:?}: {cells} in {row:?}");
                    }
                    let rows: Vec<&str> = screen.lines().collect();
                    assert!(rows[1].contains("daemon log"), "{screen}");
                    assert!(rows[rows.len() - 1].contains("targets"), "{screen}");
                    if width >= 60 {
                        let frame = desk.frame();
                        let gutter = (0..width)
                            .find(|x| frame[(*x, 2)].symbol() == glyphs.gutter.to_string());
                        let gutter = gutter.unwrap_or_else(|| panic!("{seen:?}\n{screen}"));
                        for y in 2..height - 1 {
                            let cell = frame[(gutter, y)].symbol();
                            assert_eq!(cell, glyphs.gutter.to_string(), "{seen:?} {y}\n{screen}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn it_follows_and_a_move_up_keeps_its_place_whatever_comes() {
    let mut desk = opened();
    assert_eq!(asked(&desk).len(), 1);
    told(&mut desk, numbered(100..300));
    assert!(last_row(&desk).ends_with("record 0299"));
    desk.press("PgUp");
    let place = last_row(&desk);
    assert!(place.ends_with("record 0279"), "{place}");
    told(&mut desk, numbered(300..350));
    assert_eq!(last_row(&desk), place);
    assert!(desk.screen().contains("PAUSED +50 new"));
    desk.resize(120, 40);
    assert!(last_row(&desk).ends_with("record 0279"));
    desk.press("PgDn PgDn PgDn PgDn");
    assert!(last_row(&desk).ends_with("record 0349"));
    assert!(
        desk.screen().contains("PAUSED"),
        "the end is no order to follow"
    );
    desk.press("g");
    assert!(desk.screen().contains("the daemon has taken over"));
    desk.press("PgUp PgUp");
    assert!(desk.screen().contains("the daemon has taken over"));
    desk.press("Esc");
    assert!(desk.screen().contains("FOLLOW") && last_row(&desk).ends_with("record 0349"));
    desk.press("Esc");
    assert!(desk.model.screens.is_empty());
    let closed = ticket(&desk);
    assert!(desk.wanted.contains(&Cmd::Close { ticket: closed }));
}

#[test]
fn taking_more_of_a_target_asks_the_daemon_for_more_and_of_the_others_keeps_out() {
    let mut desk = opened();
    let chosen = |desk: &Desk| match desk.model.screens.last() {
        Some(Screen::OwnLog(it)) => it.listed()[it.selected].0.to_owned(),
        other => panic!("{other:?}"),
    };
    while chosen(&desk) != "supervisor" {
        desk.press("j");
    }
    desk.press("+");
    let query = asked(&desk).last().copied().unwrap();
    assert_eq!(query.level, Some(Level::Debug));
    let last = record(7, Level::Info, "", "").at_us;
    assert_eq!(
        query.after_us,
        Some(last),
        "what is known is not sent again"
    );
    let steps = vec![
        record(60, Level::Debug, "supervisor", "a step of the supervisor"),
        record(61, Level::Debug, "store", "a step of the store"),
    ];
    told(&mut desk, steps);
    let screen = desk.screen();
    assert!(screen.contains("a step of the supervisor") && !screen.contains("a step of the store"));
    desk.press("Left");
    assert!(!desk.screen().contains("a step of the supervisor"));
    desk.press("Right");
    assert!(desk.screen().contains("a step of the supervisor"));
    desk.press("-");
    assert_eq!(asked(&desk).last().unwrap().level, Some(Level::Info));
    desk.press("f");
    let screen = desk.screen();
    assert!(
        !screen.contains("a stranger") && screen.contains("billing: errored"),
        "{screen}"
    );
    desk.press("f Left Left Left");
    let screen = desk.screen();
    assert!(
        screen.contains("a stranger") && !screen.contains("billing: errored"),
        "{screen}"
    );
    desk.press("Space");
    assert_ne!(chosen(&desk), "supervisor", "of which nothing is shown");
}

#[test]
fn remarks_of_the_session_stand_among_what_the_daemon_said() {
    let mut desk = opened();
    let screen = desk.screen();
    let rows: Vec<&str> = screen.lines().collect();
    let place = |text: &str| rows.iter().position(|row| row.contains(text)).unwrap();
    let remark = place("mailer did not start");
    assert!(remark > place("mailer: backoff"), "{screen}");
    assert!(remark < place("billing: errored"), "{screen}");
    desk.model.wall_ms = super::desk::noon_ms() + 90_000;
    desk.model.toast("said later", false);
    desk.model.toasts.clear();
    let screen = desk.screen();
    let row = screen.lines().find(|row| row.contains("said later"));
    assert!(row.is_some_and(|row| row.contains("I tui")), "{screen}");
}

#[test]
fn a_lost_stream_is_opened_again_behind_what_is_known() {
    let mut desk = opened();
    let before = ticket(&desk);
    desk.send(Msg::StreamOver { ticket: before });
    desk.lose();
    desk.wait(5000);
    assert_eq!(asked(&desk).len(), 1, "nobody is there to ask");
    desk.push(Push::Snapshot(Box::new(snapshot(everything()))));
    desk.wait(1000);
    let last = record(7, Level::Info, "", "").at_us;
    assert_eq!(asked(&desk).last().unwrap().after_us, Some(last));
    assert_ne!(ticket(&desk), before);
    let old = Msg::Records {
        ticket: before,
        records: vec![record(90, Level::Info, "store", "of the stream before")],
    };
    desk.send(old);
    assert!(!desk.screen().contains("of the stream before"));
}
