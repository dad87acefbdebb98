//! Lines in the order of time, whichever way they are read.

use super::*;
use crate::domain::names::RunId;
use crate::logs::archive::{self, with_suffix};
use crate::logs::index::{Entry, Head, Writer};
use std::os::unix::fs::MetadataExt as _;

/// Writes lines with their times, as the scribe would.
fn write(path: &std::path::Path, lines: &[(u64, &str)]) {
    let text: String = lines.iter().map(|(_, l)| format!("{l}\n")).collect();
    std::fs::write(path, &text).unwrap();
    let head = Head {
        inode: std::fs::metadata(path).unwrap().ino(),
        base: 0,
        begun_ms: 0,
    };
    let mut index = Writer::begin(&with_suffix(path, ".idx"), head).unwrap();
    let mut offset = 0;
    for (time, line) in lines {
        let length = u32::try_from(line.len() + 1).unwrap();
        index
            .add(Entry {
                time_us: time * 1_000_000,
                offset,
                length,
                flags: 0,
                run: RunId(1),
            })
            .unwrap();
        offset += u64::from(length);
    }
}

fn all(merge: &mut Merge, whole: bool) -> Vec<String> {
    std::iter::from_fn(|| merge.next(whole).unwrap())
        .map(|(n, l)| format!("{n}:{}", String::from_utf8(l.bytes).unwrap()))
        .collect()
}

#[test]
fn streams_are_merged_in_time_order_and_cut_to_the_last_lines() {
    let folder = std::env::temp_dir().join(format!("adasa-merge-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (a, b) = (folder.join("a.log"), folder.join("b.log"));
    write(&a, &[(1, "one"), (4, "four"), (5, "five")]);
    write(&b, &[(2, "two"), (3, "three"), (6, "six")]);
    let paths = || vec![a.clone(), b.clone()];
    let mut merge = Merge::open(paths(), From::Last(100)).unwrap();
    assert_eq!(
        all(&mut merge, false),
        ["0:one", "1:two", "1:three", "0:four", "0:five", "1:six"]
    );
    let mut merge = Merge::open(paths(), From::Last(2)).unwrap();
    assert_eq!(all(&mut merge, false), ["0:five", "1:six"]);
    let mut merge = Merge::open(paths(), From::Since(4_000_000, 100)).unwrap();
    assert_eq!(all(&mut merge, true), ["0:four", "0:five", "1:six"]);

    // Growth, an unfinished line, and its end.
    let text = std::fs::read_to_string(&a).unwrap();
    std::fs::write(&a, format!("{text}sev")).unwrap();
    merge.refresh().unwrap();
    assert!(all(&mut merge, true).is_empty());
    std::fs::write(&a, format!("{text}seven\n")).unwrap();
    merge.refresh().unwrap();
    assert_eq!(all(&mut merge, true), ["0:seven"]);
    std::fs::remove_dir_all(folder).unwrap();
}

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("adasa-merge-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Three logs whose times cross and are often the same.
fn crossing(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut seed = 7u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    let paths: Vec<PathBuf> = (0..3).map(|n| folder.join(format!("{n}.log"))).collect();
    for (n, path) in paths.iter().enumerate() {
        let mut time = 0;
        let lines: Vec<(u64, String)> = (0..300)
            .map(|i| {
                time += random(3);
                let text = format!("log {n} line {i} {}", "x".repeat(random(90) as usize));
                (time, text)
            })
            .collect();
        let of: Vec<(u64, &str)> = lines.iter().map(|(t, l)| (*t, l.as_str())).collect();
        write(path, &of);
    }
    paths
}

fn text((n, line): (usize, Line)) -> String {
    format!("{n}:{}", String::from_utf8(line.bytes).unwrap())
}

#[test]
fn lines_come_in_the_same_order_from_either_end() {
    let folder = scratch("ends");
    let paths = crossing(&folder);
    let mut merge = Merge::open(paths.clone(), From::Last(usize::MAX)).unwrap();
    let forwards = all(&mut merge, false);
    assert_eq!(forwards.len(), 900);
    let mut merge = Merge::open(paths.clone(), From::Last(0)).unwrap();
    let mut backwards: Vec<String> = std::iter::from_fn(|| merge.previous().unwrap())
        .map(text)
        .collect();
    backwards.reverse();
    assert_eq!(backwards, forwards);
    assert!(merge.is_at_the_beginning());
    for count in [1, 2, 77, 899, 900, 2000] {
        let mut merge = Merge::open(paths.clone(), From::Last(count)).unwrap();
        let tail = all(&mut merge, false);
        assert_eq!(tail, forwards[900 - count.min(900)..], "the last {count}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_cursor_of_any_line_is_a_place_in_all_logs() {
    let folder = scratch("cursor");
    let paths = crossing(&folder);
    let mut merge = Merge::open(paths.clone(), From::Last(usize::MAX)).unwrap();
    let all: Vec<(usize, Line)> = std::iter::from_fn(|| merge.next(false).unwrap()).collect();
    for (at, (n, line)) in all.iter().enumerate() {
        let mut places = vec![None; 3];
        places[*n] = Some(line.offset);
        let from = From::At {
            places,
            otherwise_us: None,
        };
        let mut merge = Merge::open(paths.clone(), from).unwrap();
        assert_eq!(
            merge.next(false).unwrap().as_ref(),
            all.get(at),
            "line {at}"
        );
        let before = at.checked_sub(1).and_then(|before| all.get(before));
        assert_eq!(
            merge.previous().unwrap().as_ref(),
            before,
            "before line {at}"
        );
        // What was given out is between the bounds; reading goes on from either.
        let (low, high) = merge.bounds();
        let on = |offsets: Vec<u64>| From::At {
            places: offsets.into_iter().map(Some).collect(),
            otherwise_us: None,
        };
        let mut next = Merge::open(paths.clone(), on(high)).unwrap();
        assert_eq!(next.next(false).unwrap().as_ref(), all.get(at + 1));
        let mut first = Merge::open(paths.clone(), on(low)).unwrap();
        let expected = all.get(at.saturating_sub(1));
        assert_eq!(first.next(false).unwrap().as_ref(), expected);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_gone_before_a_cursor_is_said_in_bytes() {
    let folder = scratch("gone");
    let log = folder.join("0.log");
    std::fs::write(archive::path_of(&log, 0, 10), "line 0000\n").unwrap();
    std::fs::write(archive::path_of(&log, 30, 40), "line 0003\n").unwrap();
    std::fs::write(&log, "line 0004\n").unwrap();
    let at = |offset| From::At {
        places: vec![Some(offset)],
        otherwise_us: None,
    };
    let seen = |from| {
        let mut merge = Merge::open(vec![log.clone()], from).unwrap();
        let lines = std::iter::from_fn(|| merge.next(false).unwrap());
        lines
            .map(|(_, l)| (l.offset, l.missing))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(at(0)), [(0, 0), (30, 20), (40, 0)]);
    assert_eq!(seen(at(20)), [(30, 20), (40, 0)]);
    // The oldest archive goes: a reader that stood in it learns what it missed.
    archive::list(&log).unwrap()[0].remove().unwrap();
    assert_eq!(seen(at(5)), [(30, 25), (40, 0)]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_line_that_may_still_grow_comes_again_from_the_bound() {
    let folder = scratch("grows");
    let log = folder.join("0.log");
    std::fs::write(&log, "one\ntw").unwrap();
    let mut merge = Merge::open(vec![log.clone()], From::Last(10)).unwrap();
    assert_eq!(all(&mut merge, false), ["0:one", "0:tw"]);
    assert_eq!(merge.bounds(), (vec![0], vec![4]));
    std::fs::write(&log, "one\ntwo\n").unwrap();
    let from = From::At {
        places: vec![Some(4)],
        otherwise_us: None,
    };
    let mut merge = Merge::open(vec![log], from).unwrap();
    assert_eq!(all(&mut merge, true), ["0:two"]);
    std::fs::remove_dir_all(folder).unwrap();
}
