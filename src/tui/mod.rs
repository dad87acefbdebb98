//! The dashboard: model, update, view; a shell around them that owns the terminal. Knows the daemon through its API
//! alone.

mod act;
mod asked;
mod clipboard;
mod company;
mod copying;
mod draft;
mod filter;
mod front;
mod gate;
mod help;
mod keymap;
mod link;
mod log;
mod log_pane;
mod machine;
mod marks;
mod model;
mod moment;
mod mouse;
mod msg;
mod order;
mod palette;
mod pane;
mod pinned;
pub(crate) mod plain;
mod pose;
mod query;
mod regions;
mod row;
mod saving;
mod screens;
mod seen;
mod spark;
mod stats;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod threads;
mod trace;
mod update;
mod verbs;
mod view;
mod voices;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, sync_channel};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::api::{LogLine, Status};
use crate::client::{Client, Closer};
use crate::platform::clock::wall_ms;
use crate::platform::guardian::{Side, guard, leave_now, suspend_job};

use gate::{Gate, Typed};
use model::Model;
use msg::{Cmd, Msg};
use query::Ticket;
use terminal::Terminal;
use theme::{Glyphs, Theme};
use threads::{In, Teller};
use trace::{Frame, Trace};
use update::{next_due, update};

/// What waits for the loop; threads that tell more wait themselves.
const QUEUE: usize = 4096;
/// The shortest time between two frames, here and over a slow line.
const FRAME: Duration = Duration::from_millis(33);
const FRAME_SSH: Duration = Duration::from_millis(100);
/// The same while more lines come than can be read.
const FLOOD: Duration = Duration::from_millis(250);
const FLOOD_SSH: Duration = Duration::from_millis(500);

/// How the dashboard is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// How often numbers are taken over.
    pub interval: Duration,
    /// Which characters signs and charts are made of.
    pub glyphs: crate::config::Charset,
    /// Leave a small parent behind that repairs the terminal.
    pub guardian: bool,
    /// How colours are chosen; none is as the environment says.
    pub theme: Option<crate::config::Colours>,
    /// Other colours than those of the theme.
    pub colours: crate::config::Palette,
    /// Only look: every verb is refused, here and by the daemon.
    pub read_only: bool,
    /// Take the mouse from the terminal.
    pub mouse: bool,
    /// Other keys for some actions, by their names.
    pub keys: Vec<(String, Vec<String>)>,
    /// Where to write what each frame took.
    pub trace_frames: Option<PathBuf>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Farewell {
    /// The exit code.
    pub code: u8,
    /// A line for the shell.
    pub line: Option<String>,
}

/// Shows the dashboard until it is left.
///
/// # Errors
/// When the terminal cannot be used.
pub(crate) fn run(client: Client, options: Options) -> io::Result<Farewell> {
    let trace = options.trace_frames.as_deref().map(Trace::begin);
    let trace = trace.transpose()?;
    terminal::remember()?;
    if options.guardian {
        let repair = || {
            terminal::repair();
            let _ = io::stderr()
                .write_all(b"adasa: the dashboard was killed; processes keep running\n");
        };
        if let Side::Ended(code) = guard(repair)? {
            return Ok(Farewell { code, line: None });
        }
    }
    let set = threads::block_signals()?;
    std::panic::set_hook(Box::new(|info| {
        terminal::restore();
        let _ = writeln!(io::stderr(), "adasa: the dashboard panicked: {info}");
        leave_now(101);
    }));
    let over_ssh = ["SSH_CONNECTION", "SSH_TTY"]
        .into_iter()
        .any(|name| std::env::var_os(name).is_some());
    let glyphs = Glyphs::chosen(options.glyphs);
    let theme = Theme::chosen(options.theme, &options.colours);
    let mut model = Model::new(glyphs, theme, options.interval);
    let (keymap, faults) = keymap::Keymap::with(&options.keys);
    model.keymap = keymap;
    model.read_only = options.read_only;
    model.mouse = options.mouse;
    model.wall_ms = wall_ms();
    model.company.own_pid = i32::try_from(std::process::id()).ok();
    let seen = client.paths().seen();
    model.company.unseen_since = seen::read(&seen);
    seen::write(&seen, model.wall_ms);
    for fault in faults {
        model.toast(fault, true);
    }
    model.size = Terminal::size();
    model.machine.config = front::is_config_here();
    let client = client.introduced_as(crate::api::Face::Tui);
    let client = if options.read_only {
        client.read_only()
    } else {
        client
    };
    let (tell, told) = sync_channel(QUEUE);
    let terminal = Terminal::enter()?;
    threads::signals(set, tell.clone());
    threads::hang_up();
    threads::keys(tell.clone());
    #[cfg(feature = "failpoints")]
    std::thread::spawn(|| panic_if_asked("thread"));
    let retry = threads::events(client.clone(), tell.clone());
    let mut shell = Shell {
        client,
        tell,
        retry,
        terminal,
        model,
        gate: Gate::new(over_ssh),
        open: HashMap::new(),
        begun: Instant::now(),
        trace,
        drawn: None,
        frame: if over_ssh { FRAME_SSH } else { FRAME },
        told: 0,
        quit: false,
    };
    shell.turn(&told)?;
    seen::write(&seen, wall_ms());
    let line = farewell(&shell.model);
    drop(shell.terminal);
    Ok(Farewell {
        code: 0,
        line: Some(line),
    })
}

fn farewell(model: &Model) -> String {
    let up = model
        .rows
        .values()
        .filter(|row| row.view.status == Status::Running)
        .count();
    let word = if up == 1 {
        "process keeps"
    } else {
        "processes keep"
    };
    format!("adasa: left; {up} {word} running")
}

/// A test wants to see what a panic leaves behind.
#[cfg(feature = "failpoints")]
fn panic_if_asked(place: &str) {
    if std::env::var_os("ADASA_TUI_TEST_PANIC").is_some_and(|it| it == place) {
        panic!("asked to panic on {place}");
    }
}

struct Shell {
    client: Client,
    tell: Teller,
    retry: Sender<()>,
    terminal: Terminal,
    model: Model,
    gate: Gate,
    /// Streams and searches of log views; not yet open ones without a handle.
    open: HashMap<Ticket, Option<Closer>>,
    begun: Instant,
    trace: Option<Trace>,
    drawn: Option<Instant>,
    frame: Duration,
    /// Messages since the last frame.
    told: usize,
    quit: bool,
}

impl Shell {
    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn turn(&mut self, told: &Receiver<In>) -> io::Result<()> {
        let mut dirty = true;
        while !self.quit {
            if dirty && self.frame_is_due() {
                self.draw()?;
                dirty = false;
            }
            let first = match self.wait(told, dirty) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let now = self.now();
            self.take(Msg::Tick {
                now,
                wall_ms: wall_ms(),
            });
            let mut keys = Vec::new();
            let mut flood: Option<(Ticket, Vec<LogLine>)> = None;
            let mut next = first;
            let mut budget = QUEUE;
            while let Some(message) = next {
                match (message, &mut flood) {
                    // Lines that came together are taken together.
                    (In::Streamed { ticket, line }, Some((known, lines))) if *known == ticket => {
                        lines.push(*line);
                    }
                    (In::Key(key), _) => keys.push(key),
                    (message, _) => {
                        self.flow(&mut flood);
                        self.typed(&keys);
                        keys.clear();
                        if let In::Streamed { ticket, line } = message {
                            flood = Some((ticket, vec![*line]));
                        } else {
                            self.heard(message)?;
                        }
                    }
                }
                budget -= 1;
                self.told += 1;
                next = if budget > 0 {
                    told.try_recv().ok()
                } else {
                    None
                };
            }
            self.flow(&mut flood);
            self.model.stats.waited(now, QUEUE - budget);
            let typed = !keys.is_empty();
            self.typed(&keys);
            for it in self.gate.settle(now) {
                self.key(it);
            }
            dirty = true;
            if typed {
                // A key is answered at once.
                self.drawn = None;
            }
        }
        Ok(())
    }

    /// The time between two frames that no key asks for.
    fn between(&self) -> Duration {
        match (screens::log_view::is_flooded(&self.model), self.frame) {
            (false, usual) => usual,
            (true, FRAME) => FLOOD,
            (true, _) => FLOOD_SSH,
        }
    }

    fn frame_is_due(&self) -> bool {
        self.drawn.is_none_or(|at| at.elapsed() >= self.between())
    }

    fn wait(&self, told: &Receiver<In>, dirty: bool) -> Result<In, RecvTimeoutError> {
        let frame = self
            .drawn
            .filter(|_| dirty)
            .map(|at| self.between().saturating_sub(at.elapsed()));
        let due = [next_due(&self.model), self.gate.due()]
            .into_iter()
            .flatten()
            .min()
            .map(|due| due.saturating_sub(self.now()));
        match [frame, due].into_iter().flatten().min() {
            Some(wait) => told.recv_timeout(wait),
            None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn flow(&mut self, flood: &mut Option<(Ticket, Vec<LogLine>)>) {
        if let Some((ticket, lines)) = flood.take() {
            self.take(Msg::Streamed { ticket, lines });
        }
    }

    fn typed(&mut self, keys: &[crossterm::event::KeyEvent]) {
        let now = self.now();
        for it in self.gate.feed(now, keys) {
            self.key(it);
        }
    }

    fn key(&mut self, typed: Typed) {
        match typed {
            Typed::Key(key) => self.take(Msg::Key(key)),
            Typed::Paste(text) => self.take(Msg::Paste(text)),
        }
    }

    fn heard(&mut self, message: In) -> io::Result<()> {
        match message {
            In::Key(key) => self.take(Msg::Key(key)),
            In::Paste(text) => self.take(Msg::Paste(text)),
            In::Mouse(event) => self.take(Msg::Mouse(event)),
            In::KeysOver => threads::keys(self.tell.clone()),
            In::Resize(width, height) => self.take(Msg::Resize(width, height)),
            In::Continued => {
                self.terminal.enter_again()?;
                let (width, height) = Terminal::size();
                self.take(Msg::Resize(width, height));
            }
            In::Suspend => self.suspend(),
            In::Push(push) => self.take(Msg::Push(*push)),
            In::Lost { why, next } => self.take(Msg::Lost { why, next }),
            In::Fetched { ticket, answer } => self.take(Msg::Fetched { ticket, answer }),
            In::Undone(result) => self.take(Msg::Undone(result)),
            In::Answered { ids, result } => self.take(Msg::Answered { ids, result }),
            In::Flowing { ticket, closer } => match self.open.get_mut(&ticket) {
                Some(place) => *place = Some(closer),
                // It was closed before it was open.
                None => closer.close(),
            },
            In::Streamed { ticket, line } => self.take(Msg::Streamed {
                ticket,
                lines: vec![*line],
            }),
            In::Records { ticket, records } => self.take(Msg::Records { ticket, records }),
            In::StreamOver(ticket) => {
                self.open.remove(&ticket);
                self.take(Msg::StreamOver { ticket });
            }
            In::News { ticket, news } => self.take(Msg::News { ticket, news }),
            In::Said(what) => self.take(Msg::Said(what)),
            In::Alive(alive) => self.take(Msg::Alive(alive)),
        }
        Ok(())
    }

    fn take(&mut self, message: Msg) {
        for command in update(&mut self.model, message) {
            self.perform(command);
        }
    }

    fn perform(&mut self, command: Cmd) {
        match command {
            Cmd::Call { act, ids } => {
                threads::call(self.client.clone(), act, ids, self.tell.clone());
            }
            Cmd::Scale { wish, ids } => {
                threads::scale(self.client.clone(), wish, ids, self.tell.clone());
            }
            Cmd::Signal { wish, ids } => {
                threads::signal(self.client.clone(), wish, ids, self.tell.clone());
            }
            Cmd::Control { operation, what } => {
                threads::control(self.client.clone(), operation, what, self.tell.clone());
            }
            Cmd::Undo { operation } => {
                threads::undo(self.client.clone(), operation, self.tell.clone());
            }
            Cmd::Fetch { ticket, query } => {
                threads::fetch(self.client.clone(), ticket, query, self.tell.clone());
            }
            Cmd::Stream { ticket, query } => {
                self.open.insert(ticket, None);
                threads::stream(self.client.clone(), ticket, query, self.tell.clone());
            }
            Cmd::Records { ticket, query } => {
                self.open.insert(ticket, None);
                threads::records(self.client.clone(), ticket, query, self.tell.clone());
            }
            Cmd::Search { ticket, query } => {
                self.open.insert(ticket, None);
                threads::search(self.client.clone(), ticket, query, self.tell.clone());
            }
            Cmd::Close { ticket } => {
                if let Some(Some(closer)) = self.open.remove(&ticket) {
                    closer.close();
                }
            }
            Cmd::Copy(text) => threads::copy(text, self.tell.clone()),
            Cmd::Plain(lines) => self.terminal.print(&lines),
            Cmd::Enter => drop(self.terminal.enter_again()),
            Cmd::Page(what) => self.page(what),
            Cmd::Edit { name } => self.edit(&name),
            Cmd::Init => self.init(),
            Cmd::Save { path, raw, what } => {
                threads::save(self.client.clone(), path, raw, what, self.tell.clone());
            }
            Cmd::Retry => drop(self.retry.send(())),
            Cmd::Look { pids, daemon } => threads::look(pids, daemon, self.tell.clone()),
            Cmd::Redraw => self.terminal.forget(),
            Cmd::Suspend => self.suspend(),
            Cmd::Quit => self.quit = true,
        }
    }

    fn suspend(&mut self) {
        terminal::restore();
        suspend_job();
        // Continued: the signal thread says so, and the terminal is entered anew.
    }

    fn draw(&mut self) -> io::Result<()> {
        // The lines that were printed stay until a key.
        if self.model.mode == model::Mode::Plain {
            return Ok(());
        }
        let (width, height) = self.model.size;
        let begun = Instant::now();
        let mut next = Buffer::empty(Rect::new(0, 0, width, height));
        view::view(&self.model, &mut next);
        let made = begun.elapsed();
        self.terminal.tell(mouse::Modes::of(&self.model))?;
        let bytes = self.terminal.paint(next)?;
        self.drawn = Some(Instant::now());
        let frame = Frame {
            at: begun.saturating_duration_since(self.begun),
            made,
            whole: begun.elapsed(),
            bytes,
            // A message that shows nothing new is shown with the next.
            told: if bytes > 0 {
                std::mem::take(&mut self.told)
            } else {
                0
            },
        };
        if let Some(trace) = self.trace.as_mut().filter(|_| bytes > 0) {
            trace.frame(&frame);
        }
        self.model.stats.frame(frame);
        self.take(Msg::Drawn);
        #[cfg(feature = "failpoints")]
        panic_if_asked("main");
        Ok(())
    }
}
