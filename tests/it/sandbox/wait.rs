//! Waiting by happening: at each event of the daemon and each change in the folder the condition is asked again.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Sandbox;
use super::kernel::{Known, describe, readable_by, watch};

/// The one deadline of every wait.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// Things without an event (a gauge, a clock) are looked at again this often.
const GLANCE: Duration = Duration::from_secs(1);

impl Sandbox {
    /// Blocks until the condition gives a value; it is asked again at each event of the daemon and each change in the folder.
    #[track_caller]
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        mut condition: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + LIMIT;
        let mut events: Option<UnixStream> = None;
        loop {
            let inotify = watch(&self.root);
            if events.is_none() {
                events = self.place().and_then(|p| subscribe(&p.socket));
            }
            if let Some(value) = condition(self) {
                return value;
            }
            assert!(Instant::now() < deadline, "never came: {what}");
            let mut fds = vec![inotify.as_fd()];
            fds.extend(events.as_ref().map(AsFd::as_fd));
            readable_by(&fds, deadline.min(Instant::now() + GLANCE));
            if events.as_mut().is_some_and(|stream| !drain(stream)) {
                events = None;
            }
        }
    }

    /// Blocks until an instance has this status; its row then.
    #[track_caller]
    pub(crate) fn until_status(&self, name: &str, status: &str) -> Value {
        let what = format!("{name} is {status}");
        let row = |s: &Self| s.find_row(name).filter(|row| row["status"] == status);
        self.wait_for(&what, row)
    }

    /// Blocks until a file of the folder (or an absolute path) satisfies the predicate; its text then.
    #[track_caller]
    pub(crate) fn until_file(
        &self,
        path: impl AsRef<Path>,
        holds: impl Fn(&str) -> bool,
    ) -> String {
        let path = self.root.join(path);
        let deadline = Instant::now() + LIMIT;
        loop {
            let inotify = watch(path.parent().unwrap());
            if let Ok(bytes) = fs::read(&path) {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if holds(&text) {
                    return text;
                }
            }
            let text = || fs::read_to_string(&path);
            assert!(
                Instant::now() < deadline,
                "{} never had what was waited for: {:?}",
                path.display(),
                text()
            );
            readable_by(&[inotify.as_fd()], deadline.min(Instant::now() + GLANCE));
        }
    }

    /// Blocks until a file holds a whole line with a pid; the process with it.
    #[track_caller]
    pub(crate) fn until_pid(&self, name: &str) -> Known {
        let text = self.until_file(name, |text| text.ends_with('\n'));
        let pid = text.trim().parse().unwrap();
        self.see(Some(i64::from(pid)));
        Known::of(pid).unwrap_or_else(|| panic!("pid {pid} of {name} is not alive"))
    }

    /// Blocks until a process is over.
    #[track_caller]
    pub(crate) fn until_gone(&self, known: Known) {
        let gone = known.is_gone_by(Instant::now() + LIMIT);
        assert!(gone, "still alive: {}", describe(known.pid));
    }

    /// Ends a role by SIGKILL and waits for its death.
    #[track_caller]
    pub(crate) fn murder(&self, key: &str) -> Known {
        let victim = self.role(key);
        victim.signal(Signal::SIGKILL);
        self.until_gone(victim);
        victim
    }
}

/// Opens the daemon's event stream; none when no daemon listens.
fn subscribe(socket: &Path) -> Option<UnixStream> {
    let mut stream = UnixStream::connect(socket).ok()?;
    let request = "GET /api/events HTTP/1.1\r\nHost: adasa\r\nAccept: text/event-stream\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    stream.set_nonblocking(true).ok()?;
    Some(stream)
}

/// Takes what has come; false at the end of the stream.
fn drain(stream: &mut UnixStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return e.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}
