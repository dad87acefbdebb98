use super::*;
use crate::domain::names::RunId;

fn scratch(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("adasa-table-{name}-{}", std::process::id()))
}

fn entry(key: u32, run: u64, note: &str) -> Entry {
    Entry {
        run: RunId(run),
        note: note.into(),
        ..Entry::new(InstanceId(key))
    }
}

#[test]
fn records_survive_and_another_boot_voids_them() {
    let path = scratch("survive");
    let mut table = Table::open(&path, "boot-a").unwrap();
    for key in 1..=200 {
        table.put(entry(key, 1, "first")).unwrap();
    }
    table.put(entry(7, 2, "second")).unwrap();
    table.remove(InstanceId(9)).unwrap();
    table.put(entry(300, 1, "in a used slot")).unwrap();
    assert_eq!(table.next_epoch().unwrap(), 1);
    drop(table);

    let table = Table::open(&path, "boot-a").unwrap();
    assert_eq!(table.entries().count(), 200);
    assert_eq!(table.get(InstanceId(7)).unwrap().note, "second");
    assert!(table.get(InstanceId(9)).is_none());
    assert_eq!(table.get(InstanceId(300)).unwrap().note, "in a used slot");
    assert_eq!(table.head.epoch, 1);
    drop(table);

    let table = Table::open(&path, "boot-b").unwrap();
    assert_eq!(table.entries().count(), 0);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_table_cut_or_damaged_anywhere_gives_old_records_or_none_but_never_wrong_ones() {
    let path = scratch("damage");
    let mut table = Table::open(&path, "boot").unwrap();
    table.put(entry(1, 1, "old")).unwrap();
    table.put(entry(1, 2, "new")).unwrap();
    drop(table);
    let whole = std::fs::read(&path).unwrap();
    let used = 4 * PAGE;
    for cut in 0..=used {
        let (contents, _, _) = parse(&whole[..cut]);
        for entry in contents.entries {
            assert!(matches!(
                (entry.run.0, entry.note.as_str()),
                (1, "old") | (2, "new")
            ));
        }
    }
    for at in 0..used {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        let (contents, _, _) = parse(&bytes);
        for entry in contents.entries {
            assert!(matches!(
                (entry.run.0, entry.note.as_str()),
                (1, "old") | (2, "new")
            ));
        }
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_record_of_more_than_a_page_is_refused_and_the_old_one_stays() {
    let path = scratch("long");
    let mut table = Table::open(&path, "boot").unwrap();
    table.put(entry(1, 1, "short")).unwrap();
    let error = table.put(entry(1, 2, &"x".repeat(PAGE))).unwrap_err();
    assert!(matches!(error, TableError::TooLong { .. }));
    assert_eq!(table.get(InstanceId(1)).unwrap().note, "short");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_table_that_misses_something_says_so_until_that_was_looked_for() {
    let path = scratch("whole");
    let mut table = Table::open(&path, "boot").unwrap();
    assert!(table.is_incomplete(), "a new one knows of nothing");
    table.complete().unwrap();
    for key in 1..=70 {
        table.put(entry(key, 1, "first")).unwrap();
        table.put(entry(key, 2, "second")).unwrap();
    }
    table.remove(InstanceId(9)).unwrap();
    table.put(entry(300, 1, "in a used slot")).unwrap();
    drop(table);
    let incomplete = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Table::open(&path, "boot").unwrap().is_incomplete()
    };
    let whole = std::fs::read(&path).unwrap();
    assert!(!incomplete(&whole));
    for cut in (0..whole.len()).step_by(997) {
        assert!(incomplete(&whole[..cut]), "cut at {cut}");
    }
    for at in (0..142 * PAGE).step_by(PAGE) {
        let mut bytes = whole.clone();
        // Of an empty page there is nothing to damage.
        if bytes[at] != 0 {
            bytes[at + HEAD / 2] ^= 0x41;
            assert!(incomplete(&bytes), "damaged at {at}");
        }
    }
    // Whoever opens it next finds it well formed, and is told all the same.
    std::fs::write(&path, &whole[..PAGE]).unwrap();
    drop(Table::open(&path, "boot").unwrap());
    let mut table = Table::open(&path, "boot").unwrap();
    assert!(table.is_incomplete());
    table.complete().unwrap();
    drop(table);
    assert!(!Table::open(&path, "boot").unwrap().is_incomplete());
    std::fs::remove_file(path).unwrap();
}
