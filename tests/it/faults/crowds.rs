//! Clients by the thousand, slow on purpose, or with large bodies: places, time and memory are bounded.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::faults::start_idle;
use crate::sandbox::{LIMIT, Sandbox};

/// More than any command takes on a busy machine, less than any time-out of the server.
const PROMPT: Duration = Duration::from_secs(4);

/// Resident and not shared with any file, KiB: what the connections cost.
fn memory(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("RssAnon:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse().unwrap()
}

fn open(pid: i32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .count()
}

fn connect(s: &Sandbox) -> UnixStream {
    let stream = UnixStream::connect(s.socket()).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

/// Several commands, the longest of which is given.
#[track_caller]
fn commands(s: &Sandbox) -> Duration {
    let mut longest = Duration::ZERO;
    for args in [
        &["list", "--json"][..],
        &["restart", "alpha"],
        &["status", "alpha"],
    ] {
        let begun = Instant::now();
        drop(s.run(args).success());
        longest = longest.max(begun.elapsed());
    }
    assert!(longest < PROMPT, "a command took {longest:?}");
    longest
}

/// Raises this process's own limit, which a test of a thousand connections meets first.
fn room_for_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

#[test]
fn a_thousand_connections_delay_nobody_and_a_newcomer_takes_the_place_of_an_idle_one() {
    room_for_files();
    let s = Sandbox::new();
    start_idle(&s, "alpha");
    let daemon = s.role("pid");
    let (before, files) = (memory(daemon.pid), open(daemon.pid));
    let events = b"GET /api/events HTTP/1.1\r\nHost: adasa\r\n\r\n";
    let mut crowd = Vec::new();
    for n in 0..1000 {
        let mut stream = connect(&s);
        match n % 4 {
            0 => stream.write_all(events).unwrap(),
            1 => stream.write_all(b"GET /api/proc").unwrap(),
            _ => {}
        }
        crowd.push(stream);
    }
    let longest = commands(&s);
    let during = memory(daemon.pid);
    for _ in 0..200 {
        crowd.push(connect(&s));
    }
    let crowded = commands(&s);
    let most = open(daemon.pid);
    println!(
        "1,000 connections: longest command {longest:?}, 1,200: {crowded:?}; daemon {before} KiB before, {during} KiB \
         during; {files} descriptors before, {most} during"
    );
    assert!(most < files + 1024 + 32, "{most} descriptors");
    assert!(during < before + 64 * 1024, "{during} KiB");
    let mut stream = &crowd[0];
    let mut byte = [0; 64];
    assert!(
        stream.read(&mut byte).unwrap() > 0,
        "a stream that is read goes on"
    );
    drop(crowd);
    let _ = commands(&s);
    s.wait_for("descriptors are given back", |_| {
        (open(daemon.pid) < files + 16).then_some(())
    });
    assert_eq!(s.role("pid"), daemon);
}

/// Feeds a byte whenever the server has not ended the connection for a while; how long it took to end it.
fn dribble(mut stream: UnixStream, head: &str) -> Duration {
    let begun = Instant::now();
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let mut answer = [0; 4096];
    loop {
        match stream.read(&mut answer) {
            Ok(0) => return begun.elapsed(),
            Ok(_) => {}
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if stream.write_all(b"x").is_err() {
                    return begun.elapsed();
                }
            }
            Err(_) => return begun.elapsed(),
        }
        assert!(begun.elapsed() < LIMIT, "the server never had enough of it");
    }
}

#[test]
fn who_sends_or_takes_a_byte_at_a_time_or_none_is_left() {
    let s = Sandbox::new();
    start_idle(&s, "alpha");
    let heads = std::thread::scope(|scope| {
        let slow = scope.spawn(|| dribble(connect(&s), "GET /api/processes HTTP/1.1\r\nX-Slow: "));
        let silent = scope.spawn(|| {
            let (begun, mut stream) = (Instant::now(), connect(&s));
            assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0);
            begun.elapsed()
        });
        let body = scope.spawn(|| {
            let begun = Instant::now();
            let mut stream = connect(&s);
            let head =
                "POST /api/operations HTTP/1.1\r\nHost: adasa\r\nContent-Length: 100\r\n\r\n{";
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
            assert!(answer.contains("\"too_slow\""), "{answer}");
            begun.elapsed()
        });
        let deaf = scope.spawn(|| {
            let begun = Instant::now();
            let stream = connect(&s);
            let request = b"GET /api/processes HTTP/1.1\r\nHost: adasa\r\n\r\n".repeat(100);
            // Answers fill the socket; then the server reads no more; then it has enough.
            let ended = loop {
                match (&stream).write(&request) {
                    Ok(_) => {}
                    Err(error) => break error.kind(),
                }
                assert!(begun.elapsed() < LIMIT, "the server never had enough of it");
            };
            let gone = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
            assert!(gone.contains(&ended), "{ended}");
            begun.elapsed()
        });
        let longest = (0..5).map(|_| commands(&s)).max();
        println!("meanwhile the longest command took {longest:?}");
        [
            ("a head by the byte", slow),
            ("nothing", silent),
            ("half a body", body),
            ("nothing taken", deaf),
        ]
        .map(|(what, thread)| (what, thread.join().unwrap()))
    });
    println!("left after: {heads:?}");
    let _ = commands(&s);
}

#[test]
fn large_bodies_of_many_clients_have_bounded_room() {
    let s = Sandbox::new();
    start_idle(&s, "alpha");
    let daemon = s.role("pid");
    let before = memory(daemon.pid);
    let piece = vec![b' '; 1 << 20];
    let mut refused = 0;
    let mut held = Vec::new();
    for _ in 0..24 {
        let mut stream = connect(&s);
        let length = 15 << 20;
        let head = format!(
            "POST /api/operations HTTP/1.1\r\nHost: adasa\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        // All but the last byte: the server has to hold it, or to say that it will not.
        let sent = (0..15).try_for_each(|n| {
            let end = if n == 14 {
                piece.len() - 1
            } else {
                piece.len()
            };
            stream.write_all(&piece[..end])
        });
        refused += usize::from(sent.is_err());
        held.push(stream);
    }
    let during = memory(daemon.pid);
    let longest = commands(&s);
    println!(
        "24 bodies of 15 MiB: {refused} refused, daemon {before} KiB before, {during} KiB during; longest command {longest:?}"
    );
    assert!(refused >= 15, "{refused} were refused");
    assert!(during < before + 128 * 1024, "{during} KiB");
    drop(held);
    let _ = commands(&s);
    assert_eq!(s.role("pid"), daemon);
}
