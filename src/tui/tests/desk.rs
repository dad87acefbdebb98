//! A dashboard on a desk: its clock, its machine and its daemon are made up here.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::api::{
    Counts, DaemonInfo, ExitView, Host, InstanceView, LogLine, LogPage, LogPlace, Net,
    OperationView, Own, Progress, Push, Snapshot, Status, TargetView, Verb,
};
use crate::domain::names::{InstanceId, Namespace, ProcessName, RunId};
use crate::domain::spec::Stream;
use crate::tui::model::{Ask, Mode, Model, Target};
use crate::tui::msg::{Cmd, Msg};
use crate::tui::query::Answer;
use crate::tui::regions::regions;
use crate::tui::theme::{Glyphs, Theme};
use crate::tui::update::update;
use crate::tui::view::view;

pub(super) const WALL_MS: u64 = 1_767_614_671_000;
const GIB: u64 = 1 << 30;

/// Random numbers that are the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

pub(super) fn host() -> Host {
    Host {
        name: "build-7".into(),
        cores: 8,
        cpu: 38.0,
        memory_used: 10 * GIB + GIB / 2,
        memory_total: 16 * GIB,
        swap_used: GIB / 25,
        swap_total: 2 * GIB,
        load: [1.52, 1.21, 0.98],
        disk: Some(71.0),
        net: Some(Net {
            down: 2_100_000,
            up: 880_000,
        }),
        logged: Some(512_000),
        own: Own {
            memory: Some(14_200_000),
            cpu: Some(0.3),
        },
        label: None,
        strict: false,
    }
}

fn daemon() -> DaemonInfo {
    DaemonInfo {
        running: true,
        pid: 811,
        pid_start: Some(90_000),
        keeper_pid: 810,
        scribe_pid: 812,
        scribes: Vec::new(),
        version: "0.1.0".into(),
        epoch: 1,
        boot_id: "b".into(),
        uptime: 4000,
        memory: 14_000_000,
        counts: Counts::default(),
        socket: "/run/adasa/api.sock".into(),
        state_dir: "/s".into(),
        log_dir: "/l".into(),
        volatile_dir: "/v".into(),
        control_group: None,
        strays: 0,
        alarms: vec![],
        subsystems: vec![],
        transient: false,
    }
}

/// An instance in this status, with what goes with it.
pub(super) fn instance(id: u32, process: &str, copy: (u32, u32), status: Status) -> InstanceView {
    let up = matches!(
        status,
        Status::Running
            | Status::Starting
            | Status::Stopping
            | Status::Restarting
            | Status::Orphaned
    );
    let (index, instances) = copy;
    InstanceView {
        id: InstanceId(id),
        name: if instances > 1 {
            format!("{process}-{index}")
        } else {
            process.to_owned()
        },
        process: ProcessName::new(process).unwrap(),
        instance: index,
        instances,
        namespace: Namespace::default(),
        status,
        pid: up.then(|| 48_000 + i32::try_from(id).unwrap()),
        pid_start: up.then(|| 900_000 + u64::from(id)),
        cpu: up.then_some(3.5 * id as f32),
        memory: up.then(|| 21_000_000 * u64::from(id)),
        uptime: up.then(|| 47 * u64::from(id).pow(3)),
        restarts: id % 4,
        exit: None,
        run: RunId(3),
        attempts: 0,
        due_in_ms: None,
        since_ms: WALL_MS,
        because: String::new(),
        adopted: false,
        orphaned: false,
        alarm: None,
        tags: vec![],
        protected: false,
    }
}

fn exit(code: Option<i32>, signal: Option<&str>) -> Option<ExitView> {
    Some(ExitView {
        lasted_ms: Some(2_400),
        code,
        signal: signal.map(str::to_owned),
        text: String::new(),
        at_ms: WALL_MS,
    })
}

pub(super) fn snapshot(instances: Vec<InstanceView>) -> Snapshot {
    let series = instances
        .iter()
        .filter(|view| view.pid.is_some())
        .map(|view| {
            let mut dice = Dice::new(u64::from(view.id.0) * 7919);
            let values = (0..60)
                .map(|_| u16::try_from(20 * u64::from(view.id.0)).unwrap() + dice.below(90) as u16)
                .collect();
            (view.id, values)
        })
        .collect();
    Snapshot {
        daemon: daemon(),
        host: host(),
        instances,
        operations: Vec::new(),
        clients: Vec::new(),
        series,
        heard: Vec::new(),
    }
}

/// Every status, a process of three, a process of four, the longest name.
pub(super) fn everything() -> Vec<InstanceView> {
    let mut all = vec![
        instance(1, "api", (0, 3), Status::Running),
        instance(2, "api", (1, 3), Status::Restarting),
        instance(3, "api", (2, 3), Status::Running),
        instance(4, "billing", (0, 1), Status::Errored),
        instance(5, "cron", (0, 1), Status::Running),
        instance(6, "mailer", (0, 1), Status::Backoff),
        instance(7, "migrate", (0, 1), Status::Exited),
        instance(8, "search", (0, 1), Status::Starting),
        instance(9, "thumbs", (0, 1), Status::Stopped),
        instance(10, "web", (0, 4), Status::Running),
        instance(11, "web", (1, 4), Status::Running),
        instance(12, "web", (2, 4), Status::Errored),
        instance(13, "web", (3, 4), Status::Running),
        instance(14, "worker", (0, 1), Status::Stopping),
        instance(15, &"long-name-".repeat(6), (0, 1), Status::Running),
    ];
    all[1].due_in_ms = Some(4200);
    all[3].exit = exit(Some(1), None);
    all[5].due_in_ms = Some(8000);
    all[6].exit = exit(Some(0), None);
    all[11].exit = exit(None, Some("SIGKILL"));
    all[13].due_in_ms = Some(6000);
    all[14].namespace = Namespace::new("staging").unwrap();
    all
}

/// When it is 12:04:31 where this runs: clocks are drawn in the zone of the machine, pictures are the same everywhere.
pub(super) fn noon_ms() -> u64 {
    let at = jiff::civil::date(2026, 1, 5)
        .at(12, 4, 31, 0)
        .to_zoned(jiff::tz::TimeZone::system())
        .unwrap();
    u64::try_from(at.timestamp().as_millisecond()).unwrap()
}

/// One line of the log that a name has.
pub(super) fn line(n: u64, name: &str, stream: Stream, text: &str) -> LogLine {
    let mut it = LogLine {
        time: Some(noon_ms() + 137 * n),
        id: InstanceId(crc32fast::hash(name.as_bytes())),
        name: name.to_owned(),
        stream,
        run: Some(RunId(3)),
        offset: n * 1_000_000,
        line: String::new(),
        raw: None,
        complete: true,
        gap: 0,
        missing: 0,
        dropped: 0,
        damaged: false,
    };
    it.set_bytes(text.as_bytes());
    it
}

pub(super) fn key(name: &str) -> KeyEvent {
    let none = KeyModifiers::NONE;
    let mut chars = name.chars();
    let (first, rest) = (chars.next().unwrap(), chars.as_str());
    if rest.is_empty() {
        return KeyEvent::new(KeyCode::Char(first), none);
    }
    if first == '^' {
        let letter = rest.chars().next().unwrap().to_ascii_lowercase();
        return KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    }
    let code = match name {
        "Esc" => KeyCode::Esc,
        "Enter" => KeyCode::Enter,
        "Backspace" => KeyCode::Backspace,
        "Tab" => KeyCode::Tab,
        "S-Tab" => KeyCode::BackTab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "PgDn" => KeyCode::PageDown,
        "PgUp" => KeyCode::PageUp,
        "Space" => KeyCode::Char(' '),
        other => panic!("no key {other}"),
    };
    KeyEvent::new(code, none)
}

/// A model, and what it wanted done.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) model: Model,
    pub(super) wanted: Vec<Cmd>,
}

impl Desk {
    /// Before anything was heard of the daemon.
    pub(super) fn alone() -> Self {
        let model = Model::new(Glyphs::UNICODE, Theme::Roles, Duration::from_secs(1));
        let mut it = Self {
            model,
            wanted: vec![],
        };
        it.wait(10_000);
        it
    }

    pub(super) fn with(instances: Vec<InstanceView>) -> Self {
        let mut it = Self::alone();
        it.push(Push::Snapshot(Box::new(snapshot(instances))));
        it.wanted.clear();
        it
    }

    pub(super) fn new() -> Self {
        Self::with(everything())
    }

    pub(super) fn send(&mut self, message: Msg) {
        self.wanted.extend(update(&mut self.model, message));
    }

    pub(super) fn push(&mut self, push: Push) {
        self.send(Msg::Push(push));
    }

    /// Keys by their names, separated by spaces.
    pub(super) fn press(&mut self, keys: &str) {
        for name in keys.split(' ') {
            self.send(Msg::Key(key(name)));
        }
    }

    pub(super) fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.send(Msg::Key(KeyEvent::new(
                KeyCode::Char(c),
                KeyModifiers::NONE,
            )));
        }
    }

    pub(super) fn wait(&mut self, ms: u64) {
        let now = self.model.now + Duration::from_millis(ms);
        self.send(Msg::Tick {
            now,
            wall_ms: WALL_MS + u64::try_from(now.as_millis()).unwrap(),
        });
    }

    /// A frame is on the screen, long enough to be read.
    pub(super) fn seen(&mut self) {
        self.send(Msg::Drawn);
        self.wait(150);
    }

    pub(super) fn resize(&mut self, width: u16, height: u16) {
        self.send(Msg::Resize(width, height));
    }

    /// Lines of the log of what is selected; nothing was written before.
    pub(super) fn logs(&mut self, lines: Vec<LogLine>) {
        let tickets = |desk: &Self| desk.model.logs.pane().unwrap().tickets();
        if let (Some(ticket), _) = tickets(self) {
            let nothing = LogPage {
                lines: vec![],
                start: LogPlace::default(),
                end: LogPlace::default(),
                oldest: true,
                newest: true,
                complete: true,
            };
            let answer = Ok(Answer::LogPage(nothing));
            self.send(Msg::Fetched { ticket, answer });
        }
        let ticket = tickets(self).1.unwrap();
        self.send(Msg::Streamed { ticket, lines });
    }

    pub(super) fn lose(&mut self) {
        self.send(Msg::Lost {
            why: "the daemon ended the connection".into(),
            next: Duration::from_millis(800),
        });
    }

    /// A frame of the model as it is.
    pub(super) fn frame(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        view(&self.model, &mut buffer);
        buffer
    }

    /// The text of a frame.
    pub(super) fn screen(&self) -> String {
        text_of(&self.frame())
    }

    pub(super) fn calls(&self) -> usize {
        self.wanted
            .iter()
            .filter(|command| {
                matches!(
                    command,
                    Cmd::Call { .. } | Cmd::Scale { .. } | Cmd::Signal { .. }
                )
            })
            .count()
    }

    pub(super) fn ask(&self) -> &Ask {
        match &self.model.mode {
            Mode::Ask(ask) => ask,
            other => panic!("no question: {other:?}"),
        }
    }

    pub(super) fn is_browsing(&self) -> bool {
        self.model.mode == Mode::Browse
    }

    pub(super) fn select(&mut self, id: u32) {
        let target = Target::Instance(InstanceId(id));
        self.press("g");
        for _ in 0..self.model.lines().len() {
            if self.model.selected.as_ref() == Some(&target) {
                return;
            }
            self.press("j");
        }
        panic!("{target:?} is not on the screen");
    }

    /// The selection is a line, and that line is within the rows that are drawn.
    #[track_caller]
    pub(super) fn assert_selection_is_seen(&self) {
        let lines = self.model.lines();
        let Some(selected) = &self.model.selected else {
            assert!(lines.is_empty(), "nothing is selected of {lines:?}");
            return;
        };
        let place = lines.iter().position(|line| line == selected);
        assert_eq!(place, Some(self.model.place), "{selected:?}");
        let height = usize::from(regions(&self.model).rows.height);
        let seen = self.model.offset..self.model.offset + height;
        assert!(
            height == 0 || seen.contains(&self.model.place),
            "line {} is outside of {seen:?} at {:?}",
            self.model.place,
            self.model.size
        );
    }
}

pub(super) fn text_of(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width.max(1));
    let mut text = String::new();
    for row in buffer.content.chunks(width) {
        let mut line = String::new();
        let mut hidden = 0;
        for cell in row {
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            hidden = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// What the daemon answers to an operation on one instance.
pub(super) fn answer(verb: Verb, id: u32, name: &str, progress: Progress) -> OperationView {
    OperationView {
        operation: crate::client::operation_id(),
        verb: verb.into(),
        done: progress.is_settled(),
        targets: vec![TargetView {
            id: InstanceId(id),
            name: name.to_owned(),
            verb: Some(verb),
            progress,
            status: Status::Running,
            pid: None,
            due_in_ms: None,
        }],
        recorded: "done".into(),
        rollouts: Vec::new(),
    }
}
