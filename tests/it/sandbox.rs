//! A folder of its own with a daemon of its own: runs the real binary, waits by happening, and leaves nothing behind.

mod kernel;
mod output;
mod running;
mod wait;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use serde_json::Value;

pub(crate) use kernel::{Known, below, describe, marked, stat, watch};
pub(crate) use output::Output;
pub(crate) use running::{Running, spawn};
pub(crate) use wait::LIMIT;

/// The binary under test.
pub(crate) const ADASA: &str = env!("CARGO_BIN_EXE_adasa");

/// One folder, one daemon.
#[derive(Debug)]
pub(crate) struct Sandbox {
    root: PathBuf,
    seen: Mutex<BTreeSet<Known>>,
    places: Mutex<Option<Places>>,
    /// Whether what a daemon says of pids is about another namespace: here those numbers are of somebody else.
    elsewhere: bool,
}

#[derive(Debug, Clone)]
struct Places {
    socket: PathBuf,
    volatile: PathBuf,
    control_group: Option<PathBuf>,
}

/// Code and signal of a row's last end; a row may say more of it.
#[track_caller]
pub(crate) fn exit(row: &Value) -> Value {
    let exit = row["exit"].as_object();
    let exit = exit.unwrap_or_else(|| panic!("no end in {row}"));
    serde_json::json!({"code": exit["code"], "signal": exit["signal"]})
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("adasa{}.{n}_", std::process::id());
            let root = std::env::temp_dir().join(name);
            if DirBuilder::new().mode(0o700).create(&root).is_ok() {
                return Self {
                    root,
                    seen: Mutex::default(),
                    places: Mutex::default(),
                    elsewhere: false,
                };
            }
            assert!(n < 100_000, "no folder can be made in the temp folder");
        }
    }

    /// One whose daemon runs in a pid namespace of its own.
    pub(crate) fn elsewhere() -> Self {
        let mut made = Self::new();
        made.elsewhere = true;
        made
    }

    /// The folder; the caller's HOME and working folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// ADASA_HOME.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        self.file_mode(name, text, 0o644)
    }

    /// Writes an executable `sh` script.
    pub(crate) fn script(&self, name: &str, body: &str) -> String {
        let path = self.file_mode(name, format!("#!/bin/sh\n{body}\n"), 0o755);
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn file_mode(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _no_fork = running::writing();
        let _ = fs::remove_file(&path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let mut file = options.open(&path).unwrap();
        file.write_all(text.as_ref()).unwrap();
        path
    }

    /// Makes a FIFO and holds it open in both directions: a child's `read x <FIFO` waits for a line from here.
    pub(crate) fn fifo(&self, name: &str) -> Fifo {
        let path = self.path(name);
        nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(&path);
        Fifo(file.unwrap())
    }

    /// What is in a file of the folder; empty when there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The binary with nothing of the tests' environment but PATH; HOME is the folder, which marks all that comes of it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(ADASA);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.root)
            .env("ADASA_HOME", self.home())
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }

    /// `start PROGRAM --name NAME FLAGS…`, which succeeds.
    #[track_caller]
    pub(crate) fn start(&self, name: &str, program: &str, flags: &[&str]) {
        let mut args = vec!["start", program, "--name", name];
        args.extend(flags);
        let _ = self.run(&args).stderr("").stdout_has(name).success();
        let _ = self.rows();
    }

    /// The same for a program that may be over before it can be seen to run.
    #[track_caller]
    pub(crate) fn launch(&self, name: &str, program: &str, flags: &[&str]) {
        let mut args = vec!["start", program, "--name", name];
        args.extend(flags);
        let output = self.run(&args);
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{output}");
    }

    #[must_use]
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.spawn(args).output()
    }

    #[must_use]
    #[track_caller]
    pub(crate) fn run_in(&self, folder: impl AsRef<Path>, args: &[&str]) -> Output {
        let mut command = self.command();
        command.args(args).current_dir(folder);
        spawn(command).output()
    }

    /// Runs with further environment variables.
    #[must_use]
    #[track_caller]
    pub(crate) fn run_with(&self, env: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = self.command();
        command.args(args).envs(env.iter().copied());
        spawn(command).output()
    }

    /// Starts a command and lets it run beside the test.
    #[must_use]
    #[track_caller]
    pub(crate) fn spawn(&self, args: &[&str]) -> Running {
        let mut command = self.command();
        command.args(args);
        spawn(command)
    }

    /// `list --json`; every pid in it is seen to be gone in the end.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Value> {
        let listed = self.run(&["list", "--json"]).success().json();
        let rows = listed.as_array().expect("list --json is an array").clone();
        for row in &rows {
            self.see(row["pid"].as_i64());
        }
        rows
    }

    #[track_caller]
    pub(crate) fn find_row(&self, name: &str) -> Option<Value> {
        self.rows().into_iter().find(|row| row["name"] == name)
    }

    #[track_caller]
    pub(crate) fn row(&self, name: &str) -> Value {
        self.find_row(name)
            .unwrap_or_else(|| panic!("{name} is not in the list"))
    }

    /// The status word of an instance.
    #[track_caller]
    pub(crate) fn status(&self, name: &str) -> String {
        self.row(name)["status"].as_str().unwrap().to_owned()
    }

    /// The pid of an instance that has one.
    #[track_caller]
    pub(crate) fn pid(&self, name: &str) -> i32 {
        let row = self.row(name);
        let pid = row["pid"].as_i64();
        i32::try_from(pid.unwrap_or_else(|| panic!("{name} has no pid: {row}"))).unwrap()
    }

    /// The process of an instance, told apart from later ones with its number.
    #[track_caller]
    pub(crate) fn known(&self, name: &str) -> Known {
        let pid = self.pid(name);
        Known::of(pid).unwrap_or_else(|| panic!("pid {pid} of {name} is not alive"))
    }

    /// Remembers a pid that must be gone in the end.
    pub(crate) fn see(&self, pid: Option<i64>) {
        let pid = pid.filter(|_| !self.elsewhere);
        let known = pid.and_then(|pid| Known::of(i32::try_from(pid).ok()?));
        lock(&self.seen).extend(known);
    }

    /// `daemon status --json`, without starting one.
    #[must_use]
    #[track_caller]
    pub(crate) fn daemon_status(&self) -> Option<Value> {
        let output = self.run(&["daemon", "status", "--json"]);
        output.status.success().then(|| {
            let status = output.json();
            for key in ["pid", "keeper_pid", "scribe_pid"] {
                self.see(status[key].as_i64());
            }
            let place = |key: &str| PathBuf::from(status[key].as_str().unwrap_or_default());
            *lock(&self.places) = Some(Places {
                socket: place("socket"),
                volatile: place("volatile_dir"),
                control_group: status["control_group"].as_str().map(PathBuf::from),
            });
            status
        })
    }

    /// One of `pid`, `keeper_pid`, `scribe_pid` of the daemon that runs.
    #[track_caller]
    pub(crate) fn role(&self, key: &str) -> Known {
        let status = self.daemon_status().expect("a daemon runs");
        let pid = status[key]
            .as_i64()
            .unwrap_or_else(|| panic!("{key} in {status}"));
        Known::of(i32::try_from(pid).unwrap()).unwrap_or_else(|| panic!("{key} {pid} is not alive"))
    }

    /// The daemon's socket; one must have run.
    #[track_caller]
    pub(crate) fn socket(&self) -> PathBuf {
        self.place().expect("a daemon runs").socket
    }

    fn place(&self) -> Option<Places> {
        if lock(&self.places).is_none() {
            let _ = self.daemon_status();
        }
        lock(&self.places).clone()
    }

    /// Processes of the binary that belong to this sandbox, commands included.
    pub(crate) fn adasas(&self) -> Vec<Known> {
        let exe = fs::canonicalize(ADASA).unwrap();
        let is_adasa =
            |k: &Known| fs::read_link(format!("/proc/{}/exe", k.pid)).is_ok_and(|e| e == exe);
        marked(self.mark()).into_iter().filter(is_adasa).collect()
    }

    fn mark(&self) -> &str {
        self.root.to_str().unwrap()
    }

    /// The list, the end of the daemon's log and the processes, for the reader of a failure.
    pub(crate) fn picture(&self) -> String {
        let (list, _) = running::quick(self.command().args(["--no-autostart", "list"]));
        let log = fs::read(self.home().join("logs/daemon.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(60)..].join("\n");
        let tree: Vec<_> = self.left().iter().map(|k| describe(k.pid)).collect();
        let tree = tree.join("\n");
        format!("--- list\n{list}\n--- daemon.log\n{tail}\n--- processes\n{tree}\n---")
    }

    /// Every live process that came of this sandbox.
    pub(crate) fn left(&self) -> BTreeSet<Known> {
        let mut all: BTreeSet<_> = marked(self.mark()).into_iter().collect();
        all.extend(lock(&self.seen).iter().filter(|k| k.is_alive()));
        all
    }

    /// Freezes, then kills, until nothing is left.
    fn raze(&self) -> bool {
        for _ in 0..100 {
            let left = self.left();
            if left.is_empty() {
                return true;
            }
            for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
                left.iter().for_each(|known| known.signal(signal));
            }
            let deadline = Instant::now() + Duration::from_secs(5);
            left.iter().all(|known| known.is_gone_by(deadline));
        }
        false
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let failing = std::thread::panicking();
        let mut complaint = None;
        if failing {
            println!("{}", self.picture());
        }
        let (status, _) = running::quick(self.command().args(["daemon", "status", "--json"]));
        let places = lock(&self.places).clone();
        let mut group = places.and_then(|places| places.control_group);
        if let Ok(status) = serde_json::from_str::<Value>(&status)
            && let Some(volatile) = status["volatile_dir"].as_str()
        {
            group = status["control_group"].as_str().map(PathBuf::from);
            for key in ["pid", "keeper_pid", "scribe_pid"] {
                self.see(status[key].as_i64());
            }
            let keeper = status["keeper_pid"].as_i64().filter(|_| !self.elsewhere);
            let keeper = keeper.unwrap_or(0);
            let keeper = i32::try_from(keeper).unwrap_or(0);
            lock(&self.seen).extend(if keeper > 1 { below(keeper) } else { vec![] });
            if !failing {
                let (said, how) = running::quick(self.command().args(["daemon", "stop"]));
                let left: Vec<_> = self.left().iter().map(|k| describe(k.pid)).collect();
                if !left.is_empty() {
                    let left = left.join("\n");
                    complaint = Some(format!("left by daemon stop ({said:?}, {how}):\n{left}"));
                } else if group.as_ref().is_some_and(|path| path.exists()) {
                    complaint = Some(format!("left by daemon stop: {group:?}"));
                }
            }
            let _ = fs::remove_dir_all(volatile);
        }
        let razed = self.raze();
        if let Some(group) = group {
            kernel::remove_group(&group);
        }
        if let Some(places) = lock(&self.places).take() {
            let _ = fs::remove_dir_all(places.volatile);
        }
        let _ = fs::remove_dir_all(&self.root);
        if !failing {
            assert!(razed, "what SIGKILL does not end is left");
            assert!(complaint.is_none(), "{}", complaint.unwrap_or_default());
        }
    }
}

/// A FIFO held open by the test.
#[derive(Debug)]
pub(crate) struct Fifo(File);

impl Fifo {
    /// One line, for one reader.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.0, "{line}").unwrap();
    }
}
