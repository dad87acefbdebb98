//! Every remark of this session, the newest first.

use ratatui::layout::Rect;

use crate::logs::safe::harmless;
use crate::tui::model::Model;
use crate::tui::screens::MessagesScreen;
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;
use crate::tui::view::clock;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, model: &Model, it: &MessagesScreen) {
    canvas.title(area, "messages of this session, newest first", "");
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    if model.messages.is_empty() {
        canvas.text(
            body.x + 1,
            body.y,
            body.width,
            "nothing was said yet",
            Role::Text,
        );
    }
    for (y, message) in (body.y..body.bottom()).zip(model.messages.iter().rev().skip(it.scroll)) {
        let x = canvas.text(body.x + 1, y, body.width, &clock(message.at_ms), Role::Text);
        let role = if message.bad { Role::Bad } else { Role::Text };
        canvas.text(
            x + 1,
            y,
            body.right().saturating_sub(x + 1),
            &harmless(&message.text),
            role,
        );
    }
}
