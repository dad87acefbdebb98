//! What becomes of bytes that are no plain text.

use super::*;
use proptest::prelude::*;

fn plain(bytes: &[u8]) -> String {
    SafeText::new(bytes).plain()
}

#[test]
fn controls_become_visible_and_lose_their_power() {
    for (raw, shown) in [
        (&b"a\x1b[2Jb"[..], "a␛[2Jb"),
        (b"\x1b]0;owned\x07x", "␛]0…x"),
        (b"\x1b]52;c;aGk=\x1b\\x", "␛]52…x"),
        (b"\x1b]52;never ends", "␛]52…"),
        (b"\x1bPq#\x1b\\x", "␛P…x"),
        (b"\x1bc!", "␛c!"),
        (b"\x1b[?1049l", "␛[?1049l"),
        (b"\x1b", "␛"),
        (b"\x1b[31", "␛[…"),
        (b"bell\x07", "bell␇"),
        (b"\xc2\x9b2J", "⟨9b⟩2J"),
        (b"\x9b2J", "⟨9b⟩2J"),
        (b"50%\r100%", "50%␍100%"),
        (b"a\tb", "a       b"),
        ("x\u{202e}y".as_bytes(), "x⟨RLO⟩y"),
        ("👨\u{200d}👩".as_bytes(), "👨👩"),
        (b"\xff\xfe ok, this is text", "⟨ff⟩⟨fe⟩ ok, this is text"),
    ] {
        assert_eq!(plain(raw), shown, "{raw:?}");
    }
}

#[test]
fn colours_are_kept_as_looks() {
    let text = SafeText::new(b"\x1b[1;31mred\x1b[0m plain \x1b[38;5;200mx\x1b[38;2;1;2;3my");
    let looks: Vec<_> = text
        .pieces()
        .iter()
        .map(|(t, l)| (t.as_str(), l.fg, l.bold))
        .collect();
    assert_eq!(
        looks,
        [
            ("red", Some(Colour::Indexed(1)), true),
            (" plain ", None, false),
            ("x", Some(Colour::Indexed(200)), false),
            ("y", Some(Colour::Rgb(1, 2, 3)), false),
        ]
    );
}

#[test]
fn long_and_binary_lines_are_said_to_be() {
    let text = plain(&vec![b'a'; 1_000_000]);
    assert!(text.ends_with("… +991808 bytes") && text.len() < 10_000);
    assert_eq!(plain(&[0xff; 100]), "⟨binary 100 bytes⟩");
    let marks = format!("e{}", "\u{301}".repeat(10_000));
    assert!(plain(marks.as_bytes()).starts_with("e\u{301}\u{301}\u{301}\u{301}… +"));
}

#[test]
#[ignore = "a measurement: cargo test --release --lib check_12 -- --ignored"]
fn check_12_plain_text_is_taken_at_200_megabytes_a_second() {
    let line = b"2026-11-20 GET /api/users/42 200 in 12 ms; the quick brown fox ".repeat(2);
    let (length, times) = (80, 1_000_000);
    let begun = std::time::Instant::now();
    for _ in 0..times {
        let text = SafeText::new(std::hint::black_box(&line[..length]));
        assert_eq!(std::hint::black_box(text).width(), length);
    }
    let bytes = u32::try_from(length * times).unwrap();
    let rate = f64::from(bytes) / 1e6 / begun.elapsed().as_secs_f64();
    assert!(rate >= 200.0, "{rate:.0} MB/s");
}

proptest! {
    #[test]
    fn check_12_no_bytes_get_through(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let text = SafeText::new(&bytes);
        let plain = text.plain();
        for c in plain.chars() {
            prop_assert!(!c.is_control(), "{:?}", c);
            let hidden = matches!(
                u32::from(c),
                0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff
            );
            prop_assert!(!hidden, "{:?}", c);
        }
        let cells: usize = plain.chars().map(|c| c.width().unwrap_or(0)).sum();
        prop_assert_eq!(cells, text.width());
        prop_assert_eq!(SafeText::new(plain.as_bytes()).plain(), plain);
    }
}

#[test]
fn what_would_command_a_terminal_is_counted_and_can_be_left_out() {
    for (raw, commands, bare, counted) in [
        (
            &b"plain \x1b[31mred\x1b[0m"[..],
            0,
            "plain red",
            "plain red",
        ),
        (b"a\x1b[2J\x1b[Hb", 2, "ab", "ab\u{27e8}2 controls\u{27e9}"),
        (
            b"\x1b]0;owned\x07x\r",
            1,
            "x",
            "x\u{27e8}2 controls\u{27e9}",
        ),
        (b"bell\x07", 0, "bell", "bell\u{27e8}1 control\u{27e9}"),
        (
            b"\xc2\x9b2J and \x9b2J",
            2,
            "2J and 2J",
            "2J and 2J\u{27e8}2 controls\u{27e9}",
        ),
        (
            b"bytes \xff stay",
            0,
            "bytes \u{27e8}ff\u{27e9} stay",
            "bytes \u{27e8}ff\u{27e9} stay",
        ),
    ] {
        let text = SafeText::new(raw);
        assert_eq!(text.commands(), commands, "{raw:?}");
        let without = text.without_controls(false);
        assert_eq!(
            (without.plain().as_str(), without.width()),
            (
                bare,
                without.plain().chars().map(|c| c.width().unwrap()).sum()
            )
        );
        assert_eq!(text.without_controls(true).plain(), counted, "{raw:?}");
    }
    let long = SafeText::new(&vec![b'a'; 10_000]).without_controls(false);
    assert!(
        long.plain().ends_with("bytes"),
        "that it goes on is no control"
    );
}
