//! Who did what and what happened by itself, the newest first; and who is here.

use ratatui::layout::Rect;

use crate::api::Activity;
use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::ActivityScreen;
use crate::tui::screens::activity::{News, is_own};
use crate::tui::theme::Role;
use crate::tui::view::canvas::{Canvas, cells};
use crate::tui::view::clock;

/// Who is here, in words; this session last.
pub(in crate::tui::view) fn here(model: &Model) -> String {
    let mut others: Vec<String> = Vec::new();
    let mut own = None;
    for client in &model.company.clients {
        if is_own(model, client) {
            own = Some(format!("{} (you)", client.who));
        } else {
            others.push(client.who.to_string());
        }
    }
    others.extend(own);
    harmless(&others.join(", "))
}

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &ActivityScreen) {
    let title = if area.width < 60 {
        "activity".to_owned()
    } else {
        "activity: who did what, and what happened by itself, newest first".to_owned()
    };
    canvas.title(area, &title, "");
    let mut body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    if model.company.clients.len() > 1 && body.height > 4 {
        let room = body.width.saturating_sub(2);
        let text = format!("{} here: {}", model.company.clients.len(), here(model));
        canvas.text(body.x + 1, body.y, room, &text, Role::Title);
        body.y += 1;
        body.height -= 1;
    }
    if model.company.activity.is_empty() {
        let room = body.width.saturating_sub(1);
        let text = "nothing is remembered yet";
        canvas.text(body.x + 1, body.y, room, text, Role::Text);
    }
    rows(canvas, body, model, it.scroll);
}

/// The pane at the bottom of a large main screen.
pub(in crate::tui::view) fn pane(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    canvas.title(
        area,
        "activity",
        "what was done and happened, newest first   4 all of it",
    );
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    rows(canvas, body, model, 0);
}

fn rows(canvas: &mut Canvas<'_>, area: Rect, model: &Model, skip: usize) {
    let newest = model.company.activity.iter().rev().skip(skip);
    for (y, it) in (area.y..area.bottom()).zip(newest) {
        row(
            canvas,
            Rect {
                y,
                height: 1,
                ..area
            },
            it,
        );
    }
}

fn row(canvas: &mut Canvas<'_>, area: Rect, it: &Activity) {
    let time: String = clock(it.at_ms).chars().take("12:03:58".len()).collect();
    let end = area.right();
    let room = |x: u16| end.saturating_sub(x);
    let mut x = canvas.text(area.x + 1, area.y, room(area.x + 1), &time, Role::Text) + 1;
    // Who did it stands below each other, where there is room.
    let actor = harmless(&it.actor());
    let column = (area.width / 4).min(34);
    if area.width >= 60 {
        canvas.text(x, area.y, column, &actor, Role::Title);
        x += column + 1;
    } else if let Some(who) = &it.who {
        let user = harmless(&who.user);
        x = canvas.text(x, area.y, room(x), &user, Role::Title) + 1;
    }
    let role = if it.bad { Role::Bad } else { Role::Text };
    canvas.text(x, area.y, room(x), &harmless(&it.words()), role);
}

/// What changed while nobody looked: a box that leaves the keys alone.
pub(in crate::tui::view) fn news(canvas: &mut Canvas<'_>, screen: Rect, it: &News) {
    let hint = "Esc puts this away, 4 has all";
    // What is below stays in sight.
    let most = usize::from(screen.height / 2).saturating_sub(3).max(1);
    let lines = it.lines.iter().take(most).map(|line| harmless(line));
    let lines: Vec<String> = lines.chain([hint.to_owned()]).collect();
    let longest = lines.iter().map(|line| cells(line)).max().unwrap_or(0);
    let width = (longest.max(cells(&it.title) + 2) + 4).min(screen.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let height = height.min(screen.height);
    let area = Rect::new(
        screen.right() - width,
        screen.bottom() - height,
        width,
        height,
    );
    let inside = canvas.frame(area, &it.title);
    for (y, line) in (inside.y..inside.bottom()).zip(&lines) {
        let role = if line == hint {
            Role::Frame
        } else {
            Role::Text
        };
        canvas.text(inside.x, y, inside.width, line, role);
    }
}
