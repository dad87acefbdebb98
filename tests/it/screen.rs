//! A terminal for the dashboard: a pty with a size, a program as its session leader, and an eye on what it draws.
//! Everything waits by event: a reader thread feeds the picture and wakes whoever waits for it.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::termios::{Termios, tcgetattr};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::sandbox::{below, stat};

/// How long anything on the screen may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// A wait looks again at least this often: a condition may also depend on the world outside the screen.
const GLANCE: Duration = Duration::from_millis(200);

/// What a frame is written between: terminals show it whole (mode 2026).
const FRAME: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");

/// What the reader thread has seen so far.
struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    /// How much of it is on the screen.
    shown: usize,
    ended: bool,
}

impl Seen {
    /// Shows what came but for a frame that is not whole: nobody sees half a picture.
    fn show(&mut self) {
        let new = &self.raw[self.shown..];
        let last = |of: &[u8]| new.windows(of.len()).rposition(|window| window == of);
        let whole = match (last(FRAME.0), last(FRAME.1)) {
            _ if self.ended => new.len(),
            (Some(begin), end) if end.is_none_or(|end| end < begin) => begin,
            (Some(_) | None, _) => {
                let begun = (1..FRAME.0.len()).rfind(|n| new.ends_with(&FRAME.0[..*n]));
                new.len() - begun.unwrap_or(0)
            }
        };
        self.parser.process(&new[..whole]);
        self.shown += whole;
    }
}

struct Eye {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Eye {
    fn look(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Screen {
    child: Child,
    exit: Option<ExitStatus>,
    spent: Duration,
    master: Option<Arc<OwnedFd>>,
    slave: Option<File>,
    eye: Arc<Eye>,
    reader: Option<JoinHandle<()>>,
    stop_reader: Option<PipeWriter>,
}

impl Screen {
    /// Runs `command` as the leader of a new session whose controlling terminal is a fresh pty of `size` (columns, rows).
    pub(crate) fn open(mut command: Command, size: (u16, u16)) -> Screen {
        let master =
            posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a pty");
        grantpt(&master).expect("grantpt");
        unlockpt(&master).expect("unlockpt");
        let path = ptsname_r(&master).expect("the name of the pty");
        let master = Arc::new(OwnedFd::from(master));
        set_size(&master, size);
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open(path)
            .expect("the terminal side of the pty");

        let end = || Stdio::from(slave.try_clone().expect("a copy of the terminal"));
        command.stdin(end()).stdout(end()).stderr(end());
        become_session_leader(&mut command);
        let child = command.spawn().expect("the program on the pty");

        let eye = Arc::new(Eye {
            seen: Mutex::new(Seen {
                parser: parser(size),
                raw: Vec::new(),
                shown: 0,
                ended: false,
            }),
            changed: Condvar::new(),
        });
        let (stopped, stop_reader) = io::pipe().expect("a pipe");
        let reader = std::thread::spawn({
            let (eye, master) = (Arc::clone(&eye), Arc::clone(&master));
            move || read_all(&master, &stopped, &eye)
        });
        Screen {
            child,
            exit: None,
            spent: Duration::ZERO,
            master: Some(master),
            slave: Some(slave),
            eye,
            reader: Some(reader),
            stop_reader: Some(stop_reader),
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    /// Types.
    pub(crate) fn keys(&self, keys: &str) {
        let master = self.master.as_ref().expect("a terminal that is still open");
        let mut file = File::from(master.try_clone().expect("a copy of the pty"));
        file.write_all(keys.as_bytes()).expect("keys written");
    }

    /// Waits until the text on the screen is as wanted, and returns it.
    #[track_caller]
    pub(crate) fn until(&self, wanted: impl FnMut(&str) -> bool) -> String {
        self.within(PATIENCE, wanted)
    }

    /// The same within a time that is part of what is promised.
    #[track_caller]
    pub(crate) fn within(&self, time: Duration, wanted: impl FnMut(&str) -> bool) -> String {
        match self.seen_within(time, wanted) {
            Ok(text) => text,
            Err(text) => panic!(
                "not on the screen after {time:?}; the screen is:\n{text}\n--- end of screen"
            ),
        }
    }

    /// Looks for at most `time`; the last text either way.
    pub(crate) fn seen_within(
        &self,
        time: Duration,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<String, String> {
        let deadline = Instant::now() + time;
        let mut seen = self.eye.look();
        loop {
            let text = text_of(seen.parser.screen());
            drop(seen);
            if wanted(&text) {
                return Ok(text);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(text);
            }
            seen = self.eye.look();
            if text_of(seen.parser.screen()) == text {
                seen = self
                    .eye
                    .changed
                    .wait_timeout(seen, left.min(GLANCE))
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
    }

    /// Waits until the bytes written so far are as wanted.
    #[track_caller]
    pub(crate) fn until_raw(&self, mut wanted: impl FnMut(&[u8]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.eye.look();
        while !wanted(&seen.raw) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "never written; the screen is:\n{}",
                text_of(seen.parser.screen())
            );
            seen = self
                .eye
                .changed
                .wait_timeout(seen, left.min(GLANCE))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// The text on the screen now, one line per row, without trailing blanks.
    pub(crate) fn text(&self) -> String {
        text_of(self.eye.look().parser.screen())
    }

    /// Every byte that was written to the terminal.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.eye.look().raw.clone()
    }

    /// The state of the emulated terminal: modes, cursor, cells.
    pub(crate) fn terminal<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.eye.look().parser.screen())
    }

    pub(crate) fn resize(&self, size: (u16, u16)) {
        let master = self.master.as_ref().expect("a terminal that is still open");
        let (columns, rows) = at_least_two(size);
        self.eye.look().parser.screen_mut().set_size(rows, columns);
        set_size(master, size);
    }

    /// The line settings of the terminal as they are now.
    pub(crate) fn termios(&self) -> Termios {
        tcgetattr(self.slave.as_ref().expect("a terminal that is still open")).expect("termios")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("a signal to the program");
    }

    /// A signal to the program and all that it started on this terminal.
    pub(crate) fn signal_all(&self, signal: Signal) {
        killpg(Pid::from_raw(self.pid()), signal).expect("a signal to the group");
    }

    /// Waits for the program to end, without letting go of the terminal.
    #[track_caller]
    pub(crate) fn ended_within(&mut self, time: Duration) -> ExitStatus {
        if let Some(exit) = self.exit {
            return exit;
        }
        let (gone, news) = mpsc::channel();
        let pid = Pid::from_raw(self.pid());
        std::thread::spawn(move || {
            let result = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
            gone.send(result.is_ok()).ok();
        });
        let ended = news.recv_timeout(time);
        assert!(
            ended.is_ok(),
            "still running after {time:?}; the screen is:\n{}",
            self.text()
        );
        // The kernel keeps the account of one that ended until it is waited for.
        self.spent = account(self.pid());
        let exit = self.child.wait().expect("an exit status");
        self.exit = Some(exit);
        exit
    }

    /// The processor time of the program and of what it started, as far as that was waited for when it ended.
    pub(crate) fn processor_time(&self) -> Duration {
        if self.exit.is_some() {
            return self.spent;
        }
        let below = below(self.pid());
        let theirs: Duration = below.iter().map(|known| account(known.pid)).sum();
        theirs + account(self.pid())
    }

    /// Waits for the end and for the last byte: afterwards `raw` and `text` are final and the terminal is let go.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        let exit = self.ended_within(PATIENCE);
        self.slave = None;
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.eye.look();
        while !seen.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the program ended but something still holds its terminal"
            );
            seen = self
                .eye
                .changed
                .wait_timeout(seen, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(seen);
        exit
    }

    /// The line is cut: the other end of the terminal closes.
    pub(crate) fn hang_up(&mut self) {
        self.stop_reader = None;
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
        self.slave = None;
        self.master = None;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.exit.is_none() {
            let pid = Pid::from_raw(self.pid());
            killpg(pid, Signal::SIGKILL).ok();
            kill(pid, Signal::SIGKILL).ok();
            self.child.wait().ok();
        }
        self.hang_up();
    }
}

/// The processor time of one process and of the children that it has waited for.
fn account(pid: i32) -> Duration {
    let fields = stat(pid).unwrap_or_default();
    let ticks = fields.get(11..15).unwrap_or_default().iter();
    let ticks: u64 = ticks.map(|field| field.parse().unwrap_or(0)).sum();
    Duration::from_millis(ticks * 10)
}

fn parser(size: (u16, u16)) -> vt100::Parser {
    let (columns, rows) = at_least_two(size);
    vt100::Parser::new(rows, columns, 0)
}

/// The emulator does not know a grid of one cell; the pty itself has the true size.
fn at_least_two((columns, rows): (u16, u16)) -> (u16, u16) {
    (columns.max(2), rows.max(2))
}

fn text_of(screen: &vt100::Screen) -> String {
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen
        .rows(0, columns)
        .map(|row| row.trim_end().to_owned())
        .collect();
    rows.join("\n")
}

fn read_all(master: &OwnedFd, stopped: &PipeReader, eye: &Eye) {
    let mut file = File::from(master.try_clone().expect("a copy of the pty"));
    let mut buffer = [0_u8; 16 * 1024];
    loop {
        let mut fds = [
            PollFd::new(master.as_fd(), PollFlags::POLLIN),
            PollFd::new(stopped.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => panic!("poll on the pty: {error}"),
        }
        if fds[1].any() == Some(true) {
            return;
        }
        if fds[0].any() != Some(true) {
            continue;
        }
        let got = file.read(&mut buffer).unwrap_or(0);
        let mut seen = eye.look();
        seen.ended = got == 0;
        seen.raw.extend_from_slice(&buffer[..got]);
        seen.show();
        let ended = seen.ended;
        drop(seen);
        eye.changed.notify_all();
        if ended {
            return;
        }
    }
}

#[allow(unsafe_code)]
mod ioctl {
    nix::ioctl_write_ptr_bad!(set_window_size, nix::libc::TIOCSWINSZ, nix::pty::Winsize);
}

#[allow(unsafe_code)]
fn set_size(master: &OwnedFd, (columns, rows): (u16, u16)) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the descriptor is an open pty and the pointer is to a whole `winsize` that outlives the call.
    unsafe { ioctl::set_window_size(master.as_raw_fd(), &raw const size) }
        .expect("the window size");
}

#[allow(unsafe_code)]
fn become_session_leader(command: &mut Command) {
    // SAFETY: between fork and exec only two system calls are made; neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            if libc::ioctl(0, libc::TIOCSCTTY as _, 0) < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
    }
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[test]
fn a_program_on_the_pty_is_seen_heard_resized_and_waited_for() {
    let script = "trap 'stty size; exit 3' WINCH; stty size; read word; echo \"got $word\"; while :; do read word; done";
    let mut screen = Screen::open(shell(script), (80, 24));
    let before = screen.termios();
    screen.until(|text| text.contains("24 80"));
    screen.keys("hello\r");
    screen.until(|text| text.contains("got hello"));
    screen.resize((100, 30));
    screen.keys("\r");
    assert_eq!(screen.wait_exit().code(), Some(3), "{}", screen.text());
    assert!(screen.text().contains("30 100"), "{}", screen.text());
    assert!(
        before == Screen::open(shell("exit"), (80, 24)).termios(),
        "fresh terminals are alike"
    );
}

#[test]
fn a_line_that_is_cut_is_noticed_by_the_program() {
    let mut screen = Screen::open(shell("echo here; read word; read word"), (20, 5));
    screen.until(|text| text.contains("here"));
    screen.hang_up();
    assert!(!screen.ended_within(PATIENCE).success());
}

#[test]
fn a_frame_is_seen_when_it_is_whole() {
    let frame = "printf 'one\\033[?2026htwo'; read word; printf 'three\\033[?2026lfour\\033[?20'; read word";
    let mut screen = Screen::open(
        shell(&format!("stty -echo; {frame}; printf '26hfive'")),
        (40, 5),
    );
    screen.until(|text| text == "one\n\n\n\n");
    screen.until_raw(|raw| raw.ends_with(b"two"));
    assert_eq!(screen.text().trim_end(), "one");
    screen.keys("\r");
    screen.until(|text| text.trim_end() == "onetwothreefour");
    screen.keys("\r");
    screen.wait_exit();
    assert_eq!(screen.text().trim_end(), "onetwothreefourfive");
}

#[test]
fn the_processor_time_of_a_program_and_its_children_is_known_while_it_runs_and_after_its_end() {
    let script = "count() { i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done; }; (count); echo one; read word; count; exit 0";
    let mut screen = Screen::open(shell(script), (20, 5));
    screen.until(|text| text.contains("one"));
    let one = screen.processor_time();
    assert!(one >= Duration::from_millis(20), "{one:?}");
    screen.keys("\r");
    screen.ended_within(PATIENCE);
    let both = screen.processor_time();
    assert!(both >= one + Duration::from_millis(20), "{one:?} {both:?}");
}

#[test]
fn settings_and_modes_that_a_program_leaves_behind_are_seen() {
    let script = "stty raw -echo; printf '\\033[?1049h\\033[?25l\\033[?2004h'; exit 0";
    let mut screen = Screen::open(shell(script), (1, 1));
    screen.ended_within(PATIENCE);
    assert!(screen.termios() != Screen::open(shell("exit"), (80, 24)).termios());
    screen.wait_exit();
    assert!(screen.terminal(|terminal| {
        terminal.alternate_screen() && terminal.hide_cursor() && terminal.bracketed_paste()
    }));
}
