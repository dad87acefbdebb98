//! The overview where there is much room: what it is defined by and made of, and what it went through.

use ratatui::layout::Rect;

use crate::api::{RunState, RunView};
use crate::domain::why::span;
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::detail::DetailScreen;
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;
use crate::tui::view::charts::{second, words};

use super::runs::end;
use super::{Line, config, moment, put, tree, unknown, when};

/// So many lines of a section are shown whatever the others want.
const LEAST: usize = 3;
/// So many runs stand in a column.
const RUNS: usize = 8;

/// What stands in a column below a heading.
struct Section {
    title: String,
    /// Where the rest is, when it does not fit.
    rest: Option<&'static str>,
    lines: Vec<Line>,
}

/// Without lines there is none.
fn section(
    title: impl Into<String>,
    rest: Option<&'static str>,
    lines: Vec<Line>,
) -> Option<Section> {
    let title = title.into();
    (!lines.is_empty()).then_some(Section { title, rest, lines })
}

pub(super) fn draw(canvas: &mut Canvas<'_>, columns: [Rect; 2], model: &Model, it: &DetailScreen) {
    let [left, right] = columns;
    sections(canvas, left, made_of(model, it, left.width));
    sections(canvas, right, went_through(model, it));
    let gutter = canvas.glyphs.gutter.to_string();
    for y in left.y..left.bottom() {
        for column in columns {
            canvas.text(column.x.saturating_sub(2), y, 1, &gutter, Role::Frame);
        }
    }
}

fn made_of(model: &Model, it: &DetailScreen, width: u16) -> Vec<Section> {
    let mut all = vec![
        section("then", None, moment(model, it, width)),
        section("definition", None, unknown(&it.detail)),
    ];
    if let Some(detail) = &it.detail.told {
        let lines = config::short(model, it, detail, width);
        all.push(section("config", Some("config"), lines));
        let variables = detail.env.iter();
        let lines = variables.map(|(key, value)| (harmless(&format!("{key}={value}")), Role::Text));
        let count = detail.env.len();
        let title = format!("env: {count}, V shows one for 10s");
        all.push(section(title, Some("env"), lines.collect()));
    }
    let count = tree::count(model, it);
    let count = count.map_or_else(String::new, |count| format!(": {count}"));
    let title = format!("process tree{count}");
    let lines = tree::column(model, it, width);
    all.push(section(title, Some("tree"), lines));
    all.push(section("listening", Some("tree"), tree::sockets(model, it)));
    all.into_iter().flatten().collect()
}

fn went_through(model: &Model, it: &DetailScreen) -> Vec<Section> {
    let mut all = vec![section("past", None, unknown(&it.past))];
    let runs = it.runs();
    let lines = runs.iter().take(RUNS).map(|run| run_line(model, it, run));
    all.push(section("runs", Some("runs"), lines.collect()));
    let ended = runs.iter().find(|run| run.state != RunState::Running);
    if let Some(run) = ended.or(runs.first()) {
        let title = format!("last stderr of run {}", run.run.run);
        let lines = run.stderr.iter().map(|line| (harmless(line), Role::Text));
        all.push(section(title, Some("runs"), lines.collect()));
    }
    if let Some(detail) = &it.detail.told {
        let newest = detail.events.iter().rev();
        let lines = newest.map(|event| {
            let text = harmless(&words(event));
            (format!("{} {text}", second(event.at_ms)), Role::Text)
        });
        all.push(section("what happened", None, lines.collect()));
    }
    all.into_iter().flatten().collect()
}

fn run_line(model: &Model, it: &DetailScreen, run: &RunView) -> Line {
    let begun = run.run.begun_ms.map_or_else(String::new, when);
    let row = model.rows.get(&it.id).map(|row| &row.view);
    let up = row.filter(|row| row.run == run.run.run && run.state == RunState::Running);
    let up = up.and_then(|row| row.uptime).map(|s| s * 1000);
    let lasted = run.run.ended.as_ref().map(|end| end.lasted_ms).or(up);
    let lasted = lasted.map_or_else(String::new, span);
    let (text, role) = end(run);
    let number = run.run.run;
    (
        format!("{number:>4}  {begun:<14}  {lasted:<7}  {text}"),
        role,
    )
}

/// How many lines each gets, without its heading: all if there is room, else each at least a few.
fn shares(lengths: &[usize], room: usize) -> Vec<usize> {
    let mut room = room.saturating_sub(lengths.len());
    let mut shares: Vec<usize> = Vec::with_capacity(lengths.len());
    for (n, length) in lengths.iter().enumerate() {
        let later = lengths
            .iter()
            .skip(n + 1)
            .map(|length| (*length).min(LEAST));
        let most = room.saturating_sub(later.sum()).max(LEAST.min(room));
        let share = (*length).min(most);
        room -= share;
        shares.push(share);
    }
    shares
}

fn sections(canvas: &mut Canvas<'_>, area: Rect, all: Vec<Section>) {
    let lengths: Vec<usize> = all.iter().map(|it| it.lines.len()).collect();
    let shares = shares(&lengths, usize::from(area.height));
    let mut y = area.y;
    for (mut it, share) in all.into_iter().zip(shares) {
        if y >= area.bottom() || share == 0 {
            continue;
        }
        if share < it.lines.len() {
            let left = it.lines.len() + 1 - share;
            it.lines.truncate(share - 1);
            let place = it
                .rest
                .map_or_else(String::new, |tab| format!(": tab {tab}"));
            let text = format!("{} {left} more{place}", canvas.glyphs.more);
            it.lines.push((text, Role::Text));
        }
        let place = Rect {
            y,
            height: area.bottom() - y,
            ..area
        };
        canvas.title(place, &it.title, "");
        let below = Rect {
            y: y + 1,
            height: place.height - 1,
            ..area
        };
        put(canvas, below, &it.lines);
        y += u16::try_from(share + 1).unwrap_or(u16::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_keeps_a_few_lines_whatever_stands_above() {
        assert_eq!(shares(&[5, 5], 20), [5, 5]);
        assert_eq!(shares(&[10, 10], 20), [10, 8]);
        assert_eq!(shares(&[50, 10, 2], 20), [12, 3, 2]);
        assert_eq!(shares(&[50, 50, 50], 8), [3, 2, 0]);
        assert_eq!(shares(&[], 8), Vec::<usize>::new());
    }
}
