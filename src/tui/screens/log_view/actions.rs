//! What each key does in the view.

use crate::api::LogPageQuery;
use crate::logs::safe::SHOWN_MAX;
use crate::tui::keymap::Action;
use crate::tui::log::{Aim, Asking, Pane, Row, Shape, Way, breaks, fields};
use crate::tui::msg::{Cmd, Saving};
use crate::tui::screens::Handled;
use crate::tui::view::screens::log_view::text_rows;

use super::{Areas, Grip, LogView, Whole, is_large, next_level};

/// More is not for a clipboard, bytes.
const COPY_MAX: usize = 72 * 1024;

impl LogView {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other actions are not of this view"
    )]
    pub(super) fn act(
        &mut self,
        action: Action,
        areas: &Areas,
        asking: &mut Asking<'_>,
    ) -> Handled {
        let shape = self.shape(areas, self.at);
        if let Some(by) = rows(action, shape) {
            self.shift(by, areas, shape);
            return Handled::Yes;
        }
        let half = (shape.width / 2).max(1);
        match action {
            Action::Back => return self.back(asking),
            Action::First => self.with(|pane| pane.go_to_top(shape, asking)),
            Action::Last => self.with(|pane| pane.follow(asking)),
            Action::Follow => self.with(|pane| {
                if pane.is_following() {
                    pane.pause(shape);
                } else {
                    pane.follow(asking);
                }
            }),
            Action::Stream => self.with(|pane| pane.rescope(|s| s.next_stream(), asking)),
            Action::Level => {
                self.with(|pane| pane.rescope(|s| s.level = next_level(s.level), asking));
            }
            Action::Times => self.times = self.times.next(),
            Action::Wrap => {
                self.wrap = !self.wrap;
                self.left = 0;
            }
            Action::Similar => {
                self.similar = self.similar.next();
                asking.remark(self.similar.to_string(), false);
            }
            Action::CursorBack | Action::CursorOn if areas.strip.is_some_and(is_large) => {
                let way = if action == Action::CursorBack {
                    Way::Back
                } else {
                    Way::On
                };
                self.turn(way, shape, asking);
            }
            Action::CursorBack => return self.act(Action::Left, areas, asking),
            Action::CursorOn => return self.act(Action::Right, areas, asking),
            Action::Left => self.left = self.left.saturating_sub(half),
            Action::Right if self.wrap => {
                asking.remark("lines are wrapped: w turns that off", false);
            }
            Action::Right => {
                let widest = self.widest(shape);
                self.left = (self.left + half).min(widest.saturating_sub(half));
            }
            Action::LineStart => self.left = 0,
            Action::LineEnd if !self.wrap => {
                self.left = self.widest(shape).saturating_sub(shape.width);
            }
            Action::LineEnd => {}
            Action::HitNext => self.seek(Aim::Hit, Way::On, shape, asking),
            Action::HitPrevious => self.seek(Aim::Hit, Way::Back, shape, asking),
            Action::ErrorNext => self.seek(Aim::Error, Way::On, shape, asking),
            Action::ErrorPrevious => self.seek(Aim::Error, Way::Back, shape, asking),
            Action::RunNext => self.seek(Aim::Run, Way::On, shape, asking),
            Action::RunPrevious => self.seek(Aim::Run, Way::Back, shape, asking),
            Action::LineMark => self.with(|pane| pane.mark(shape)),
            Action::ToMark => match self.pane().and_then(Pane::next_mark) {
                Some(mark) => self.with(|pane| pane.go_to(mark, shape, asking)),
                None => asking.remark("no line is marked: m marks one", false),
            },
            Action::NextPane => {
                self.at = (self.at + 1) % self.panes.len().max(1);
                self.whole = None;
            }
            Action::PreviousPane => {
                let all = self.panes.len().max(1);
                self.at = (self.at + all - 1) % all;
                self.whole = None;
            }
            Action::PaneClose => self.close_pane(asking),
            Action::PaneArrange => self.side = !self.side,
            Action::Select => self.with(|pane| pane.select(shape)),
            Action::Copy => self.copy(asking),
            Action::Whole => self.open_whole(shape, asking),
            Action::Plain => self.plain(areas, asking),
            Action::Pager => self.page(asking),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    /// All panes go to the nearest column of the histogram that has lines; behind the last they follow.
    fn turn(&mut self, way: Way, shape: Shape, asking: &mut Asking<'_>) {
        let Some(pane) = self.panes.get_mut(self.at) else {
            return;
        };
        let here = pane.moment(shape).and_then(|ms| self.strip.column(ms));
        let here = here.unwrap_or(self.strip.buckets.len());
        match (self.strip.next(here, way), way) {
            (Some(ms), _) => pane.open_at(ms, shape, asking),
            (None, Way::On) => pane.follow(asking),
            (None, Way::Back) => asking.remark("no line is earlier in the histogram", false),
        }
    }

    fn with(&mut self, work: impl FnOnce(&mut Pane)) {
        if let Some(pane) = self.panes.get_mut(self.at) {
            work(pane);
        }
    }

    fn shift(&mut self, by: isize, areas: &Areas, shape: Shape) {
        // Pages are of the line that is open; single steps go from line to line.
        if let (Some(whole), Some(area)) = (&self.whole, areas.whole)
            && by.unsigned_abs() > 1
        {
            let width = usize::from(area.width.saturating_sub(2));
            let line = self.pane().and_then(Pane::pointed);
            let rows = line.map_or(0, |line| {
                breaks(whole.text.as_ref().unwrap_or(&line.text), width).len()
            });
            let page = line.map_or(1, |line| text_rows(line, whole, area));
            let page = isize::try_from(page).unwrap_or(1);
            let skip = whole.skip.saturating_add_signed(page * by.signum());
            if let Some(whole) = &mut self.whole {
                whole.skip = skip.min(rows.saturating_sub(1));
            }
            return;
        }
        let steps = self.whole.is_some();
        self.with(|pane| {
            if steps || pane.is_selecting() {
                pane.step(by, shape);
            } else {
                pane.scroll(by, shape);
            }
        });
    }

    /// Closes the innermost thing.
    fn back(&mut self, asking: &mut Asking<'_>) -> Handled {
        let pane = self.panes.get_mut(self.at);
        if pane.is_some_and(Pane::end_selection)
            || self.whole.take().is_some()
            || self.end_seek(asking)
            || self.end_count(asking)
            || self.end_search(asking)
        {
            Handled::Yes
        } else {
            Handled::No
        }
    }

    /// How many cells the widest line takes that is seen.
    fn widest(&self, shape: Shape) -> usize {
        let rows = self.pane().map(|pane| pane.rows(shape)).unwrap_or_default();
        let widths = rows.iter().map(|row| match row {
            Row::Text(line, _) => line.shown(self.controls).width(),
            Row::Gap(_) | Row::Run(_) => 0,
        });
        widths.max().unwrap_or(0)
    }

    fn close_pane(&mut self, asking: &mut Asking<'_>) {
        if self.panes.len() < 2 {
            asking.remark("this is the only pane: q leaves the view", false);
            return;
        }
        if self.at < self.panes.len() {
            let mut gone = self.panes.remove(self.at);
            gone.hush(asking);
        }
        self.end_seek(asking);
        self.at = self.at.min(self.panes.len() - 1);
        self.whole = None;
        self.locked_to = None;
    }

    fn copy(&mut self, asking: &mut Asking<'_>) {
        let Some(pane) = self.panes.get_mut(self.at) else {
            return;
        };
        let lines: Vec<String> = pane.chosen().iter().map(|line| line.bare()).collect();
        let text = lines.join("\n");
        if text.len() > COPY_MAX {
            let size = text.len() / 1024;
            asking.remark(
                format!("{size} KiB are too much to copy: W saves them"),
                true,
            );
            return;
        }
        pane.end_selection();
        asking.commands.push(Cmd::Copy(text));
    }

    /// Gives what would be saved to the pager.
    fn page(&self, asking: &mut Asking<'_>) {
        if !asking.live {
            asking.remark("not connected: the lines are with the daemon", true);
        } else if let Some(what) = self.saving() {
            asking.commands.push(Cmd::Page(what));
        } else {
            asking.remark("no line of a process is selected", false);
        }
    }

    /// The mouse on its lines.
    pub(super) fn grip(&mut self, grip: Grip, areas: &Areas, asking: &mut Asking<'_>) {
        let (Grip::Press(at) | Grip::Drag(at)) = grip else {
            // Several lines were drawn over: they are wanted.
            if self.pane().is_some_and(Pane::is_selecting) {
                self.copy(asking);
            }
            return;
        };
        let found = areas.panes.iter().position(|area| area.body.contains(at));
        let Some(n) = found.filter(|n| matches!(grip, Grip::Press(_)) || *n == self.at) else {
            return;
        };
        self.at = n;
        let shape = self.shape(areas, n);
        let Some((pane, area)) = self.panes.get_mut(n).zip(areas.panes.get(n)) else {
            return;
        };
        let rows = pane.rows(shape);
        let row = rows.get(usize::from(at.y - area.body.y)).or(rows.last());
        let number = row.map(|row| match row {
            Row::Gap(line) | Row::Run(line) | Row::Text(line, _) => line.number,
        });
        let Some(number) = number else {
            return;
        };
        pane.pause(shape);
        match grip {
            Grip::Drag(_) => pane.select_to(number),
            Grip::Press(_) | Grip::Release => {
                pane.end_selection();
                pane.point_here(number);
            }
        }
    }

    /// What is to be saved: the selection, or all that passes the filter.
    pub(super) fn saving(&self) -> Option<Saving> {
        let pane = self.pane()?;
        if !pane.is_selecting() {
            return Some(Saving::All(pane.everything()));
        }
        let chosen: Vec<_> = pane.chosen().iter().filter_map(|line| line.at).collect();
        Some(Saving::Page(LogPageQuery {
            cursor: Some((*chosen.first()?).into()),
            after: chosen.len(),
            ..pane.page()
        }))
    }

    /// Opens or closes the line for itself; on a gap, reads what is missing.
    fn open_whole(&mut self, shape: Shape, asking: &mut Asking<'_>) {
        if self.whole.take().is_some() {
            return;
        }
        let Some(pane) = self.panes.get_mut(self.at) else {
            return;
        };
        pane.pause(shape);
        if !pane.fill_gap(asking) {
            self.show_whole(asking);
        }
    }

    /// The line that is pointed at, with all of it.
    pub(super) fn show_whole(&mut self, asking: &mut Asking<'_>) {
        let Some(pane) = self.panes.get(self.at) else {
            return;
        };
        let Some(line) = pane.pointed() else {
            return;
        };
        let long = line.at.filter(|_| line.length > SHOWN_MAX && asking.live);
        let ticket = long.map(|at| {
            asking.page(LogPageQuery {
                cursor: Some(at.into()),
                after: 1,
                ..pane.page()
            })
        });
        self.whole = Some(Whole {
            number: line.number,
            ticket,
            text: None,
            fields: fields(&line.text.plain()),
            kin: pane.kin(),
            skip: 0,
        });
    }

    /// The lines that are seen, for the terminal's own selection.
    fn plain(&self, areas: &Areas, asking: &mut Asking<'_>) {
        let mut lines = Vec::new();
        for (n, pane) in self.panes.iter().enumerate() {
            let shape = self.shape(areas, n);
            for row in pane.rows(shape) {
                if let Row::Text(line, 0) = row {
                    lines.push(line.plain());
                }
            }
        }
        asking.commands.push(Cmd::Plain(lines));
    }
}

/// How far an action moves, in rows.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other actions are not moves"
)]
fn rows(action: Action, shape: Shape) -> Option<isize> {
    let page = isize::try_from(shape.height.max(2) - 1).unwrap_or(1);
    Some(match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::HalfUp => -(page / 2).max(1),
        Action::HalfDown => (page / 2).max(1),
        _ => return None,
    })
}
