//! The dashboard panics, wherever it is: the terminal is as it was, and the reason can be read.

use crate::screen::Screen;
use crate::tty::{COMMON, at_the_terminal, home_with};

#[test]
fn check_22_a_panic_gives_the_terminal_back_and_says_why() {
    let home = home_with(&["alpha"]);
    for place in ["main", "thread"] {
        let mut command = at_the_terminal(&home, &["tui"]);
        command.env("ADASA_TUI_TEST_PANIC", place);
        let mut screen = Screen::open(command, COMMON);
        let before = screen.termios();
        let wanted = format!("asked to panic on {place}");
        screen.until(|text| text.contains(&wanted));
        assert_eq!(screen.wait_exit().code(), Some(101), "{place}");
        assert!(!screen.terminal(vt100::Screen::alternate_screen), "{place}");
        assert!(!screen.terminal(vt100::Screen::hide_cursor), "{place}");
        assert!(!screen.terminal(vt100::Screen::bracketed_paste), "{place}");
        let after = screen.termios();
        assert_eq!(before.local_flags, after.local_flags, "{place}");
        assert_eq!(before.input_flags, after.input_flags, "{place}");
        assert_eq!(before.output_flags, after.output_flags, "{place}");
        assert_eq!(home.status("alpha"), "running");
    }
}
