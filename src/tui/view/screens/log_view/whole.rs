//! One line with all of it, and what is around it: when and by whom, unwrapped, whole, what is like it, its fields.

use ratatui::layout::Rect;

use crate::config::units::short_size;
use crate::logs::safe::harmless;
use crate::tui::log::{Kin, Line, Pane, Times, breaks, whole as moment};
use crate::tui::screens::log_view::{LogView, Whole};
use crate::tui::theme::Role;
use crate::tui::update::stream_word;
use crate::tui::view::canvas::{Canvas, cells};

use super::lines::pieces;

/// Below this height the line alone has room.
const KIN_FROM: u16 = 6;

pub(super) fn whole(canvas: &mut Canvas<'_>, area: Rect, view: &LogView, it: &Whole) {
    let Some(line) = view.pane().and_then(Pane::pointed) else {
        return;
    };
    canvas.title(area, "the line", "j k another  Enter closes");
    let parts = Parts::of(line, it, area);
    let inside = parts.inside;
    let below = Flow::of(&pairs(&facts(line)), parts.half()).draw(canvas);
    let text = it.text.as_ref().unwrap_or(&line.text);
    let starts = breaks(text, usize::from(inside.width));
    let mut y = below;
    for start in starts
        .into_iter()
        .skip(it.skip)
        .take(usize::from(parts.room))
    {
        if y >= inside.bottom() {
            return;
        }
        pieces(canvas, (inside.x, y, inside.width), text, (start, 0), &[]);
        y += 1;
    }
    y = Flow::of(&pairs(&it.fields), parts.fields_from(y)).draw(canvas);
    if let Some(kin) = it
        .kin
        .as_ref()
        .filter(|_| parts.has_kin && y < inside.bottom())
    {
        canvas.text(inside.x, y, inside.width, &kin_words(kin), Role::Waiting);
    }
}

/// How many rows of the text are seen at once.
pub(in crate::tui) fn text_rows(line: &Line, it: &Whole, area: Rect) -> u16 {
    Parts::of(line, it, area).room
}

/// How the area is divided.
struct Parts {
    inside: Rect,
    room: u16,
    has_kin: bool,
}

impl Parts {
    fn of(line: &Line, it: &Whole, area: Rect) -> Self {
        let inside = Rect {
            x: area.x + 1,
            y: area.y + 1,
            width: area.width.saturating_sub(2),
            height: area.height.saturating_sub(1),
        };
        let mut parts = Self {
            inside,
            room: 0,
            has_kin: it.kin.is_some() && area.height >= KIN_FROM,
        };
        let facts = Flow::of(&pairs(&facts(line)), parts.half()).rows();
        let rest = inside.height - facts.min(parts.half().height);
        let rest = rest.saturating_sub(u16::from(parts.has_kin));
        // The fields keep their room when the text is long.
        let fields = Flow::of(&pairs(&it.fields), parts.fields_from(inside.y)).rows();
        parts.room = rest.saturating_sub(fields.min(rest / 2)).max(1);
        parts
    }

    /// What is known besides what the line says takes no more than half.
    fn half(&self) -> Rect {
        Rect {
            height: self.inside.height / 2,
            ..self.inside
        }
    }

    fn fields_from(&self, y: u16) -> Rect {
        Rect {
            x: self.inside.x + 2,
            y,
            width: self.inside.width.saturating_sub(2),
            height: self.inside.bottom().saturating_sub(y),
        }
    }
}

fn pairs<K: AsRef<str>>(all: &[(K, String)]) -> Vec<(&str, &str)> {
    all.iter()
        .map(|(name, value)| (name.as_ref(), &**value))
        .collect()
}

/// Names with what they stand for, one behind the other, in as many rows as they need.
struct Flow<'a> {
    area: Rect,
    /// Where each begins.
    parts: Vec<(u16, u16, &'a str, &'a str)>,
}

impl<'a> Flow<'a> {
    fn of(parts: &[(&'a str, &'a str)], area: Rect) -> Self {
        let (mut x, mut y) = (area.x, area.y);
        let placed = parts.iter().map(|(name, value)| {
            let wide = cells(name).saturating_add(1).saturating_add(cells(value));
            if x > area.x && x.saturating_add(wide) > area.right() {
                (x, y) = (area.x, y.saturating_add(1));
            }
            let at = x;
            x = x.saturating_add(wide).saturating_add(3);
            (at, y, *name, *value)
        });
        Self {
            parts: placed.collect(),
            area,
        }
    }

    fn rows(&self) -> u16 {
        self.parts.last().map_or(0, |part| part.1 + 1 - self.area.y)
    }

    /// Draws what there is room for; returns the row behind.
    fn draw(&self, canvas: &mut Canvas<'_>) -> u16 {
        let area = self.area;
        for (x, y, name, value) in &self.parts {
            if *y >= area.bottom() {
                return area.bottom();
            }
            let room = |x: u16| area.right().saturating_sub(x);
            let end = canvas.text(*x, *y, room(*x), name, Role::Title) + 1;
            canvas.text(end, *y, room(end), value, Role::Text);
        }
        (area.y + self.rows()).min(area.bottom())
    }
}

/// What is known of it besides what it says.
fn facts(line: &Line) -> Vec<(&'static str, String)> {
    let run = line
        .run
        .map_or_else(String::new, |run| format!(" run {run}"));
    let mut facts = vec![
        ("time", moment(line.time_ms)),
        ("process", format!("{}{run}", harmless(&line.name))),
    ];
    match line.at {
        Some(at) => {
            facts.push(("stream", stream_word(Some(at.stream)).to_owned()));
            facts.extend(line.level.map(|level| ("level", level.name().to_owned())));
            facts.push(("cursor", at.to_string()));
            facts.push(("length", short_size(line.length as u64)));
        }
        None => facts.push(("said by", "adasa".to_owned())),
    }
    facts
}

/// `3 similar in the minute before, the first at 11:52:10, 2 of api-1`.
fn kin_words(kin: &Kin) -> String {
    let least = if kin.whole_minute { "" } else { "at least " };
    let mut words = vec![format!(
        "{least}{} similar in the minute before",
        kin.minute
    )];
    words.push(match kin.first_ms {
        None if kin.from_the_beginning => "this is the first".to_owned(),
        None => "none in memory is earlier".to_owned(),
        Some(ms) => {
            let clock = Times::Clock.text(Some(ms), None, ms);
            let memory = if kin.from_the_beginning {
                ""
            } else {
                " in memory"
            };
            format!("the first{memory} at {clock}")
        }
    });
    let others = kin.others.iter();
    words.extend(others.map(|(name, count)| format!("{count} of {}", harmless(name))));
    words.join(", ")
}
