//! What is kept, and what damage costs.

use super::*;
use crate::domain::names::{InstanceId, OperationId, ProcessName};
use crate::domain::spec::{Command, Spec};

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("adasa-store-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn process(name: &str, id: u32) -> Record {
    let command = Command {
        program: "/bin/true".into(),
        args: vec![],
    };
    let spec = Spec::new(ProcessName::new(name).unwrap(), command, "/");
    Record::Definitions {
        processes: vec![SavedProcess {
            spec: spec.into(),
            generation: 1,
            instances: vec![SavedInstance {
                id: InstanceId(id),
                index: 0,
                rest: Rest::Up,
                run_ceiling: 100,
                restarts: 0,
                exit: None,
            }],
            operation: OperationId::new("00000000").ok(),
        }],
    }
}

fn write(folder: &Path, epoch: u64, records: Vec<Record>) {
    let saved = load(folder);
    let (store, thread) =
        start(folder.to_owned(), saved, ("boot".into(), epoch), |_, _| {}).unwrap();
    for record in records {
        store.append(record, None, false).unwrap();
    }
    drop(store);
    thread.join().unwrap();
}

#[test]
fn records_are_kept_and_folded() {
    let folder = scratch("kept");
    write(&folder, 1, vec![process("a", 1), process("b", 2)]);
    let key = match process("a", 1) {
        Record::Definitions { processes } => processes[0].spec.key(),
        _ => unreachable!(),
    };
    write(&folder, 2, vec![Record::Removed { key }, process("c", 7)]);
    let saved = load(&folder);
    let names: Vec<String> = saved.processes.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["b", "c"]);
    assert_eq!(saved.last_id, 7);
    assert!(saved.troubles.is_empty(), "{:?}", saved.troubles);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(folder.join("specs.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_journal_cut_at_every_byte_loses_at_most_its_last_record() {
    let folder = scratch("cut");
    let lines: Vec<Vec<u8>> = (1..=3)
        .map(|n| {
            encode(&Line {
                n,
                epoch: 1,
                boot: "boot".into(),
                record: process(&format!("p{n}"), u32::try_from(n).unwrap()),
            })
            .unwrap()
        })
        .collect();
    let whole: Vec<u8> = lines.concat();
    for cut in 0..=whole.len() {
        std::fs::write(journal(&folder), &whole[..cut]).unwrap();
        let saved = load(&folder);
        let mut end = 0;
        let complete = lines
            .iter()
            .filter(|line| {
                end += line.len();
                // The newline itself is not needed.
                end - 1 <= cut
            })
            .count();
        assert_eq!(saved.processes.len(), complete, "cut at {cut}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_definition_is_unbegun_until_its_instance_rests_somewhere() {
    let operation = OperationId::new("00000000").unwrap();
    let mut new = process("a", 1);
    if let Record::Definitions { processes } = &mut new {
        processes[0].instances[0].run_ceiling = 0;
    }
    let Record::Definitions { processes } = new.clone() else {
        unreachable!()
    };
    let known = &processes[0];
    let mut saved = Saved::default();
    saved.apply(new.clone());
    assert_eq!(saved.unbegun.get(&InstanceId(1)), Some(&operation));
    saved.apply(Record::Instance {
        saved: known.instances[0].clone(),
    });
    assert!(saved.unbegun.is_empty());
    saved.apply(new);
    saved.apply(Record::Removed {
        key: known.spec.key(),
    });
    assert!(saved.unbegun.is_empty());
}

#[test]
fn a_damaged_snapshot_is_said_and_the_one_before_it_is_used() {
    let folder = scratch("damaged");
    write(&folder, 1, vec![process("a", 1)]);
    write(&folder, 2, vec![process("b", 2)]);
    let path = snapshot(&folder, 0);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let saved = load(&folder);
    assert_eq!(saved.processes.len(), 1, "{:?}", saved.troubles);
    // What is damaged, and what is used.
    assert_eq!(saved.troubles.len(), 2);
    assert!(folder.join("specs.damaged").exists());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_late_record_of_an_older_daemon_is_void() {
    let folder = scratch("fence");
    let line = |n, epoch, record| {
        encode(&Line {
            n,
            epoch,
            boot: "boot".into(),
            record,
        })
        .unwrap()
    };
    let bytes = [
        line(1, 1, Record::Epoch { schema: 1 }),
        line(2, 1, process("a", 1)),
        line(3, 2, Record::Epoch { schema: 1 }),
        line(4, 1, process("late", 2)),
        line(5, 2, process("b", 3)),
    ]
    .concat();
    std::fs::write(journal(&folder), bytes).unwrap();
    let names: Vec<String> = load(&folder)
        .processes
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["a", "b"]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// The fold empties the journal, and with it goes the record that a daemon of this epoch began.
#[test]
fn a_late_record_of_an_older_daemon_is_void_after_a_fold_too() {
    let folder = scratch("fence-fold");
    write(&folder, 2, vec![process("a", 1)]);
    let through = load(&folder).through;
    let late = |epoch, boot: &str, n| Line {
        n,
        epoch,
        boot: boot.into(),
        record: process(&format!("late{n}"), 9),
    };
    let lines = [
        late(1, "boot", through + 1),
        late(1, "boot", through + 2),
        // What a daemon of the next boot begins with, and what the present one writes.
        late(1, "another boot", through + 3),
        late(2, "boot", through + 4),
    ];
    let bytes: Vec<u8> = lines
        .iter()
        .flat_map(|line| encode(line).unwrap())
        .collect();
    std::fs::write(journal(&folder), bytes).unwrap();
    let saved = load(&folder);
    let names: Vec<String> = saved.processes.keys().map(ToString::to_string).collect();
    let kept = [through + 3, through + 4].map(|n| format!("late{n}"));
    assert_eq!(names, ["a", kept[0].as_str(), kept[1].as_str()]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// A pipe takes every record and can make none durable.
#[test]
fn only_who_asks_for_it_waits_until_a_record_is_durable() {
    let folder = scratch("durable");
    let _ = std::fs::remove_file(journal(&folder));
    nix::unistd::mkfifo(&journal(&folder), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (told, answers) = std::sync::mpsc::channel();
    let (store, thread) = start(
        folder.clone(),
        Saved::default(),
        ("boot".into(), 1),
        move |ticket, error| told.send((ticket, error.is_none())).unwrap(),
    )
    .unwrap();
    store.append(process("a", 1), Some(1), true).unwrap();
    store.append(process("b", 2), Some(2), false).unwrap();
    store.append(process("c", 3), Some(3), true).unwrap();
    let mut heard: Vec<_> = (0..3).map(|_| answers.recv().unwrap()).collect();
    heard.sort_unstable();
    assert_eq!(heard, [(1, false), (2, true), (3, false)]);
    drop(store);
    thread.join().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
