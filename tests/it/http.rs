//! The socket: what is no request gets a 4xx in the usual envelope, and the daemon goes on.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use serde_json::Value;

use crate::child;
use crate::sandbox::{LIMIT, Sandbox};

/// Sends bytes, says that no more come, and takes the whole answer.
fn exchange(s: &Sandbox, bytes: &[u8]) -> Vec<u8> {
    talk(s, bytes, true)
}

fn talk(s: &Sandbox, bytes: &[u8], no_more: bool) -> Vec<u8> {
    let mut stream = UnixStream::connect(s.socket()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    // The daemon may answer and close before it has read all of what is no request.
    let _ = stream.write_all(bytes);
    if no_more {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(
            !late,
            "the connection is neither answered to its end nor closed"
        );
    }
    answer
}

/// Status and body of a request that closes the connection; the body is JSON, chunked or not.
pub(crate) fn request(s: &Sandbox, text: &str) -> (u16, Value) {
    // Who asks for an answer stays to hear it.
    let answer = talk(s, text.as_bytes(), false);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{text:?} was answered {answer:?}"));
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json = body
        .find('{')
        .zip(body.rfind('}'))
        .map_or("", |(a, b)| &body[a..=b]);
    (status, serde_json::from_str(json).unwrap_or(Value::Null))
}

/// The data of a `GET` that succeeds.
#[track_caller]
pub(crate) fn get(s: &Sandbox, target: &str) -> Value {
    let (status, body) = request(s, &with(&format!("GET {target}"), "", ""));
    assert_eq!(status, 200, "{target}: {body}");
    body["data"].clone()
}

/// Status and body of `GET`.
pub(crate) fn answer_of(s: &Sandbox, target: &str) -> (u16, Value) {
    request(s, &with(&format!("GET {target}"), "", ""))
}

/// The lines of JSON that `GET` answers, to their end.
pub(crate) fn lines_of(s: &Sandbox, target: &str) -> Vec<Value> {
    let text = with(&format!("GET {target}"), "", "");
    let answer = talk(s, text.as_bytes(), false);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let objects = answer.lines().filter(|line| line.starts_with('{'));
    objects
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Status and body of a `POST` with a JSON body; none when the daemon ended before it answered.
pub(crate) fn try_post(s: &Sandbox, place: &str, body: &Value) -> Option<(u16, Value)> {
    let text = with(
        &format!("POST {place}"),
        "Content-Type: application/json\r\n",
        &body.to_string(),
    );
    let answer = talk(s, text.as_bytes(), false);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let json = &body[body.find('{')?..=body.rfind('}')?];
    Some((status, serde_json::from_str(json).ok()?))
}

fn with(line: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

#[test]
fn bad_requests_get_a_4xx_in_the_error_envelope() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).success();
    let json = "Content-Type: application/json\r\n";
    for text in [
        with("GET /nowhere", "", ""),
        with("GET /api/nothing", "", ""),
        with("BREW /api/processes", "", ""),
        with("DELETE /api/events", "", ""),
        with("GET /api/processes/not-there", "", ""),
        with("GET /api/processes/../../etc/passwd", "", ""),
        with("GET /api/processes/%00%ff", "", ""),
        with("POST /api/processes", json, "{"),
        with("POST /api/processes", json, "\u{0}\u{1}garbage"),
        with("POST /api/processes", json, "[1,2,3]"),
        with("POST /api/processes", json, "{\"name\":7}"),
    ] {
        let (status, body) = request(&s, &text);
        assert!((400..500).contains(&status), "{status} {body} for {text:?}");
        assert_eq!(body["success"], false, "{status} {body} for {text:?}");
        for key in ["code", "message", "hint"] {
            let error = body["error"].as_object().expect("an error object");
            assert!(error.contains_key(key), "{key} in {body} for {text:?}");
        }
        assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string());
    }
}

#[test]
fn bytes_that_are_no_http_do_not_disturb_the_daemon() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let (pid, daemon) = (s.pid("api"), s.role("pid"));
    let long = "x".repeat(1 << 20);
    let garbage: Vec<u8> = (0..64_u32 * 1024)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let head = "GET /api/events HTTP/1.1\r\nHost: adasa\r\n";
    for bytes in [
        b"".to_vec(),
        b"\n".to_vec(),
        b"\0\0\0\0".to_vec(),
        b"\xff\xff\xff\xff".to_vec(),
        b"GET".to_vec(),
        b"GET /api/processes HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /api/processes HTTP/1.1\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\n\r\n").into_bytes(),
        format!("{head}X: {long}\r\n\r\n").into_bytes(),
        format!("{head}{}\r\n", "A: b\r\n".repeat(10_000)).into_bytes(),
        b"POST /api/processes HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967296\r\n\r\n{}".to_vec(),
        b"POST /api/processes HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"POST /api/processes HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
            .to_vec(),
        garbage,
    ] {
        let answer = exchange(&s, &bytes);
        let status: Option<u16> = String::from_utf8_lossy(&answer)
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok());
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(
            status.is_none_or(|code| (400..600).contains(&code)),
            "{status:?} for {shown:?}"
        );
        assert_eq!(s.pid("api"), pid);
    }
    assert_eq!(s.role("pid"), daemon, "it is the same daemon");
}

#[test]
fn a_body_without_end_is_refused_with_a_4xx() {
    let s = Sandbox::new();
    let _ = s.run(&["daemon", "start"]).success();
    let body = format!("{{\"name\":\"{}\"}}", "x".repeat(64 << 20));
    let text = with(
        "POST /api/processes",
        "Content-Type: application/json\r\n",
        &body,
    );
    let answer = exchange(&s, text.as_bytes());
    // When the connection is closed under a body that is still being written, the answer may be lost with it.
    if !answer.is_empty() {
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            answer.starts_with("HTTP/1.1 4"),
            "{}",
            &answer[..answer.len().min(200)]
        );
    }
    assert!(s.rows().is_empty());
}

#[test]
fn clients_that_say_nothing_or_read_nothing_delay_nobody() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let silent: Vec<_> = (0..20)
        .map(|_| UnixStream::connect(s.socket()).unwrap())
        .collect();
    let deaf: Vec<_> = (0..10)
        .map(|_| {
            let mut stream = UnixStream::connect(s.socket()).unwrap();
            let request = b"GET /api/events HTTP/1.1\r\nHost: adasa\r\n\r\n";
            stream.write_all(request).unwrap();
            stream
        })
        .collect();
    for _ in 0..20 {
        let _ = s.run(&["restart", "api"]).stderr("").success();
    }
    drop((silent, deaf));
    assert_eq!(s.status("api"), "running");
}

#[test]
fn daemon_stop_does_not_wait_for_clients() {
    let s = Sandbox::new();
    s.start("api", &child::stays(&s), &[]);
    let mut follower = UnixStream::connect(s.socket()).unwrap();
    follower.set_read_timeout(Some(LIMIT)).unwrap();
    let request = b"GET /api/events HTTP/1.1\r\nHost: adasa\r\n\r\n";
    follower.write_all(request).unwrap();
    let silent = UnixStream::connect(s.socket()).unwrap();
    let _ = s.run(&["daemon", "stop"]).stderr("").success();
    assert!(s.left().is_empty());
    let mut rest = Vec::new();
    let _ = follower.read_to_end(&mut rest);
    assert!(
        rest.starts_with(b"HTTP/1.1 200"),
        "the stream was there and ended"
    );
    drop(silent);
}
