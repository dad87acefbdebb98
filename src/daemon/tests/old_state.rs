//! State files of every version there was are loaded for ever: whole, and torn at any byte.

use std::path::{Path, PathBuf};

use super::super::history::SCHEMA;
use super::super::journal::Journal;
use super::super::ledger;
use super::super::member::Note;
use super::super::store::{self, Rest, Saved};
use crate::domain::event::Event;
use crate::domain::names::InstanceId;
use crate::keeper::table::Table;

const BOOT: &str = "00000000-0000-0000-0000-000000000000";

fn v1(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/state/v1");
    std::fs::read(Path::new(folder).join(name)).unwrap()
}

fn scratch(name: &str) -> PathBuf {
    let name = format!("adasa-old-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn names(saved: &Saved) -> Vec<String> {
    saved.processes.keys().map(ToString::to_string).collect()
}

/// The state folder as version 1 wrote it, with one file as the test wants it.
fn load(folder: &Path, name: &str, bytes: &[u8]) -> Saved {
    for file in ["specs.json", "specs.1.json", "changes"] {
        let path = folder.join(file);
        if file == name {
            std::fs::write(path, bytes).unwrap();
        } else if !path.exists() {
            std::fs::write(path, v1(file)).unwrap();
        }
    }
    store::load(folder)
}

#[test]
fn definitions_of_version_1_are_loaded() {
    let folder = scratch("whole");
    let saved = load(&folder, "none", b"");
    assert!(saved.troubles.is_empty(), "{:?}", saved.troubles);
    let all = ["late", "second", "typed", "web", "ops/cron"];
    assert_eq!(names(&saved), all);
    let mut processes = saved.processes.values();
    let web = processes.find(|p| p.spec.name.as_str() == "web").unwrap();
    assert_eq!((web.spec.instances, web.generation), (2, 1));
    assert_eq!(web.spec.limits.max_memory, Some(1_000_000_000));
    let rests = saved.processes.values().map(|p| p.instances[0].rest);
    let rests: Vec<Rest> = rests.collect();
    let expected = [Rest::Up, Rest::Up, Rest::Down, Rest::Up, Rest::Exited];
    assert_eq!(rests, expected);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn definitions_torn_at_any_byte_lose_nothing_that_was_whole_and_are_said() {
    let folder = scratch("torn");
    let whole = v1("specs.json");
    for cut in 0..whole.len() {
        let saved = load(&folder, "specs.json", &whole[..cut]);
        assert!(saved.troubles.len() >= 2, "{cut}: {:?}", saved.troubles);
        assert!(saved.troubles[0].contains("specs.json is damaged"), "{cut}");
        assert!(saved.troubles[1].contains("specs.1.json is used"), "{cut}");
        // What was in the one before, and what came after both.
        let left = ["late", "typed", "web", "ops/cron"];
        assert_eq!(names(&saved), left, "{cut}");
    }
    let folder_of_changes = scratch("torn-changes");
    let whole = v1("changes");
    for cut in 0..=whole.len() {
        let saved = load(&folder_of_changes, "changes", &whole[..cut]);
        let torn = cut > 0 && whole[cut - 1] != b'\n' && whole.get(cut) != Some(&b'\n');
        let said = !saved.troubles.is_empty();
        assert_eq!(said, torn, "{cut}: {:?}", saved.troubles);
        let defined = whole.iter().position(|b| *b == b'\n').unwrap();
        let count = if cut < defined { 4 } else { 5 };
        assert_eq!(names(&saved).len(), count, "{cut}");
    }
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::remove_dir_all(folder_of_changes).unwrap();
}

#[test]
fn what_a_newer_adasa_wrote_is_said_and_not_taken_for_something_else() {
    let folder = scratch("newer");
    let text = String::from_utf8(v1("specs.json")).unwrap();
    let newer = text.replacen("\"schema\": 1", "\"schema\": 2", 1);
    let saved = load(&folder, "specs.json", newer.as_bytes());
    let said = &saved.troubles[0];
    assert!(said.contains("newer adasa (schema 2"), "{said}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn operations_of_version_1_are_remembered_whole_or_torn() {
    let folder = scratch("operations");
    let path = folder.join("operations.1");
    let whole = v1("operations.1");
    let mut most = 0;
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let known = ledger::load(&folder, BOOT).operations.len();
        assert!(known >= most, "{cut}");
        most = known;
    }
    assert_eq!(ledger::load(&folder, "another boot").operations.len(), 0);
    let known = ledger::load(&folder, BOOT);
    assert_eq!(known.trouble, None);
    assert_eq!(known.operations.len(), 6);
    let mut memos = known.operations.iter().map(|(_, memo)| memo);
    assert!(memos.all(|memo| memo.told && memo.settled_ns.is_some()));
    assert!(known.transient, "`up` started it");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_history_of_version_1_is_read_whole_or_torn() {
    let folder = scratch("history");
    let path = folder.join("runs.jsonl");
    let whole = v1("runs.jsonl");
    assert!(whole.starts_with(SCHEMA));
    let ids: Vec<InstanceId> = (1..=6).map(InstanceId).collect();
    let mut most = 0;
    for cut in 0..=whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let runs = Journal::new(path.clone()).read(&ids, 32).unwrap();
        let count = runs.values().map(std::collections::VecDeque::len).sum();
        assert!(count >= most, "{cut}");
        most = count;
    }
    assert_eq!(most, 7);
    std::fs::remove_dir_all(folder).unwrap();
    let events = String::from_utf8(v1("events.jsonl")).unwrap();
    let mut lines = events.lines();
    let first = lines.next().map(str::as_bytes);
    assert_eq!(first, SCHEMA.strip_suffix(b"\n"));
    for line in lines {
        assert!(serde_json::from_str::<Event>(line).is_ok(), "{line}");
    }
}

#[test]
fn the_table_and_the_notes_of_version_1_are_read_whole_or_torn() {
    let folder = scratch("table");
    let path = folder.join("table");
    let whole = v1("table");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Table::read(&path).unwrap().entries
    };
    let entries = read(&whole);
    let live = entries.iter().filter(|entry| entry.is_live()).count();
    assert_eq!((entries.len(), live), (6, 4));
    for entry in &entries {
        let note = Note::parse(&entry.note);
        let of_run = note.is_some_and(|note| note.machine.run() == entry.run);
        assert!(of_run, "{}", entry.note);
    }
    // A record is found or not, and never half of it.
    for cut in (0..whole.len()).step_by(61) {
        for entry in read(&whole[..cut]) {
            assert!(Note::parse(&entry.note).is_some(), "{cut}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
