//! Colours, glyphs and sizes.

use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

use crate::sandbox::Sandbox;
use crate::screen::Screen;
use crate::tty::bytes::{Piece, count, pieces, styles};
use crate::tty::{
    COMMON, MEDIUM, Parrot, WIDE, at_the_terminal, dashboard, done, home_with, is_live,
    live_dashboard, quit, select, selected, start_copies, status,
};

const THREE: [&str; 3] = ["alpha", "beta", "gamma"];

fn with_environment(home: &Sandbox, variables: &[(&str, &str)], size: (u16, u16)) -> Screen {
    let mut command: Command = at_the_terminal(home, &["tui"]);
    command.envs(variables.iter().copied());
    Screen::open(command, size)
}

#[track_caller]
fn until_all_run(screen: &Screen) {
    screen.until(|text| {
        is_live(text)
            && THREE
                .iter()
                .all(|name| status(text, name) == Some("running"))
    });
}

#[test]
fn check_33_no_color_means_no_colour_codes_even_from_coloured_logs() {
    let home = home_with(&THREE);
    let mut parrot = Parrot::start(&home, "painter");
    parrot.say(b"\x1b[31mred\x1b[0m \x1b[38;5;200mpink\x1b[48;2;1;2;3mdeep\x1b[m plain-end\n");
    for screen in [
        with_environment(&home, &[("NO_COLOR", "1")], COMMON),
        Screen::open(at_the_terminal(&home, &["tui", "--color", "never"]), COMMON),
    ] {
        assert_no_colours(screen);
    }
}

#[track_caller]
fn assert_no_colours(mut screen: Screen) {
    until_all_run(&screen);
    select(&screen, "painter");
    screen.until(|text| text.contains("red pinkdeep plain-end"));
    screen.keys("x");
    screen.until(|text| text.contains("stop painter"));
    screen.keys("\x1b");
    screen.until(|text| !text.contains("stop painter"));
    quit(&mut screen);
    let coloured: Vec<u16> = styles(&screen.raw())
        .into_iter()
        .filter(|style| matches!(style, 30..=38 | 40..=48 | 58 | 90..=97 | 100..=107))
        .collect();
    assert!(coloured.is_empty(), "colour codes: {coloured:?}");
}

#[test]
fn without_no_color_the_signs_and_the_logs_have_colours() {
    let home = home_with(&THREE);
    let mut parrot = Parrot::start(&home, "painter");
    parrot.say(b"\x1b[31mred-word\x1b[0m plain-end\n");
    let mut screen = dashboard(&home, COMMON);
    until_all_run(&screen);
    select(&screen, "painter");
    let text = screen.until(|text| text.contains("red-word plain-end"));
    let row = text
        .lines()
        .position(|line| line.contains("red-word"))
        .expect("the line");
    let line = text.lines().nth(row).expect("the line");
    let column = line[..line.find("red-word").expect("the word")]
        .chars()
        .count();
    let (row, column) = (
        u16::try_from(row).expect("a row"),
        u16::try_from(column).expect("a column"),
    );
    let colour_of =
        |column| screen.terminal(|terminal| terminal.cell(row, column).map(vt100::Cell::fgcolor));
    assert_eq!(
        colour_of(column),
        Some(vt100::Color::Idx(1)),
        "the colour of the log is kept:\n{text}"
    );
    assert_eq!(
        colour_of(column + 9),
        Some(vt100::Color::Default),
        "and ends where it ends:\n{text}"
    );
    quit(&mut screen);
}

#[test]
fn check_33_a_dumb_terminal_gets_a_hint_and_no_screen() {
    let home = home_with(&["alpha"]);
    let mut screen = with_environment(&home, &[("TERM", "dumb")], COMMON);
    assert_eq!(screen.wait_exit().code(), Some(2), "{}", screen.text());
    let text = screen.text();
    assert!(
        text.starts_with("adasa: ") && text.contains("adasa list"),
        "{text}"
    );
    assert_eq!(
        count(&screen.raw(), "\x1b"),
        0,
        "a dumb terminal knows no sequences"
    );
}

#[test]
fn without_a_terminal_there_is_a_hint_and_no_screen() {
    let home = home_with(&["alpha"]);
    let output = home
        .run_with(&[("TERM", "xterm-256color")], &["tui"])
        .error(2);
    assert!(output.stderr.contains("adasa list"), "{}", output.stderr);
}

#[test]
fn check_33_plain_locales_and_the_console_get_ascii_only() {
    let home = home_with(&THREE);
    start_copies(&home, "api", 2);
    done(&home, &["stop", "gamma"]);
    let mut parrot = Parrot::start(&home, "writer");
    parrot.say("größe 🙂 漢字 end-of-line\n".as_bytes());
    for variables in [[("LANG", "C")], [("TERM", "linux")]] {
        for size in [COMMON, MEDIUM] {
            let mut screen = with_environment(&home, &variables, size);
            screen.until(|text| {
                is_live(text)
                    && status(text, "alpha") == Some("running")
                    && status(text, "api-1") == Some("running")
                    && status(text, "gamma") == Some("stopped")
            });
            screen.keys("G");
            screen.until(|text| text.contains("end-of-line"));
            screen.keys("?");
            screen.until(|text| text.contains("keep running"));
            screen.keys("\x1b");
            screen.until(|text| !text.contains("keep running"));
            quit(&mut screen);
            let foreign: Vec<char> = pieces(&screen.raw())
                .into_iter()
                .filter_map(|piece| match piece {
                    Piece::Text(char) if !char.is_ascii() => Some(char),
                    _ => None,
                })
                .collect();
            assert_eq!(foreign, [], "{variables:?} at {size:?}");
        }
    }
}

#[test]
fn check_38_no_query_is_sent_to_the_terminal() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    quit(&mut screen);
    let questions: Vec<Piece> = pieces(&screen.raw())
        .into_iter()
        .filter(|piece| match piece {
            Piece::Csi(parameters, end) => {
                matches!(end, 'c' | 'n' | 'u' | 't' | 'x') || parameters.contains('$')
            }
            Piece::Text7(..) => true,
            Piece::Escape(escape) => escape == "Z",
            Piece::Text(_) | Piece::Control(_) => false,
        })
        .collect();
    assert_eq!(questions, [], "late answers would be typed into the shell");
}

#[test]
fn every_size_draws_and_leaves_with_q() {
    let home = home_with(&THREE);
    for size in [
        COMMON,
        MEDIUM,
        WIDE,
        (100, 30),
        (60, 20),
        (40, 12),
        (40, 10),
        (39, 9),
        (20, 5),
        (3, 2),
        (1, 1),
    ] {
        let mut screen = dashboard(&home, size);
        if size.0 >= 60 {
            until_all_run(&screen);
        } else if size.0 >= 40 {
            screen.until(|text| THREE.iter().any(|name| text.contains(name)));
        } else {
            screen.until_raw(|raw| {
                let end = raw.windows(8).position(|window| window == b"\x1b[?1049h");
                end.is_some_and(|at| pieces_so_far(&raw[at..]))
            });
        }
        quit(&mut screen);
    }
}

/// Has any visible character come after the screen was taken?
fn pieces_so_far(raw: &[u8]) -> bool {
    // A last sequence may still be on its way: only what comes before it is looked at.
    let complete = raw.iter().rposition(|byte| *byte == 0x1b).unwrap_or(0);
    pieces(&raw[..complete])
        .iter()
        .any(|piece| matches!(piece, Piece::Text(char) if *char != ' '))
}

#[test]
fn a_small_window_says_so_and_a_larger_one_is_whole_again() {
    let home = home_with(&THREE);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    select(&screen, "beta");
    for size in [(20, 5), (1, 1), WIDE, (40, 12), (2, 60), (200, 2), MEDIUM] {
        screen.resize(size);
    }
    screen.until(|text| {
        is_live(text) && selected(text) == Some("beta") && text.lines().count() == 40
    });
    screen.resize((30, 8));
    screen.until(|text| !text.trim().is_empty() && status(text, "beta").is_none());
    screen.resize(COMMON);
    screen.until(|text| {
        is_live(text)
            && selected(text) == Some("beta")
            && THREE
                .iter()
                .all(|name| status(text, name) == Some("running"))
    });
    quit(&mut screen);
}

/// The picture without what differs from second to second: numbers, units, bars and blanks.
fn without_numbers(text: &str) -> String {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[–·]|[\d][\d.,:]*[a-zA-Z%]*(/s)?|[▁▂▃▄▅▆▇█▏▎▍▋▊▉▕]+").expect("a pattern")
    });
    static BLANKS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[ ▌]+").expect("a pattern"));
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            BLANKS
                .replace_all(&NUMBER.replace_all(line, " "), " ")
                .trim()
                .to_owned()
        })
        .collect();
    lines.join("\n")
}

#[test]
fn check_26_after_a_storm_of_sizes_the_picture_is_the_one_of_a_fresh_start() {
    let home = home_with(&THREE);
    let mut parrot = Parrot::start(&home, "parrot");
    parrot.say_lines("tick", 1..=100);
    let mut screen = live_dashboard(&home, COMMON, &THREE);
    let mut state: u64 = 0x5eed_0000_0000_0026;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u16::try_from((state >> 33) % below).expect("a small number")
    };
    for _ in 0..200 {
        screen.resize((20 + random(181), 5 + random(56)));
    }
    for size in [(100, 30), COMMON, WIDE] {
        screen.resize(size);
        let mut fresh = live_dashboard(&home, size, &THREE);
        let same = screen.seen_within(std::time::Duration::from_secs(20), |text| {
            is_live(text) && without_numbers(text) == without_numbers(&fresh.text())
        });
        assert!(
            same.is_ok(),
            "not the picture of a fresh start:\n{}\n--- fresh:\n{}",
            screen.text(),
            fresh.text()
        );
        quit(&mut fresh);
    }
    quit(&mut screen);
}

#[test]
fn the_common_sizes_show_header_table_logs_and_keys() {
    let home = home_with(&THREE);
    let mut parrot = Parrot::start(&home, "parrot");
    parrot.say_lines("tick", 1..=3);
    for (size, columns) in [
        (COMMON, ["NAME", "STATUS", "CPU", "MEM"]),
        (MEDIUM, ["NAME", "STATUS", "CPU", "UP"]),
        (WIDE, ["NAME", "STATUS", "CPU", "PID"]),
    ] {
        let mut screen = live_dashboard(&home, size, &THREE);
        select(&screen, "parrot");
        let text = screen.until(|text| text.contains("tick 0003"));
        let head = text
            .lines()
            .find(|line| line.contains("NAME"))
            .unwrap_or_default();
        for column in columns {
            assert!(
                head.contains(column),
                "no column {column} at {size:?}:\n{text}"
            );
        }
        let gauges: String = text.lines().take(3).collect();
        assert!(
            gauges.contains("cpu") && gauges.contains("mem"),
            "no host gauges at {size:?}:\n{text}"
        );
        assert_eq!(
            text.lines().count(),
            usize::from(size.1),
            "the whole height is used:\n{text}"
        );
        let wide = text
            .lines()
            .map(|line| line.chars().count())
            .max()
            .unwrap_or(0);
        assert!(
            wide <= usize::from(size.0) && wide > usize::from(size.0) / 2,
            "the width is used:\n{text}"
        );
        quit(&mut screen);
    }
}
