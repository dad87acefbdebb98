use crossterm::event::{KeyCode, KeyModifiers};

use super::*;

#[test]
fn every_key_of_the_table_can_be_pressed() {
    for binding in BINDINGS {
        for key in binding.keys.split(' ') {
            let parsed: Sequence = key.parse().unwrap_or_else(|e| panic!("{key}: {e}"));
            assert_eq!(parsed.to_string(), key);
        }
    }
}

#[test]
fn no_key_means_two_things_in_one_place() {
    for clash in Keymap::default().clashes() {
        let (a, b) = clash.places;
        assert!(a != b, "{} is {:?} in {a:?}", clash.keys, clash.actions);
    }
}

#[test]
fn what_stands_in_a_place_comes_before_what_stands_everywhere() {
    let map = Keymap::default();
    let q = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
    assert_eq!(
        map.action(&[Place::Processes, Place::Everywhere], &q),
        Some(Action::Quit)
    );
    let s = KeyEvent::new(KeyCode::Char('s'), KeyModifiers::NONE);
    assert_eq!(map.action(&[Place::Logs, Place::Everywhere], &s), None);
}

fn change(name: &str, keys: &[&str]) -> (Keymap, Vec<String>) {
    Keymap::with(&[(
        name.to_owned(),
        keys.iter().map(|k| (*k).to_owned()).collect(),
    )])
}

#[test]
fn an_action_gets_other_keys_also_sequences() {
    let (map, faults) = change("stop", &["Z+x", "F8"]);
    assert_eq!(faults, Vec::<String>::new());
    let here = [Place::Processes, Place::Everywhere];
    let press = |c| Press::of(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)).unwrap();
    assert_eq!(map.meaning(&here, &[press('Z')]), Meaning::Prefix);
    assert_eq!(
        map.meaning(&here, &[press('Z'), press('x')]),
        Meaning::Act(Action::Stop)
    );
    assert_eq!(map.meaning(&here, &[press('x')]), Meaning::Nothing);
    assert_eq!(
        map.followers(&here, &[press('Z')]),
        [("x".to_owned(), "stop (asks)")]
    );
}

#[test]
fn a_conflict_names_both_actions_and_the_default_stays() {
    let (map, faults) = change("stop", &["r"]);
    assert_eq!(
        faults,
        ["tui.keys.stop: r would mean both stop and restart; the default stays"]
    );
    assert_eq!(map, Keymap::default());
    // Hidden behind a key that already acts.
    let (map, faults) = change("restart", &["x+y"]);
    assert_eq!(map, Keymap::default());
    assert_eq!(faults.len(), 1);
}

#[test]
fn an_unknown_action_or_key_is_named_with_the_nearest() {
    let (_, faults) = change("retsart", &["a"]);
    assert_eq!(
        faults,
        ["tui.keys: no action is called `retsart`; did you mean `restart`?"]
    );
    let (_, faults) = change("stop", &["Hyper"]);
    assert!(
        faults[0].starts_with("tui.keys.stop: no key is called `Hyper`"),
        "{faults:?}"
    );
}

/// `ADASA_BLESS=1` writes the page anew.
#[test]
fn the_documented_keys_are_the_table() {
    let mut page = String::from(
        "# Keys of the dashboard\n\nWritten from the table in `src/tui/keymap/bindings.rs` by its test (`ADASA_BLESS=1 cargo test the_documented_keys`).\n",
    );
    for place in Place::ALL {
        page.push_str(&format!(
            "\n## {}\n\n| Key | Does | Action |\n| --- | --- | --- |\n",
            place.title()
        ));
        for binding in BINDINGS.iter().filter(|b| b.place == place) {
            let keys: Vec<String> = binding
                .keys
                .split(' ')
                .map(|k| format!("`{}`", k.replace('|', "\\|")))
                .collect();
            page.push_str(&format!(
                "| {} | {} | `{}` |\n",
                keys.join(" "),
                binding.help,
                binding.action
            ));
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    if std::env::var_os("ADASA_BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == page,
        "docs/keys.md is stale: run the tests with ADASA_BLESS=1"
    );
}

/// A key that the log chapter of the guide names is in the table.
#[test]
fn every_key_of_the_log_chapter_is_one() {
    let guide = include_str!("../../../docs/dashboard.md");
    let guide = guide.split("## Logs").nth(1).unwrap();
    let guide = guide.split("\n## ").next().unwrap();
    let keymap = Keymap::default();
    let known: Vec<String> = keymap
        .lines()
        .flat_map(|(_, keys)| keys.iter().map(ToString::to_string))
        .collect();
    let mut count = 0;
    for row in guide.lines().filter(|row| row.starts_with("| `")) {
        let keys = row.split('|').nth(1).unwrap();
        for key in keys.split('`').filter(|key| !key.trim().is_empty()) {
            assert!(known.iter().any(|it| it == key), "{key}: {row}");
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}
