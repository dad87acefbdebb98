//! The dashboard panics, wherever it is: the terminal is as it was, and the reason can be read.

use nix::sys::termios::LocalFlags;

use crate::screen::Screen;
use crate::tty::{COMMON, at_the_terminal, home_with};

#[test]
fn check_22_a_panic_gives_the_terminal_back_and_says_why() {
    let home = home_with(&["alpha"]);
    for place in ["main", "thread"] {
        let mut command = at_the_terminal(&home, &["tui"]);
        command.env("ADASA_TUI_TEST_PANIC", place);
        let mut screen = Screen::open(command, COMMON);
        let wanted = format!("asked to panic on {place}");
        screen.until(|text| text.contains(&wanted));
        // The reason is written when the terminal has been given back.
        let usual = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        assert!(screen.termios().local_flags.contains(usual), "{place}");
        assert!(!screen.terminal(vt100::Screen::alternate_screen), "{place}");
        assert!(!screen.terminal(vt100::Screen::hide_cursor), "{place}");
        assert!(!screen.terminal(vt100::Screen::bracketed_paste), "{place}");
        assert_eq!(screen.wait_exit().code(), Some(101), "{place}");
        assert_eq!(home.status("alpha"), "running");
    }
}
