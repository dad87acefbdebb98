//! A daemon that does not answer: when it is given up, and what is known without it.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::domain::exit::Signal;
use crate::domain::names::{Namespace, ProcessName, instance_label};
use crate::domain::selector::{Candidate, Selector};
use crate::domain::status::Status;
use crate::keeper::protocol::{Entry, RunState};
use crate::keeper::table::{Contents, Table};
use crate::keeper::who::Who;
use crate::platform::clock::boot_id;
use crate::platform::paths::Paths;
use crate::platform::procfs;

use super::probe::{self, Probe};

/// From one look at a silent daemon to the next: what waits for a disk for a moment does not hang.
const LOOK: Duration = Duration::from_millis(100);
/// How long a killed role may take to be gone.
const UNREACHABLE: Duration = Duration::from_secs(5);
/// How many instances are named.
const NAMED: usize = 8;

/// Waits for the first byte of an answer that may take `wait`, and `patience` beyond. Gives up sooner when the daemon
/// turns out to hang: it answers nobody, and is stopped, stuck in the kernel, asleep or spinning meanwhile.
pub(super) fn wait_for_answer(
    socket: &UnixStream,
    paths: &Paths,
    wait: Duration,
    patience: Duration,
) -> io::Result<()> {
    let begun = Instant::now();
    // Since when it owes an answer, to us or to the last probe.
    let mut silent = begun;
    let mut probe: Option<Probe> = None;
    let mut hung_before = false;
    loop {
        let left = (wait + patience).saturating_sub(begun.elapsed());
        let next = match &probe {
            None => probe::AFTER.saturating_sub(silent.elapsed()),
            Some(_) => LOOK,
        };
        let timeout = PollTimeout::try_from(next.min(left)).unwrap_or(PollTimeout::MAX);
        let asked = probe.as_ref().and_then(Probe::connection);
        let both = [Some(socket.as_fd()), asked].into_iter().flatten();
        let mut fds: Vec<PollFd<'_>> = both.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut fds, timeout) {
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let heard = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
        if heard(&fds[0]) {
            return Ok(());
        }
        if fds.get(1).is_some_and(heard) {
            // It is at work, and only what we asked for takes long.
            (probe, silent, hung_before) = (None, Instant::now(), false);
        }
        if begun.elapsed() >= wait + patience {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match &mut probe {
            None if silent.elapsed() >= probe::AFTER => {
                let daemon = Table::read(&paths.table()).unwrap_or_default().roles.daemon;
                probe = Some(Probe::ask(paths, daemon));
            }
            None => {}
            Some(probe) => {
                let hangs = probe.look() || probe.is_late() && hung_role(paths).is_some();
                if hangs && hung_before {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                hung_before = hangs;
            }
        }
    }
}

/// What a process that gets nothing done is doing, by the letter of proc_pid_stat(5).
fn hanging(who: Who) -> Option<&'static str> {
    if !who.is_alive() {
        return None;
    }
    match procfs::state(who.pid)? {
        'T' => Some("stopped by a signal (state T)"),
        't' => Some("held by a debugger (state t)"),
        'D' => Some("stuck in the kernel (state D)"),
        _ => None,
    }
}

/// The role that hangs, with the words for it.
fn hung_role(paths: &Paths) -> Option<String> {
    let roles = Table::read(&paths.table()).ok()?.roles;
    // With no daemon it is the keeper that should start one.
    let keeper = (!roles.daemon.is_alive()).then_some(("keeper", roles.keeper));
    [Some(("daemon", roles.daemon)), keeper]
        .into_iter()
        .flatten()
        .find_map(|(role, who)| {
            let how = hanging(who)?;
            Some(format!("the {role} (pid {}) is {how}", who.pid))
        })
}

/// What is known of the roles and of what was asked about, without the daemon.
pub(super) fn last_known(paths: &Paths, target: &str, body: Option<&[u8]>) -> String {
    let Ok(contents) = Table::read(&paths.table()) else {
        return "no answer in time".into();
    };
    let daemon = contents.roles.daemon;
    let role = hung_role(paths).unwrap_or_else(|| match procfs::state(daemon.pid) {
        Some(state) if daemon.is_alive() => {
            format!(
                "the daemon (pid {}) does not answer (state {state})",
                daemon.pid
            )
        }
        Some(_) | None => "no daemon has taken over yet".into(),
    });
    let rows = rows(&contents, paths, &selection(target, body));
    if rows.is_empty() {
        return role;
    }
    let more = rows.len().saturating_sub(NAMED);
    let named: Vec<&str> = rows.iter().take(NAMED).map(String::as_str).collect();
    let mut text = format!("{role}; without it: {}", named.join(", "));
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// What a request was about; nothing in particular selects everything.
fn selection(target: &str, body: Option<&[u8]>) -> Vec<Selector> {
    let said = body
        .and_then(|body| serde_json::from_slice::<serde_json::Value>(body).ok())
        .and_then(|body| {
            let words = body.get("select")?.as_array()?.clone();
            let words = words.iter().filter_map(|word| word.as_str()?.parse().ok());
            Some(words.collect())
        });
    said.unwrap_or_else(|| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("select="));
        let named = path.strip_prefix("/api/processes/");
        let words = asked.or(named).unwrap_or("");
        let words = words.split(['/', ',']).filter(|word| !word.is_empty());
        words.filter_map(|word| word.parse().ok()).collect()
    })
}

type Known = (Namespace, ProcessName);

/// All instances with what they are called; their namespace and process where that is known.
fn labels<'a>(contents: &'a Contents, paths: &Paths) -> Vec<(&'a Entry, String, Option<Known>)> {
    let entries = contents.entries.iter();
    let named: Vec<_> = entries
        .map(|entry| (entry, name_of(entry, paths)))
        .collect();
    let label = |(entry, name): &(&'a Entry, Option<(Namespace, ProcessName, u32)>)| {
        let Some((namespace, process, index)) = name else {
            return (*entry, format!("instance {}", entry.key), None);
        };
        let siblings = named.iter().filter(|(_, other)| {
            let other = other.as_ref();
            other.is_some_and(|(n, p, _)| n == namespace && p == process)
        });
        let count = u32::try_from(siblings.count()).unwrap_or(1);
        let label = instance_label(process, *index, count);
        (*entry, label, Some((namespace.clone(), process.clone())))
    };
    named.iter().map(label).collect()
}

fn rows(contents: &Contents, paths: &Paths, selected: &[Selector]) -> Vec<String> {
    let mut rows = Vec::new();
    for (entry, label, known) in &labels(contents, paths) {
        let it = known.as_ref().map(|(namespace, process)| Candidate {
            id: entry.key,
            namespace,
            process,
            label,
            tags: &[],
            status: Status::Running,
        });
        let picked = |selector: &Selector| match selector.whole() {
            // The table does not know these: whoever asked for them is told of all.
            Selector::Tag(_) | Selector::Status(_) | Selector::Failed(_) => it.is_some(),
            Selector::All | Selector::Id(_) | Selector::Name { .. } | Selector::Glob { .. } => {
                it.as_ref().is_some_and(|it| selector.whole().matches(it))
            }
        };
        if selected.is_empty() || selected.iter().any(picked) {
            rows.push(row(label, entry));
        }
    }
    rows
}

/// Namespace, process and index, as the path of its log says them; none when the definition names another file.
fn name_of(entry: &Entry, paths: &Paths) -> Option<(Namespace, ProcessName, u32)> {
    let path = &entry.routes.as_ref()?.out.path;
    let mut parts = path.strip_prefix(&paths.logs).ok()?.iter();
    let mut part = || parts.next()?.to_str();
    let namespace = Namespace::new(part()?.to_owned()).ok()?;
    let process = ProcessName::new(part()?.to_owned()).ok()?;
    let index = part()?.split('.').next()?.parse().ok()?;
    Some((namespace, process, index))
}

fn runs(entry: &Entry) -> bool {
    matches!(entry.state, RunState::Forked | RunState::Executed)
        && procfs::is_alive(entry.pid, entry.start)
}

fn row(label: &str, entry: &Entry) -> String {
    match entry.state {
        RunState::Forked | RunState::Executed if runs(entry) => {
            format!("{label} runs (pid {})", entry.pid)
        }
        RunState::Forked | RunState::Executed => format!("{label} has ended"),
        RunState::Exited(exit) => format!("{label} has ended ({})", exit.ending),
        RunState::None | RunState::Reserved | RunState::Settled => format!("{label} does not run"),
    }
}

/// Main processes that run on although nobody keeps them, with the names of their instances: all of adasa was killed,
/// and no command has taken over since.
pub(super) fn left_running(paths: &Paths) -> Vec<(String, i32)> {
    let contents = Table::read(&paths.table()).unwrap_or_default();
    if contents.boot != boot_id() {
        return Vec::new();
    }
    let named = labels(&contents, paths).into_iter();
    let alive = named.filter(|(entry, _, _)| runs(entry));
    alive.map(|(entry, label, _)| (label, entry.pid)).collect()
}

/// Ends a daemon that does not answer; its keeper starts the next. The epoch that ends with it; none when no daemon
/// is known, or it may not be signalled.
pub(super) fn end_daemon(paths: &Paths) -> Option<u64> {
    let contents = Table::read(&paths.table()).ok()?;
    contents.roles.daemon.handle()?.send(Signal::KILL).ok()?;
    Some(contents.epoch)
}

/// Tells the keeper to end everything, which it does itself when the daemon does not; its pid.
pub(super) fn end_all(paths: &Paths) -> Option<i32> {
    let roles = Table::read(&paths.table()).unwrap_or_default().roles;
    let keeper = Some(roles.keeper).filter(|who| who.is_alive());
    let keeper = keeper.or_else(|| holder(paths, "adasa-keeper"))?;
    keeper.handle()?.send(Signal::TERM).ok()?;
    Some(keeper.pid)
}

/// Who has the lock of the state folder and is called so. It is asked of the kernel: the volatile folder may be gone,
/// and with it the socket and the table that say who the roles are.
pub(super) fn holder(paths: &Paths, called: &str) -> Option<Who> {
    let lock = std::fs::metadata(paths.lock()).ok()?;
    let is_it = |pid: &i32| {
        procfs::name(*pid).is_some_and(|name| name == called) && procfs::has_open(*pid, &lock)
    };
    procfs::all().into_iter().find(is_it).map(Who::of)
}

/// Kills the roles of a home that nobody can reach any more, and waits until they are gone; false when there are none.
/// What runs is left to whoever is next.
pub(super) fn end_unreachable(paths: &Paths) -> bool {
    // One that is only about to end takes its socket along as the last.
    let there = !paths.socket().exists();
    let Some(keeper) = holder(paths, "adasa-keeper").filter(|_| there) else {
        return false;
    };
    let handle = keeper.handle();
    if handle.is_none_or(|handle| handle.wait(LOOK).unwrap_or(true)) {
        return false;
    }
    let scribes = procfs::children(keeper.pid).into_iter();
    let scribes = scribes.filter(|pid| procfs::name(*pid).is_some_and(|it| it == "adasa-scribe"));
    let daemon = holder(paths, "adasa-daemon");
    let roles = [keeper]
        .into_iter()
        .chain(daemon)
        .chain(scribes.map(Who::of));
    let handles: Vec<_> = roles.filter_map(Who::handle).collect();
    // The keeper first: it would start the others again.
    for handle in &handles {
        let _ = handle.send(Signal::KILL);
    }
    for handle in &handles {
        let _ = handle.wait(UNREACHABLE);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_was_about_is_found_wherever_it_stands() {
        let words = |target: &str, body: Option<&str>| -> Vec<String> {
            selection(target, body.map(str::as_bytes))
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(words("/api/processes?select=web,3", None), ["web", "3"]);
        assert_eq!(words("/api/processes/web/runs?limit=1", None)[0], "web");
        let body = r#"{"operation":"x","verb":"stop","select":["web-0","tag:a"]}"#;
        let target = "/api/operations?wait_ms=400";
        assert_eq!(words(target, Some(body)), ["web-0", "tag:a"]);
        assert!(words("/api/daemon", None).is_empty());
    }
}
