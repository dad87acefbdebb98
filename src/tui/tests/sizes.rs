//! Every mode at every size: nothing may panic, and nothing may be drawn outside.

use crate::api::Push;
use crate::tui::keymap::Keymap;
use crate::tui::theme::Glyphs;

use super::desk::{Desk, line};

fn modes() -> Vec<Desk> {
    let mut base = Desk::new();
    base.wait(200);
    base.logs(
        (0..40)
            .map(|n| {
                line(
                    n,
                    if n % 2 == 0 { "api-0" } else { "\u{4e16}" },
                    crate::domain::spec::Stream::Out,
                    "wide \u{4e16}\u{754c}\u{4e16}\u{754c} e\u{301} and more and more and more",
                )
            })
            .collect(),
    );
    let keys = [
        "j", "/", "x", "G x", "X", "D b", "!", "d", "! G", "?", "? PgDn", "l", "l z k", "z",
        "Tab k o", "s",
    ];
    let mut all: Vec<Desk> = keys
        .into_iter()
        .map(|keys| {
            let mut desk = base.clone();
            desk.press(keys);
            desk
        })
        .collect();
    all.extend(super::scenes::all().into_iter().map(|(_, desk)| desk));
    let mut lost = base.clone();
    lost.lose();
    lost.press("x");
    all.push(lost);
    let mut begun = base.clone();
    let keys = vec!["Z+x".to_owned(), "Z+y+z".to_owned()];
    let (keymap, faults) = Keymap::with(&[("stop".to_owned(), keys)]);
    assert_eq!(faults, Vec::<String>::new());
    begun.model.keymap = keymap;
    begun.press("Z");
    assert!(!begun.model.pending.is_empty());
    all.push(begun);
    let mut typed = base.clone();
    typed.press("/");
    typed.type_text("cpu>\u{4e16} nobody");
    all.push(typed);
    all.push(Desk::alone());
    all.push(Desk::with(vec![]));
    let mut emptied = base;
    for id in 1..=15 {
        emptied.push(Push::Removed {
            id: crate::domain::names::InstanceId(id),
        });
    }
    all.push(emptied);
    all
}

#[test]
fn check_02_every_mode_draws_at_every_size() {
    let mut desks = modes();
    for desk in &mut desks {
        for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
            desk.model.glyphs = glyphs;
            for width in 0..=60 {
                for height in 0..=20 {
                    desk.resize(width, height);
                    drop(desk.frame());
                }
            }
            desk.resize(500, 200);
            drop(desk.frame());
        }
    }
}

#[test]
fn moving_at_every_size_is_safe() {
    for mut desk in modes() {
        for (width, height) in [(0, 0), (1, 1), (39, 9), (40, 10), (59, 13), (60, 14)] {
            desk.resize(width, height);
            desk.press("j PgDn ^D ^U PgUp k G g Esc h Right l j k PgUp f f o t Tab z q Esc");
            drop(desk.frame());
        }
    }
}

#[test]
fn check_02_a_screen_that_is_too_small_says_so() {
    let mut desk = Desk::new();
    for (width, height) in [(39, 30), (80, 9)] {
        desk.resize(width, height);
        let screen = desk.screen();
        assert!(screen.starts_with("adasa: 15 processes"), "{screen}");
        assert!(screen.contains("too small"), "{screen}");
    }
    desk.resize(40, 10);
    assert!(!desk.screen().contains("too small"));
}

/// A buffer of another size than the model, as between a resize and its message, is drawn inside its bounds.
#[test]
fn a_frame_smaller_than_the_model_is_no_harm() {
    use ratatui::{buffer::Buffer, layout::Rect};
    for desk in modes() {
        for (width, height) in [(0, 0), (1, 1), (40, 5), (10, 40)] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            crate::tui::view::view(&desk.model, &mut buffer);
        }
    }
}
