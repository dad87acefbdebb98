//! Connecting, and typed calls.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::os::fd::AsFd as _;

use crate::api::{
    ApiError, Applied, Apply, Code, DaemonInfo, Define, Detail, Down, InstanceView, OperationView,
    READ_ONLY, ServerControl,
};
use crate::keeper::table::Table;
use crate::platform::folder;
use crate::platform::paths::Paths;

use super::error::ClientError;
use super::http::{Response, exchange, quote};
use super::launch::{LaunchError, launch, lease};
use super::stream::Events;

/// How long a daemon that is being started, or is replaced, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an answer may take beyond what was asked to be waited for.
const ANSWER: Duration = Duration::from_secs(5);

/// Whether a daemon was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It ran already.
    No,
    /// This client started it.
    Yes,
}

/// Talks to the daemon of this user (or of `ADASA_HOME`).
#[derive(Debug, Clone)]
pub struct Client {
    paths: Paths,
    autostart: bool,
    /// Whether it only looks.
    read_only: bool,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    error: Option<ApiError>,
}

impl Client {
    /// A client that starts a daemon when none runs, or does not.
    ///
    /// # Errors
    /// When the folders cannot be found or made.
    pub fn new(autostart: bool) -> Result<Self, ClientError> {
        Ok(Self {
            paths: Paths::find().map_err(ClientError::Folders)?,
            autostart,
            read_only: false,
        })
    }

    /// Where everything lies.
    #[must_use]
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The same, that starts no daemon.
    #[must_use]
    pub fn without_autostart(&self) -> Self {
        Self {
            autostart: false,
            ..self.clone()
        }
    }

    /// The same, that only looks: it says so with each request, and the daemon refuses every change.
    #[must_use]
    pub fn read_only(&self) -> Self {
        Self {
            read_only: true,
            ..self.clone()
        }
    }

    /// Connects if a daemon is there.
    fn try_connect(&self) -> Result<Option<UnixStream>, ClientError> {
        let socket = self.paths.socket();
        let failed = |source| ClientError::Socket {
            socket: socket.clone(),
            source,
        };
        let (address, _folder) = folder::socket_address(&socket).map_err(failed)?;
        match UnixStream::connect(address) {
            Ok(stream) => Ok(Some(stream)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes sure that a daemon runs, and says whether it had to be started.
    ///
    /// # Errors
    /// When none runs and none can be started.
    pub fn ensure(&self) -> Result<Started, ClientError> {
        if self.try_connect()?.is_some() {
            return Ok(Started::No);
        }
        self.start().map(|(_, started)| started)
    }

    /// As [`Self::ensure`], or only a look when none is to be started.
    ///
    /// # Errors
    /// As [`Self::ensure`]; [`ClientError::NoDaemon`] when none runs and none is to be started.
    pub fn ensure_as(&self, only_look: bool) -> Result<Started, ClientError> {
        if only_look || !self.autostart {
            return match self.try_connect()? {
                Some(_) => Ok(Started::No),
                None => Err(ClientError::NoDaemon {
                    socket: self.paths.socket(),
                }),
            };
        }
        self.ensure()
    }

    fn connect(&self) -> Result<UnixStream, ClientError> {
        if let Some(stream) = self.try_connect()? {
            return Ok(stream);
        }
        if !self.autostart {
            return Err(ClientError::NoDaemon {
                socket: self.paths.socket(),
            });
        }
        self.start().map(|(stream, _)| stream)
    }

    /// Starts a keeper, or waits for whoever does.
    fn start(&self) -> Result<(UnixStream, Started), ClientError> {
        let deadline = Instant::now() + PATIENCE;
        self.paths.make_volatile().map_err(ClientError::Folders)?;
        let watch = Watch::on(&self.paths.volatile);
        loop {
            if let Some(lease) = lease(&self.paths)? {
                launch(lease)?;
                if let Some(stream) = self.try_connect()? {
                    return Ok((stream, Started::Yes));
                }
            } else if let Some(stream) = self.try_connect()? {
                return Ok((stream, Started::No));
            }
            if Instant::now() >= deadline {
                return Err(ClientError::Unresponsive(self.who_holds_the_lock()));
            }
            watch.wait(deadline);
        }
    }

    fn who_holds_the_lock(&self) -> String {
        // The kernel lists locks by inode; the table says who the keeper is only to its daemon.
        let inode = std::fs::metadata(self.paths.lock())
            .map(|m| std::os::unix::fs::MetadataExt::ino(&m))
            .unwrap_or(0);
        let holder = std::fs::read_to_string("/proc/locks")
            .ok()
            .and_then(|text| {
                text.lines()
                    .find(|line| line.contains("FLOCK") && line.contains(&format!(":{inode} ")))
                    .and_then(|line| line.split_ascii_whitespace().nth(4).map(str::to_owned))
            });
        let pid = holder.map_or_else(String::new, |pid| format!(" by pid {pid}"));
        format!(
            "{} is locked{pid}, and nobody listens on {}",
            self.paths.lock().display(),
            self.paths.socket().display()
        )
    }

    /// One request; what is not answered because the daemon was replaced meanwhile is asked again, which is safe for
    /// everything that carries an operation's id.
    pub(super) fn request(
        &self,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
        wait: Duration,
    ) -> Result<Response, ClientError> {
        let headers: Vec<_> = self
            .read_only
            .then_some((READ_ONLY, "1"))
            .into_iter()
            .collect();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let socket = self.connect()?;
            let timeout = Some(wait + ANSWER);
            let set = socket
                .set_read_timeout(timeout)
                .and_then(|()| socket.set_write_timeout(timeout));
            let result = set.and_then(|()| exchange(socket, method, target, body, &headers));
            match result {
                Ok(response) => return Ok(response),
                Err(error) if is_timeout(&error) => {
                    return Err(ClientError::Unresponsive(self.last_known()));
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(ClientError::Garbage(error.to_string()));
                }
                Err(error) => {
                    if let Ok(text) = std::fs::read_to_string(self.paths.start_error())
                        && self.try_connect()?.is_none()
                    {
                        return Err(LaunchError::Failed(text).into());
                    }
                    if Instant::now() >= deadline {
                        return Err(ClientError::Unresponsive(error.to_string()));
                    }
                }
            }
        }
    }

    /// What the keeper's table says while the daemon does not.
    fn last_known(&self) -> String {
        let Ok(contents) = Table::read(&self.paths.table()) else {
            return "no answer in time".into();
        };
        let live: Vec<String> = contents
            .entries
            .iter()
            .filter(|e| e.is_live())
            .map(|e| format!("instance {} pid {}", e.key, e.pid))
            .collect();
        format!(
            "no answer in time; the keeper has {} alive: {}",
            live.len(),
            live.join(", ")
        )
    }

    fn answer<T: DeserializeOwned>(mut response: Response) -> Result<T, ClientError> {
        let mut bytes = Vec::new();
        response
            .body
            .read_to_end(&mut bytes)
            .map_err(|e| ClientError::Garbage(e.to_string()))?;
        let envelope: Envelope<T> = serde_json::from_slice(&bytes)
            .map_err(|e| ClientError::Garbage(format!("{e} (status {})", response.status)))?;
        match envelope {
            Envelope {
                data: Some(data), ..
            } => Ok(data),
            Envelope {
                error: Some(error), ..
            } => Err(ClientError::Refused(error)),
            Envelope { .. } => Err(ClientError::Garbage("neither data nor error".into())),
        }
    }

    pub(super) fn get<T: DeserializeOwned>(
        &self,
        target: &str,
        wait: Duration,
    ) -> Result<T, ClientError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Self::answer(self.request("GET", target, None, wait)?) {
                // Its last moment, for its keeper was killed: whoever comes next answers.
                Err(ClientError::Refused(error))
                    if error.code == Code::ShuttingDown
                        && self.autostart
                        && Instant::now() < deadline =>
                {
                    std::thread::yield_now();
                }
                other => return other,
            }
        }
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        target: &str,
        body: &impl Serialize,
        wait: Duration,
    ) -> Result<T, ClientError> {
        let bytes = serde_json::to_vec(body).map_err(|e| ClientError::Garbage(e.to_string()))?;
        let response = self.request("POST", target, Some(&bytes), wait)?;
        match Self::answer(response) {
            // The daemon ended between taking the request and answering it: the next one knows the operation.
            Err(ClientError::Refused(error))
                if error.code == Code::ShuttingDown && self.autostart =>
            {
                std::thread::yield_now();
                Self::answer(self.request("POST", target, Some(&bytes), wait)?)
            }
            other => other,
        }
    }

    /// The daemon itself.
    ///
    /// # Errors
    /// As every call: see [`ClientError`].
    pub fn info(&self) -> Result<DaemonInfo, ClientError> {
        self.get("/api/daemon", Duration::ZERO)
    }

    /// Ends or replaces the daemon.
    ///
    /// # Errors
    /// As every call.
    pub fn control(&self, what: ServerControl) -> Result<(), ClientError> {
        self.post::<bool>("/api/daemon", &what, Duration::ZERO)
            .map(|_| ())
    }

    /// Rows.
    ///
    /// # Errors
    /// As every call.
    pub fn list(&self, select: &[String]) -> Result<Vec<InstanceView>, ClientError> {
        self.get(
            &format!("/api/processes?select={}", quote(&select.join(","))),
            Duration::ZERO,
        )
    }

    /// Everything about some instances.
    ///
    /// # Errors
    /// As every call.
    pub fn detail(&self, select: &[String]) -> Result<Vec<Detail>, ClientError> {
        self.get(
            &format!("/api/processes/{}", quote(&select.join(","))),
            Duration::ZERO,
        )
    }

    /// Defines and starts a process.
    ///
    /// # Errors
    /// As every call.
    pub fn define(&self, define: &Define, wait: Duration) -> Result<OperationView, ClientError> {
        self.post(&waiting("/api/processes", wait), define, wait)
    }

    /// Brings a file in force.
    ///
    /// # Errors
    /// As every call.
    pub fn apply(&self, apply: &Apply, wait: Duration) -> Result<Applied, ClientError> {
        self.post(&waiting("/api/apply", wait), apply, wait)
    }

    /// Deletes what a file brought up.
    ///
    /// # Errors
    /// As every call.
    pub fn down(&self, down: &Down, wait: Duration) -> Result<Applied, ClientError> {
        self.post(&waiting("/api/down", wait), down, wait)
    }

    /// Empties or rotates logs; the files.
    ///
    /// # Errors
    /// As every call.
    pub fn tend_logs(&self, act: &str, select: &[String]) -> Result<Vec<String>, ClientError> {
        let body = serde_json::json!({ "select": select });
        self.post(&format!("/api/logs/{act}"), &body, Duration::ZERO)
    }

    /// Everything, and what happens from now on.
    ///
    /// # Errors
    /// As every call.
    pub fn events(&self) -> Result<Events, ClientError> {
        let response = self.request("GET", "/api/events", None, Duration::ZERO)?;
        if response.status == 200 {
            return Events::new(response.body);
        }
        Err(refusal(response))
    }
}

pub(super) fn refusal(response: Response) -> ClientError {
    match Client::answer::<serde_json::Value>(response) {
        Ok(_) => ClientError::Garbage("an unexpected answer".into()),
        Err(error) => error,
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

pub(super) fn waiting(target: &str, wait: Duration) -> String {
    format!("{target}?wait_ms={}", wait.as_millis())
}

/// Wakes when something appears in a folder: the socket of a daemon that somebody else starts.
struct Watch(Option<Inotify>);

impl Watch {
    fn on(folder: &Path) -> Self {
        let made = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok();
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_ATTRIB;
        Self(made.filter(|watch| watch.add_watch(folder, flags).is_ok()))
    }

    /// At most 50 ms, for the lock may also be let go without a trace.
    fn wait(&self, deadline: Instant) {
        let left = deadline
            .saturating_duration_since(Instant::now())
            .min(Duration::from_millis(50));
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        match &self.0 {
            Some(watch) => {
                let _ = poll(
                    &mut [PollFd::new(watch.as_fd(), PollFlags::POLLIN)],
                    timeout,
                );
                let _ = watch.read_events();
            }
            None => {
                let _ = poll(&mut [], timeout);
            }
        }
    }
}

#[cfg(test)]
mod tests {

    #[test]
    fn operation_ids_are_distinct() {
        let ids: std::collections::HashSet<_> =
            (0..100).map(|_| super::super::operation_id()).collect();
        assert_eq!(ids.len(), 100);
    }
}
