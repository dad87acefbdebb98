//! What each message changes. No clock, no terminal, no socket.

use std::collections::BTreeSet;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::api::{InstanceView, Push, Snapshot};
use crate::domain::spec::Stream;

use super::act::{act, scroll_to_selection};
use super::help;
use super::keymap::{Meaning, Press};
use super::link;
use super::log_pane;
use super::model::{Focus, Link, Mode, Model, Row, Tier, Toast};
use super::moment;
use super::mouse;
use super::msg::{Cmd, Msg};
use super::palette;
use super::pinned;
use super::pose::planned;
use super::query::{Answer, Query};
use super::regions::{SMALLEST, regions};
use super::screens::{self, Screen, log_view, own_log};
use super::verbs::{answered, ask_key, undone};

/// A question in the footer is withdrawn after this.
const EXPIRES: Duration = Duration::from_secs(5);
/// The log pane follows the selection this much later.
const SETTLES: Duration = Duration::from_millis(120);

/// Takes a message.
#[must_use = "the commands are what has to be done"]
pub(super) fn update(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    let before = model.scope();
    let mut commands = Vec::new();
    match msg {
        Msg::Tick { now, wall_ms } => tick(model, now, wall_ms, &mut commands),
        Msg::Key(key) => {
            // Before it acts: what was not held is settled first.
            pressed(model, key, &mut commands);
            model.order.key_at(model.now);
        }
        Msg::Paste(text) => pasted(model, &text, &mut commands),
        Msg::Mouse(event) => {
            mouse::moused(model, event, &mut commands);
            model.order.key_at(model.now);
        }
        Msg::Resize(width, height) => {
            model.size = (width, height);
            model.sort();
            // There may be room for a pane now.
            model.logs.due = Some(model.now + SETTLES);
            log_view::tick(model, &mut commands);
        }
        Msg::Push(push) => pushed(model, push, &mut commands),
        Msg::Lost { why, next } => link::lost(model, why, next, &mut commands),
        Msg::Fetched {
            answer: Ok(Answer::History(list)),
            ..
        } => model.take_history(&list),
        Msg::Fetched {
            answer: Ok(Answer::Activity(list)),
            ..
        } => screens::activity::told(model, list),
        Msg::Fetched {
            answer: Ok(Answer::Changes(changes)),
            ..
        } => screens::activity::changed(model, &changes),
        Msg::Fetched {
            ticket,
            answer: Ok(Answer::Plan(plan)),
        } => planned(model, ticket, plan),
        Msg::Fetched { ticket, answer } => {
            model.told_for_pane(ticket, &answer);
            screens::fetched(model, ticket, answer, &mut commands);
        }
        Msg::Streamed { ticket, lines } => {
            log_view::streamed(model, ticket, &lines, &mut commands);
        }
        Msg::Records { ticket, records } => own_log::told(model, ticket, records),
        Msg::StreamOver { ticket } => {
            own_log::over(model, ticket);
            log_view::stream_over(model, ticket, &mut commands);
        }
        Msg::News { ticket, news } => log_view::news(model, ticket, &news, &mut commands),
        Msg::Said(Ok(text)) => model.toast(text, false),
        Msg::Said(Err(text)) => model.toast(text, true),
        Msg::Answered { ids, result } => answered(model, &ids, result),
        Msg::Undone(result) => undone(model, result),
        Msg::Alive(alive) => {
            if let Link::Lost(lost) = &mut model.link {
                lost.alive = Some(alive);
            }
        }
        Msg::Drawn => {
            if let Mode::Ask(ask) = &mut model.mode
                && ask.shown.is_none()
            {
                ask.shown = Some(model.now);
            }
        }
    }
    // The keys go where something is seen to take them.
    let drawn = model.size.0 >= SMALLEST.0 && model.size.1 >= SMALLEST.1;
    let places = regions(model);
    let there = match model.focus {
        Focus::Table => true,
        Focus::About => places.pane.is_some(),
        Focus::Logs => places.has_logs(),
    };
    if drawn && !there {
        model.focus = Focus::Table;
    }
    if model.scope() != before {
        model.logs.due = Some(model.now + SETTLES);
    }
    scroll_to_selection(model);
    pinned::refresh(model, &mut commands);
    screens::detail::refresh(model, &mut commands);
    screens::rolling::refresh(model, &mut commands);
    screens::bulk::refresh(model, &mut commands);
    log_view::share_controls(model);
    log_view::listen_while_seen(model, &mut commands);
    screens::left_behind(model, &mut commands);
    model.look();
    commands
}

/// When the next tick is needed.
pub(super) fn next_due(model: &Model) -> Option<Duration> {
    let ask = match &model.mode {
        Mode::Ask(ask) if ask.tier == Tier::Footer => Some(ask.asked + EXPIRES),
        Mode::Ask(_)
        | Mode::Browse
        | Mode::Filter
        | Mode::Help(_)
        | Mode::LogPrompt(_)
        | Mode::Palette(_)
        | Mode::Plain => None,
    };
    let toast = model.toasts.iter().map(|t| t.until).min();
    // Countdowns and ages have seconds.
    let counts = |row: &Row| row.view.due_in_ms.is_some() || row.requested.is_some();
    let counting = model.rows.values().any(counts)
        || !screens::rolling::under_way(model).is_empty()
        || matches!(model.screens.last(), Some(Screen::Stats))
        || matches!(model.link, Link::Lost(_));
    let retry = match &model.link {
        Link::Lost(lost) => lost.next_due(model.now),
        Link::Connecting | Link::Live => None,
    };
    let second = counting.then(|| Duration::from_secs(model.now.as_secs() + 1));
    let seen = model.is_live() && !log_pane::is_covered(model);
    let logs = model.logs.due.filter(|_| seen);
    let rolling = screens::rolling::next_due(model);
    let view = log_view::due(model);
    let own = own_log::due(model);
    let cursor = moment::due(model);
    let detail = screens::detail::next_due(model);
    let bulk = screens::bulk::next_due(model);
    let all = [
        ask, toast, second, retry, logs, rolling, view, own, cursor, detail, bulk,
    ];
    all.into_iter().flatten().min()
}

fn tick(model: &mut Model, now: Duration, wall_ms: u64, commands: &mut Vec<Cmd>) {
    model.now = now;
    model.wall_ms = wall_ms;
    let over = |toast: &Toast| toast.until <= now;
    // What failed while nobody looked is still said in the header.
    model.unread += model.toasts.iter().filter(|it| it.bad && over(it)).count();
    model.toasts.retain(|toast| !over(toast));
    log_view::tick(model, commands);
    own_log::tick(model, commands);
    screens::rolling::tick(model);
    screens::detail::tick(model);
    moment::tick(model, commands);
    if let Mode::Ask(ask) = &model.mode
        && ask.tier == Tier::Footer
        && now >= ask.asked + EXPIRES
    {
        model.mode = Mode::Browse;
    }
    let seen = model.is_live() && !log_pane::is_covered(model);
    if seen && model.logs.due.is_some_and(|due| due <= now) {
        model.logs.due = None;
        model.ask_for_pane(commands);
        log_pane::follow_selection(model, commands);
    }
}

fn pushed(model: &mut Model, push: Push, commands: &mut Vec<Cmd>) {
    let missed = matches!(push, Push::Resync);
    if !missed && !model.is_live() {
        // Without a snapshot as well: then what follows is what was missed.
        let told = match &push {
            Push::Snapshot(snapshot) => Some(&**snapshot),
            Push::Instance { .. }
            | Push::Removed { .. }
            | Push::Metrics { .. }
            | Push::Operation { .. }
            | Push::Clients { .. }
            | Push::Event { .. }
            | Push::Resync => None,
        };
        connected(model, told);
        screens::activity::look_back(model, commands);
        log_view::reconnected(model, commands);
    }
    match push {
        Push::Snapshot(snapshot) => {
            model.take(*snapshot);
            model.ends.begin(model.wall_ms);
            let ticket = model.ticket();
            let query = Query::History;
            commands.push(Cmd::Fetch { ticket, query });
            screens::activity::begun(model, commands);
            model.logs.due = Some(model.now);
            tick(model, model.now, model.wall_ms, commands);
        }
        Push::Instance { instance } => {
            let joined = !model.rows.contains_key(&instance.id);
            model.take_row(*instance);
            if joined {
                log_view::joined(model, commands);
            }
        }
        Push::Removed { id } => {
            model.rows.remove(&id);
            model.marks.remove(&id);
            if let Mode::Ask(ask) = &model.mode
                && ask.targets.iter().all(|(target, _)| *target == id)
            {
                let text = format!("{} is gone: the question was withdrawn", ask.name);
                model.mode = Mode::Browse;
                model.toast(text, false);
            }
            model.keep_selection();
        }
        Push::Metrics {
            host,
            metrics,
            heard,
        } => {
            model.hear(&heard);
            let draw = model.now.saturating_sub(model.metrics_at) + Duration::from_millis(50)
                >= model.interval;
            if draw {
                model.metrics_at = model.now;
                model.settle_order();
                model.take_host(host);
                for metric in metrics {
                    model.measure(metric.id, metric.cpu, metric.memory);
                    if let Some(row) = model.rows.get_mut(&metric.id) {
                        row.series.opened(metric.fds);
                    }
                }
                if !model.filter.text().is_empty() {
                    // It may go by what was measured.
                    model.keep_selection();
                }
                for row in model.rows.values_mut() {
                    if let Some(uptime) = &mut row.view.uptime {
                        let passed = model.now.saturating_sub(row.at).as_secs();
                        *uptime += passed;
                        row.at += Duration::from_secs(passed);
                        if let Some(due) = &mut row.view.due_in_ms {
                            *due = due.saturating_sub(passed * 1000);
                        }
                    }
                }
            }
        }
        Push::Operation { operation } => {
            screens::bulk::told(model, &operation);
            screens::rolling::told(model, &operation);
        }
        // The snapshot follows.
        Push::Clients { clients } => model.company.clients = clients,
        Push::Event { event } => {
            model.ends.happened(&event);
            screens::activity::happened(model, &event);
            log_view::happened(model, &event, commands);
        }
        Push::Resync => {}
    }
}

/// Which of the processes that were known still run, and which daemon it is by now.
fn kept(model: &Model, snapshot: &Snapshot) -> String {
    let run = |view: &InstanceView| Some((view.pid?, view.pid_start?));
    let before: Vec<_> = model
        .rows
        .values()
        .filter_map(|row| run(&row.view))
        .collect();
    let after: BTreeSet<_> = snapshot.instances.iter().filter_map(run).collect();
    let kept = before.iter().filter(|run| after.contains(run)).count();
    let mut text = format!(": {kept} of {} kept running", before.len());
    let now = &snapshot.daemon;
    if let Some(was) = model.daemon.as_ref().filter(|was| was.pid != now.pid) {
        let version = if was.version == now.version {
            String::new()
        } else {
            format!(" {} {} {}", was.version, model.glyphs.arrow, now.version)
        };
        text.push_str(&format!(", new daemon{version} pid {}", now.pid));
    }
    text
}

/// The daemon is there, again or at last.
fn connected(model: &mut Model, snapshot: Option<&Snapshot>) {
    let was_lost = match &model.link {
        Link::Lost(lost) => Some(model.now.saturating_sub(lost.since)),
        Link::Connecting | Link::Live => None,
    };
    model.link = Link::Live;
    model.pending.clear();
    model.logs.due = Some(model.now);
    if let Some(gap) = was_lost {
        let mut text = format!("reconnected after {:.1}s", gap.as_secs_f32());
        if let Some(snapshot) = snapshot {
            text.push_str(&kept(model, snapshot));
        }
        model.toast(text, false);
    }
}

fn pasted(model: &mut Model, text: &str, commands: &mut Vec<Cmd>) {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    match &mut model.mode {
        Mode::Browse if matches!(model.screens.last(), Some(Screen::Form(_))) => {
            screens::form::pasted(model, &clean, commands);
        }
        Mode::Filter => {
            let whole = format!("{}{clean}", model.filter.text());
            model.filter.set(whole);
            model.keep_selection();
        }
        Mode::Palette(it) => {
            it.text.push_str(&clean);
            it.error = None;
        }
        Mode::LogPrompt(prompt) => log_view::prompt_paste(prompt, &clean),
        // A name is confirmed by typing it, not by what the clipboard happens to hold.
        Mode::Help(help) if help.typing => help::pasted(help, &clean),
        Mode::Ask(_) | Mode::Browse | Mode::Help(_) | Mode::Plain => {
            model.toast("a paste is not typing: it was dropped", false);
        }
    }
}

fn pressed(model: &mut Model, key: KeyEvent, commands: &mut Vec<Cmd>) {
    match &model.mode {
        Mode::Browse if matches!(model.screens.last(), Some(Screen::Form(_))) => {
            screens::form::key(model, key, commands);
        }
        Mode::Browse => browse_key(model, &key, commands),
        Mode::Filter => filter_key(model, key),
        Mode::Help(_) => help::key(model, key, commands),
        Mode::Ask(_) => ask_key(model, key, commands),
        Mode::Palette(_) => palette::key(model, key, commands),
        Mode::LogPrompt(_) => log_view::prompt_key(model, key, commands),
        Mode::Plain => {
            model.mode = Mode::Browse;
            commands.push(Cmd::Enter);
        }
    }
}

/// A key, after those that were the beginning of something.
fn browse_key(model: &mut Model, key: &KeyEvent, commands: &mut Vec<Cmd>) {
    let Some(press) = Press::of(key) else {
        model.pending.clear();
        return;
    };
    model.pending.push(press);
    match model.keymap.meaning(&model.places(), &model.pending) {
        Meaning::Act(action) => {
            model.pending.clear();
            act(model, action, commands);
        }
        Meaning::Prefix => {}
        // Also Esc, which so withdraws a beginning.
        Meaning::Nothing => model.pending.clear(),
    }
}

pub(super) fn is_control(key: &KeyEvent, letter: char) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char(letter)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a prompt takes text and few keys"
)]
fn filter_key(model: &mut Model, key: KeyEvent) {
    match key.code {
        KeyCode::Esc => {
            model.filter.set(String::new());
            model.mode = Mode::Browse;
        }
        KeyCode::Char('c') if is_control(&key, 'c') => {
            model.filter.set(String::new());
            model.mode = Mode::Browse;
        }
        KeyCode::Enter => model.mode = Mode::Browse,
        KeyCode::Backspace => model.filter.pop(),
        KeyCode::Char('u') if is_control(&key, 'u') => model.filter.set(String::new()),
        KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) => model.filter.push(c),
        _ => {}
    }
    model.keep_selection();
}

/// The word for the streams that are shown.
pub(super) fn stream_word(stream: Option<Stream>) -> &'static str {
    match stream {
        None => "all",
        Some(stream) => stream.word(),
    }
}
