//! Looking around: rows, moving, folding, filtering, help.

use crate::tty::{
    COMMON, MEDIUM, done, footer, home_with, live_dashboard, quit, select, selected, start_copies,
    status,
};

#[test]
fn the_dashboard_shows_live_and_every_process_with_its_status_word() {
    let home = home_with(&["alpha", "beta", "gamma"]);
    done(&home, &["stop", "beta"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha", "gamma"]);
    screen.until(|text| status(text, "beta") == Some("stopped"));
    quit(&mut screen);
}

#[test]
fn a_process_started_elsewhere_appears_by_itself() {
    let home = home_with(&["alpha"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha"]);
    done(
        &home,
        &["start", "sleep", "--name", "newcomer", "--", "100000"],
    );
    screen.until(|text| status(text, "newcomer") == Some("running"));
    done(&home, &["delete", "newcomer"]);
    screen.until(|text| status(text, "newcomer").is_none());
    quit(&mut screen);
}

#[test]
fn j_and_k_move_the_selection() {
    let home = home_with(&["alpha", "beta", "gamma"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha", "beta", "gamma"]);
    select(&screen, "alpha");
    screen.keys("jj");
    screen.until(|text| selected(text) == Some("gamma"));
    screen.keys("k");
    screen.until(|text| selected(text) == Some("beta"));
    screen.keys("\x1b[B");
    screen.until(|text| selected(text) == Some("gamma"));
    screen.keys("g");
    screen.until(|text| selected(text) == Some("alpha"));
    screen.keys("G");
    screen.until(|text| selected(text) == Some("gamma"));
    quit(&mut screen);
}

#[test]
fn the_selection_stays_on_its_process_when_others_come_and_go() {
    let home = home_with(&["beta", "delta"]);
    let mut screen = live_dashboard(&home, COMMON, &["beta", "delta"]);
    select(&screen, "delta");
    done(
        &home,
        &["start", "sleep", "--name", "alpha", "--", "100000"],
    );
    done(
        &home,
        &["start", "sleep", "--name", "epsilon", "--", "100000"],
    );
    screen.until(|text| {
        ["alpha", "epsilon"]
            .iter()
            .all(|name| status(text, name) == Some("running"))
            && selected(text) == Some("delta")
    });
    done(&home, &["delete", "alpha"]);
    screen.until(|text| status(text, "alpha").is_none() && selected(text) == Some("delta"));
    quit(&mut screen);
}

#[test]
fn the_selected_row_is_on_the_screen_wherever_it_is_in_the_list() {
    let names: Vec<String> = (0..30).map(|number| format!("row-{number:02}x")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let home = home_with(&names);
    let mut screen = live_dashboard(&home, COMMON, &[]);
    screen.keys("G");
    screen.until(|text| selected(text) == Some("row-29x"));
    screen.keys("g");
    screen.until(|text| selected(text) == Some("row-00x"));
    for name in &names[1..] {
        screen.keys("j");
        screen.until(|text| selected(text) == Some(name));
    }
    screen.resize((80, 16));
    screen.until(|text| selected(text) == Some("row-29x"));
    quit(&mut screen);
}

#[test]
fn instances_fold_with_h_and_unfold_with_the_right_arrow() {
    let home = home_with(&["zeta"]);
    start_copies(&home, "api", 3);
    let instances = ["api-0", "api-1", "api-2"];
    let mut screen = live_dashboard(&home, COMMON, &instances);
    select(&screen, "api-1");
    screen.keys("h");
    // The first h goes to the process or folds at once; at the latest the second one folds.
    if screen
        .seen_within(std::time::Duration::from_millis(600), |text| {
            status(text, "api-1").is_none()
        })
        .is_err()
    {
        screen.keys("h");
    }
    let folded = screen.until(|text| instances.iter().all(|name| status(text, name).is_none()));
    assert_eq!(
        selected(&folded),
        Some("api"),
        "a fold takes the selection to its process:\n{folded}"
    );
    assert_eq!(
        status(&folded, "zeta"),
        Some("running"),
        "the fold hides nothing else:\n{folded}"
    );
    screen.keys("\x1b[C");
    screen.until(|text| {
        instances
            .iter()
            .all(|name| status(text, name) == Some("running"))
    });
    quit(&mut screen);
}

#[test]
fn a_slash_filters_by_name_and_esc_clears_the_filter() {
    let home = home_with(&["alpha", "beta", "gamma"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha", "beta", "gamma"]);
    screen.keys("/bet");
    screen.until(|text| {
        status(text, "beta").is_some()
            && status(text, "alpha").is_none()
            && status(text, "gamma").is_none()
    });
    screen.keys("\r");
    screen.until(|text| {
        selected(text) == Some("beta")
            && status(text, "alpha").is_none()
            && status(text, "gamma").is_none()
    });
    screen.keys("\x1b");
    screen.until(|text| {
        ["alpha", "beta", "gamma"]
            .iter()
            .all(|name| status(text, name) == Some("running"))
    });
    quit(&mut screen);
}

#[test]
fn letters_typed_into_the_filter_are_not_commands() {
    let home = home_with(&["alpha", "xray"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha", "xray"]);
    screen.keys("/xrayq");
    screen.until(|text| status(text, "xray").is_none() && status(text, "alpha").is_none());
    screen.keys("\x7f");
    screen.until(|text| status(text, "xray") == Some("running"));
    screen.keys("\x1b");
    screen.until(|text| {
        status(text, "alpha") == Some("running") && status(text, "xray") == Some("running")
    });
    quit(&mut screen);
}

#[test]
fn ctrl_c_in_a_prompt_cancels_the_prompt_only() {
    let home = home_with(&["alpha", "beta"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha", "beta"]);
    screen.keys("/beta");
    screen.until(|text| status(text, "alpha").is_none());
    screen.keys("\x03");
    screen.until(|text| {
        status(text, "alpha") == Some("running") && status(text, "beta") == Some("running")
    });
    quit(&mut screen);
}

#[test]
fn a_question_mark_shows_help_and_esc_closes_it() {
    let home = home_with(&["alpha"]);
    for size in [COMMON, MEDIUM] {
        let mut screen = live_dashboard(&home, size, &["alpha"]);
        screen.keys("?");
        let help = screen.until(|text| text.contains("keep running") && text.contains("help"));
        for word in ["start", "stop", "restart", "delete", "filter"] {
            assert!(
                help.to_lowercase().contains(word),
                "the help does not name {word}:\n{help}"
            );
        }
        screen.keys("\x1b");
        screen.until(|text| {
            !text.contains("keep running") && status(text, "alpha") == Some("running")
        });
        screen.keys("?");
        screen.until(|text| text.contains("keep running"));
        // One after the other: much at once is a paste.
        for (key, seen) in [("/", "/_"), ("s", "/s_"), ("o", "/so_"), ("r", "/sor_")] {
            screen.keys(key);
            screen.until(|text| footer(text).contains(seen));
        }
        screen.until(|text| text.contains("sort by cpu") && !text.contains("restart (asks)"));
        screen.keys("\x1b");
        screen.until(|text| text.contains("restart (asks)"));
        screen.keys("q");
        screen.until(|text| !text.contains("keep running"));
        quit(&mut screen);
    }
}

#[test]
fn the_footer_names_the_keys_that_work() {
    let home = home_with(&["alpha"]);
    let mut screen = live_dashboard(&home, COMMON, &["alpha"]);
    let text = screen.until(|text| footer(text).contains("help"));
    for word in ["start", "stop", "restart", "delete", "filter"] {
        assert!(
            footer(&text).contains(word),
            "the footer does not name {word}:\n{text}"
        );
    }
    quit(&mut screen);
}
