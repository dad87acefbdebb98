//! Clients that are gone, deaf, mad or many: the others are not delayed.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::faults::{Dice, start_idle};
use crate::sandbox::{Known, Sandbox};

/// More than any answer takes on a busy machine, less than any time-out of the server.
const PROMPT: Duration = Duration::from_secs(4);

fn home() -> (Sandbox, Known) {
    let home = Sandbox::new();
    start_idle(&home, "alpha");
    let daemon = home.role("pid");
    (home, daemon)
}

fn connect(home: &Sandbox) -> UnixStream {
    let stream = UnixStream::connect(home.socket()).expect("a connection");
    stream
        .set_write_timeout(Some(Duration::from_secs(2)))
        .expect("a time-out");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a time-out");
    stream
}

/// Everything still works, at once, in the same daemon.
#[track_caller]
fn assert_prompt(home: &Sandbox, daemon: Known) {
    for args in [
        &["list", "--json"][..],
        &["restart", "alpha"],
        &["status", "alpha"],
    ] {
        let begun = Instant::now();
        drop(home.run(args).success());
        let took = begun.elapsed();
        assert!(took < PROMPT, "{args:?} took {took:?}");
    }
    assert_eq!(home.role("pid"), daemon, "the daemon was replaced");
}

#[test]
fn clients_that_leave_in_the_middle_of_a_request_are_forgotten() {
    let (home, daemon) = home();
    let requests: [&[u8]; 6] = [
        b"",
        b"G",
        b"GET /api/ev",
        b"GET /api/events HTTP/1.1\r\nHost: adasa\r\n",
        b"POST /api/processes HTTP/1.1\r\nHost: adasa\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"name\":",
        b"GET /api/events HTTP/1.1\r\nHost: adasa\r\nAccept: text/event-stream\r\n\r\n",
    ];
    for _ in 0..20 {
        for request in requests {
            connect(&home).write_all(request).expect("written");
        }
    }
    assert_prompt(&home, daemon);
}

#[test]
fn clients_that_never_read_delay_nobody() {
    let (home, daemon) = home();
    let deaf: Vec<UnixStream> = (0..20)
        .map(|_| {
            let mut stream = connect(&home);
            let request =
                b"GET /api/events HTTP/1.1\r\nHost: adasa\r\nAccept: text/event-stream\r\n\r\n";
            stream.write_all(request).expect("written");
            stream
        })
        .collect();
    let flooding: Vec<UnixStream> = (0..10)
        .map(|_| {
            let mut stream = connect(&home);
            // Requests without end whose answers nobody takes: the server stops reading, or closes.
            stream.set_nonblocking(true).expect("non-blocking");
            let request = b"GET /api/events HTTP/1.1\r\nHost: adasa\r\n\r\n".repeat(100);
            while stream.write(&request).is_ok_and(|written| written > 0) {}
            stream
        })
        .collect();
    for _ in 0..30 {
        drop(home.run(&["restart", "alpha"]).success());
    }
    assert_prompt(&home, daemon);
    drop((deaf, flooding));
    assert_prompt(&home, daemon);
}

#[test]
fn garbage_is_answered_with_an_error_or_closed_and_changes_nothing() {
    let (home, daemon) = home();
    let mut dice = Dice::new();
    let noise: Vec<u8> = (0..65_536)
        .map(|_| dice.below(256).to_le_bytes()[0])
        .collect();
    let header = |extra: &str| {
        format!("POST /api/processes HTTP/1.1\r\nHost: adasa\r\n{extra}\r\n").into_bytes()
    };
    let body = |body: &str| {
        let length = format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        [header(&length), body.as_bytes().to_vec()].concat()
    };
    let mut attacks: Vec<Vec<u8>> = vec![
        noise.clone(),
        vec![0; 100_000],
        b"\r\n\r\n\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        [
            b"GET /".to_vec(),
            vec![b'a'; 1 << 20],
            b" HTTP/1.1\r\n\r\n".to_vec(),
        ]
        .concat(),
        header(&format!("X-Long: {}\r\n", "b".repeat(1 << 20))),
        header(&"X-Many: c\r\n".repeat(10_000)),
        header("Content-Length: -1\r\n"),
        header("Content-Length: 99999999999999999999\r\n"),
        header("Content-Length: 4000000000\r\n"),
        header("Content-Length: 3\r\nContent-Length: 4\r\n"),
        [
            header("Transfer-Encoding: chunked\r\n"),
            b"ffffffffffffffff\r\nx".to_vec(),
        ]
        .concat(),
        b"GET /api/../../etc/passwd HTTP/1.1\r\nHost: adasa\r\n\r\n".to_vec(),
        b"GET /api/processes/%00%ff%2e%2e HTTP/1.1\r\nHost: adasa\r\n\r\n".to_vec(),
        b"DELETE /api/processes/%2a HTTP/1.1\r\nHost: adasa\r\n".to_vec(),
        body("not json"),
        body("null"),
        body("[]"),
        body(&"[".repeat(100_000)),
        body("{\"name\":\"\\ud800\",\"script\":7}"),
        body("{\"name\":\"../../etc\",\"script\":\"sleep\"}"),
    ];
    for _ in 0..50 {
        let at = usize::try_from(dice.below(60_000)).expect("an index");
        let long = usize::try_from(dice.below(2_000)).expect("a length");
        attacks.push(noise[at..at + long].to_vec());
    }
    for attack in &attacks {
        let mut stream = connect(&home);
        // The server may close before it has read all of it.
        stream.write_all(attack).ok();
        stream.shutdown(Shutdown::Write).ok();
        let mut answer = Vec::new();
        stream.take(1 << 20).read_to_end(&mut answer).ok();
        let shown = String::from_utf8_lossy(&attack[..attack.len().min(80)]).into_owned();
        let success = answer.starts_with(b"HTTP/1.1 2") || answer.starts_with(b"HTTP/1.0 2");
        assert!(
            !success,
            "{shown:?} was a success: {}",
            String::from_utf8_lossy(&answer)
        );
        assert!(
            !String::from_utf8_lossy(&answer).contains("panicked"),
            "{shown:?}"
        );
    }
    assert_prompt(&home, daemon);
    let names: Vec<_> = home.rows().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["alpha"]);
}

#[test]
fn two_hundred_idle_connections_delay_nobody() {
    let (home, daemon) = home();
    let idle: Vec<UnixStream> = (0..200).map(|_| connect(&home)).collect();
    assert_prompt(&home, daemon);
    let slow: Vec<UnixStream> = (0..20)
        .map(|_| {
            let mut stream = connect(&home);
            stream.write_all(b"GET /api/").expect("written");
            stream
        })
        .collect();
    assert_prompt(&home, daemon);
    drop((idle, slow));
    assert_prompt(&home, daemon);
}

#[test]
fn a_command_that_is_killed_leaves_its_operation_to_the_daemon() {
    let (home, daemon) = home();
    let _never = home.fifo("never");
    let script = format!(
        "trap '' TERM; echo armed >armed; read word <'{}'",
        home.path("never").display()
    );
    let root = home.root().to_str().expect("text").to_owned();
    let args = [
        "start",
        "sh",
        "--name",
        "stubborn",
        "--cwd",
        &root,
        "--stop-timeout",
        "2s",
        "--",
        "-c",
        &script,
    ];
    drop(home.run(&args).success());
    home.until_file("armed", |text| text.ends_with('\n'));
    let stopping = home.spawn(&["stop", "stubborn"]);
    home.until_status("stubborn", "stopping");
    stopping.signal(nix::sys::signal::Signal::SIGKILL);
    drop(stopping.output());
    assert_prompt(&home, daemon);
    home.until_status("stubborn", "stopped");
}
