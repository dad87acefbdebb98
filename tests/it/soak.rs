//! What is begun and ended often leaves nothing behind. `ADASA_SOAK=10000` says how often; bounded otherwise.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::child;
use crate::sandbox::{LIMIT, Sandbox, stat};

const ROLES: [&str; 3] = ["keeper_pid", "pid", "scribe_pid"];
/// Heaps grow in steps; what leaks by the cycle is more than this after enough of them.
const HEAP_KIB: u64 = 1536;
/// The results of so many operations are remembered for ten minutes, and of all those of half a minute, at this price
/// each.
const REMEMBERED: u64 = 500;
const RESULT_BYTES: u64 = 3072;

fn times(usual: u32) -> u32 {
    std::env::var("ADASA_SOAK").map_or(usual, |n| n.parse().expect("ADASA_SOAK is a number"))
}

/// What could grow.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Figures {
    /// Of keeper, daemon and scribe.
    descriptors: [usize; 3],
    /// Memory of their own, KiB.
    heap: [u64; 3],
    threads: [usize; 3],
    zombies: usize,
    volatile: usize,
    groups: usize,
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| {
        let inner = |e: fs::DirEntry| {
            let folder = e.file_type().is_ok_and(|t| t.is_dir());
            1 + if folder { count(&e.path()) } else { 0 }
        };
        entries.flatten().map(inner).sum()
    })
}

fn figures(status: &Value) -> Figures {
    let pids = ROLES.map(|role| status[role].as_i64().unwrap());
    let heap = |pid: i64| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = text.lines().find_map(|l| l.strip_prefix("RssAnon:"));
        line.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    };
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", pids[0])).unwrap();
    let zombie = |pid: &&str| stat(pid.parse().unwrap()).is_some_and(|stat| stat[0] == "Z");
    let groups = status["control_group"].as_str().map_or(0, |folder| {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries
            .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
            .count()
    });
    Figures {
        descriptors: pids.map(|pid| count(Path::new(&format!("/proc/{pid}/fd")))),
        heap: pids.map(heap),
        threads: pids.map(|pid| fs::read_dir(format!("/proc/{pid}/task")).unwrap().count()),
        zombies: children.split_whitespace().filter(zombie).count(),
        volatile: count(Path::new(status["volatile_dir"].as_str().unwrap())),
        groups,
    }
}

/// One request on a connection of its own; its answer.
fn ask(socket: &Path, head: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{head}: {answer}");
    answer
}

/// Whether all but the heap is at most as it was before. Less is no leak: what was counted first may have been in the middle of
/// something. Threads for waiting reads come and go.
fn is_flat(now: &Figures, before: &Figures) -> bool {
    let mut files = now.descriptors.iter().zip(before.descriptors);
    files.all(|(now, before)| *now <= before)
        && now.zombies <= before.zombies
        && now.volatile <= before.volatile
        && now.groups <= before.groups
}

/// Waits until nothing but the heap is more than before, for the last of it comes after the last answer.
fn settled(s: &Sandbox, status: &Value, before: &Figures) -> Figures {
    let begun = Instant::now();
    loop {
        let last = figures(status);
        if is_flat(&last, before) || begun.elapsed() > LIMIT {
            return last;
        }
        // Nothing tells when a descriptor is closed: a command makes time pass.
        let _ = s.run(&["list"]).success();
    }
}

#[track_caller]
fn assert_flat(
    (what, n, operations): (&str, u32, u64),
    took: Duration,
    before: &Figures,
    after: &Figures,
) {
    println!("{n} {what} in {took:?}\n  before {before:?}\n  after  {after:?}");
    assert_eq!(after.zombies, 0, "zombies");
    assert!(
        is_flat(after, before),
        "descriptors of keeper, daemon and scribe, files in the volatile folder, or control groups"
    );
    let young = u128::from(operations) * 30_000 / took.as_millis().max(1);
    let young = u64::try_from(young).unwrap_or(u64::MAX);
    // A quarter as many were done to warm up.
    let kept = |operations: u64| operations.min(young.max(REMEMBERED));
    let more = kept(operations + operations / 4) - kept(operations / 4);
    let remembered = more * RESULT_BYTES / 1024;
    for (role, (now, then)) in ROLES.iter().zip(after.heap.iter().zip(before.heap)) {
        let then = then + if *role == "pid" { remembered } else { 0 };
        assert!(
            *now < then + HEAP_KIB,
            "{role} grew from {then} to {now} KiB"
        );
    }
}

#[test]
fn starting_and_stopping_leaves_nothing_behind() {
    let s = Sandbox::new();
    s.start("cycle", &child::stays(&s), &[]);
    let status = s.daemon_status().unwrap();
    let socket = s.socket();
    let cycle = |n: u32| {
        for verb in ["stop", "start"] {
            let body = format!(
                "{{\"operation\":\"soak-{verb}-{n}\",\"verb\":\"{verb}\",\"select\":[\"cycle\"]}}"
            );
            let answer = ask(&socket, "POST /api/operations?wait_ms=60000", &body);
            assert!(answer.contains("\"done\":true"), "{answer}");
        }
    };
    let cold = figures(&status);
    let warm = times(400) / 4;
    (0..warm).for_each(cycle);
    let before = settled(&s, &status, &cold);
    let (n, begun) = (times(400), Instant::now());
    (warm..warm + n).for_each(cycle);
    let took = begun.elapsed();
    let after = settled(&s, &status, &before);
    assert_flat(
        ("starts and stops", n, 2 * u64::from(n)),
        took,
        &before,
        &after,
    );
    let state = count(&s.home().join("state"));
    assert!(state < 40, "{state} files in the state folder");
}

#[test]
fn clients_that_come_and_go_leave_nothing_behind() {
    let s = Sandbox::new();
    s.start("idle", &child::stays(&s), &[]);
    let status = s.daemon_status().unwrap();
    let socket = s.socket();
    let client = |n: u32| match n % 4 {
        // One that subscribes, hears the first word, and is gone.
        0 => {
            let mut stream = UnixStream::connect(&socket).unwrap();
            let request = "GET /api/events HTTP/1.1\r\nHost: adasa\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            assert!(stream.read(&mut [0; 64]).unwrap() > 0);
        }
        // One that never says what it wants.
        1 => drop(UnixStream::connect(&socket).unwrap()),
        // One that follows a log for a moment.
        2 => {
            let mut stream = UnixStream::connect(&socket).unwrap();
            let request = "GET /api/logs?follow=true HTTP/1.1\r\nHost: adasa\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            assert!(stream.read(&mut [0; 64]).unwrap() > 0);
        }
        _ => drop(ask(&socket, "GET /api/processes", "")),
    };
    let cold = figures(&status);
    let warm = times(1000) / 4;
    (0..warm).for_each(client);
    let before = settled(&s, &status, &cold);
    let (n, begun) = (times(1000), Instant::now());
    (0..n).for_each(client);
    let took = begun.elapsed();
    let after = settled(&s, &status, &before);
    assert_flat(("connections", n, 0), took, &before, &after);
}
