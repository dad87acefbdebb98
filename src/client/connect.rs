//! Connecting, and typed calls.

use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::api::{
    ApiError, Applied, Apply, CLIENT, Code, DaemonInfo, Define, Detail, Down, Face, InstanceView,
    LAST_EVENT_ID, OperationView, READ_ONLY, ServerControl, Who,
};
use crate::keeper::table::Table;
use crate::platform::folder;
use crate::platform::paths::Paths;
use crate::platform::users;

use super::error::ClientError;
use super::http::{Response, exchange, quote};
use super::launch::{LaunchError, launch, lease};
use super::silence;
use super::stream::Events;
use super::watch::Watch;

/// How long a daemon that is being started, or is replaced, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a service manager has to start the next keeper before a client does: it waits 0.1 s by our unit.
const SERVICE: Duration = Duration::from_secs(2);
/// How long a request is repeated to daemons that die while they have it, beyond what it asked to wait.
const DEATHS: Duration = Duration::from_secs(20);
/// How long an answer may take beyond what was asked to be waited for.
const ANSWER: Duration = Duration::from_secs(5);
/// How long another build may take to show that it can take over.
const CANDIDATE: Duration = Duration::from_secs(11);
/// How long a request may take to be taken.
const TAKEN: Duration = Duration::from_millis(1_900);

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
    /// What it says of itself.
    introduction: Option<String>,
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
            introduction: None,
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

    /// The same, that says what it is: kind, terminal, and where the line comes from.
    #[must_use]
    pub fn introduced_as(&self, face: Face) -> Self {
        let tty = users::terminal();
        let ssh = std::env::var("SSH_CONNECTION").unwrap_or_default();
        let from = ssh.split(' ').next().filter(|from| !from.is_empty());
        Self {
            introduction: Some(Who::introduction(face, tty.as_deref(), from)),
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

    /// Starts a keeper, or waits for whoever does. One that was killed and that a service manager starts again is
    /// waited for: a keeper of ours would be outside of the unit, and in the way of its next one.
    fn start(&self) -> Result<(UnixStream, Started), ClientError> {
        let begin = Instant::now();
        let deadline = begin + PATIENCE;
        self.paths.make_volatile().map_err(ClientError::Folders)?;
        let watch = Watch::on(&self.paths.volatile);
        let others_turn = self.paths.restarted().exists().then(|| begin + SERVICE);
        loop {
            if let Some(turn) = others_turn
                && Instant::now() < turn
            {
                if let Some(stream) = self.try_connect()? {
                    return Ok((stream, Started::No));
                }
            } else if let Some(lease) = lease(&self.paths)? {
                launch(lease)?;
                if let Some(stream) = self.try_connect()? {
                    return Ok((stream, Started::Yes));
                }
            } else if let Some(stream) = self.try_connect()? {
                return Ok((stream, Started::No));
            }
            if Instant::now() >= deadline {
                return Err(ClientError::Unreachable(self.who_holds_the_lock()));
            }
            watch.wait(deadline);
        }
    }

    fn who_holds_the_lock(&self) -> String {
        let roles = Table::read(&self.paths.table()).unwrap_or_default().roles;
        // The daemon holds it too, as the keeper's heir.
        let holder = [roles.keeper, roles.daemon]
            .into_iter()
            .find(|who| who.is_alive())
            .or_else(|| silence::holder(&self.paths, "adasa-keeper"));
        let pid = holder.map_or_else(String::new, |who| format!(" by pid {}", who.pid));
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
        self.request_with(method, target, body, wait, None)
    }

    /// The same, with another header.
    fn request_with(
        &self,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
        wait: Duration,
        header: Option<(&str, &str)>,
    ) -> Result<Response, ClientError> {
        let looks = self.read_only.then_some((READ_ONLY, "1"));
        let is = self.introduction.as_deref().map(|it| (CLIENT, it));
        let headers: Vec<_> = looks.into_iter().chain(is).chain(header).collect();
        let deadline = Instant::now() + wait + DEATHS;
        loop {
            let socket = self.connect()?;
            let set = socket
                .set_read_timeout(Some(wait + ANSWER))
                .and_then(|()| socket.set_write_timeout(Some(TAKEN)));
            let answered =
                |socket: &UnixStream| silence::wait_for_answer(socket, &self.paths, wait, ANSWER);
            let result =
                set.and_then(|()| exchange(socket, method, target, body, &headers, answered));
            match result {
                Ok(response) => return Ok(response),
                Err(error) if is_timeout(&error) => {
                    let known = silence::last_known(&self.paths, target, body);
                    return Err(ClientError::Unresponsive(known));
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

    /// Ends a daemon that does not answer, so that its keeper starts the next; the epoch that ends with it.
    #[must_use]
    pub fn end_hung_daemon(&self) -> Option<u64> {
        silence::end_daemon(&self.paths)
    }

    /// Kills a keeper and its roles that nobody can reach, because the folder of their socket was removed. What they
    /// keep goes on, and whoever is next takes it over. False when there is no such keeper.
    #[must_use]
    pub fn end_unreachable(&self) -> bool {
        silence::end_unreachable(&self.paths)
    }

    /// Tells the keeper, past a daemon that does not answer, to end everything; the keeper's pid.
    #[must_use]
    pub fn end_past_daemon(&self) -> Option<i32> {
        silence::end_all(&self.paths)
    }

    /// The instances that run on, with the pids of their main processes, although all of adasa was killed and no command
    /// has taken over since.
    #[must_use]
    pub fn left_running(&self) -> Vec<(String, i32)> {
        silence::left_running(&self.paths)
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
        // Another build is run once before anything is changed.
        let wait = match what {
            ServerControl::Upgrade { .. } => CANDIDATE,
            ServerControl::Stop | ServerControl::Restart | ServerControl::MarkTransient => {
                Duration::ZERO
            }
        };
        self.post::<bool>("/api/daemon", &what, wait).map(|_| ())
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
        self.events_after(None)
    }

    /// What happened after the event of this id, and what happens from now on; everything first, after
    /// [`crate::api::Push::Resync`], where the daemon does not keep that any more.
    ///
    /// # Errors
    /// As every call.
    pub fn events_after(&self, last: Option<&str>) -> Result<Events, ClientError> {
        let header = last.map(|id| (LAST_EVENT_ID, id));
        let response = self.request_with("GET", "/api/events", None, Duration::ZERO, header)?;
        if response.status == 200 {
            return Events::new(response.body, last.map(str::to_owned));
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

#[cfg(test)]
mod tests {

    #[test]
    fn operation_ids_are_distinct() {
        let ids: std::collections::HashSet<_> =
            (0..100).map(|_| super::super::operation_id()).collect();
        assert_eq!(ids.len(), 100);
    }
}
