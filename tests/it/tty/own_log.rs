//! The daemon's own log on the screen.

use crate::tty::{COMMON, home_with, live_dashboard, quit};

#[test]
fn the_daemons_own_log_is_on_the_screen_and_goes_on() {
    let home = home_with(&["alpha"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha"]);
    screen.keys("5");
    screen.until(|text| text.contains("FOLLOW") && text.contains("the daemon has taken over"));
    screen.until(|text| text.contains("I supervisor alpha: running"));
    drop(home.run(&["stop", "alpha"]).success());
    screen.until(|text| text.contains("alpha: stopped (stop by"));
    home.murder("pid");
    screen.until(|text| text.matches("the daemon has taken over").count() == 2);
    screen.keys("q");
    quit(&mut screen);
}
