//! Everything about one process, on a real terminal.

use crate::sandbox::Sandbox;
use crate::tty::{COMMON, dashboard, is_live, quit, select};

#[test]
fn the_detail_of_a_crashed_process_tells_its_exit_code_and_its_last_words() {
    let home = Sandbox::new();
    let script = "echo the disk is made of cheese >&2; exit 7";
    let args = [
        "start",
        "sh",
        "--name",
        "doomed",
        "--restart",
        "never",
        "--",
        "-c",
        script,
    ];
    // Whether it is seen to run before it ends is not the question.
    drop(home.run(&args));
    home.until_status("doomed", "errored");
    let mut screen = dashboard(&home, COMMON);
    screen.until(|text| is_live(text) && text.contains("doomed"));
    select(&screen, "doomed");
    screen.keys("d");
    screen.until(|text| text.contains("OVERVIEW") && text.contains("cheese"));
    screen.keys("]");
    let tells = |text: &str, all: [&str; 4]| all.iter().all(|it| text.contains(it));
    let words = "the disk is made of cheese";
    screen.until(|text| tells(text, ["RUNS", "exit 7", words, "start by"]));
    screen.keys("]");
    screen.until(|text| tells(text, ["WHY", "exit 7", words, "next"]));
    screen.keys("\x1b");
    screen.until(|text| !text.contains("WHY") && text.contains("doomed"));
    quit(&mut screen);
}
