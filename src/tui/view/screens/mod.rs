//! The drawings of the screens on top of the main one.

pub(super) mod activity;
mod bulk;
pub(in crate::tui) mod detail;
mod form;
pub(in crate::tui) mod log_view;
mod messages;
mod own_log;
pub(in crate::tui) mod rolling;
mod stats;
mod which_key;

use ratatui::layout::Rect;

use crate::tui::model::Model;
use crate::tui::screens::Screen;

use super::canvas::Canvas;

pub(super) use which_key::which_key;

pub(super) fn screen(canvas: &mut Canvas<'_>, area: Rect, model: &Model, screen: &Screen) {
    match screen {
        Screen::Activity(it) => activity::draw(canvas, area, model, it),
        Screen::Bulk(it) => bulk::draw(canvas, area, model, it),
        Screen::Detail(it) => detail::draw(canvas, area, model, it),
        Screen::Form(it) => form::draw(canvas, model, it),
        Screen::Logs(it) => log_view::draw(canvas, area, model, it),
        Screen::Messages(it) => messages::draw(canvas, area, model, it),
        Screen::OwnLog(it) => own_log::draw(canvas, area, model, it),
        Screen::Rolling(it) => rolling::draw(canvas, area, model, it),
        Screen::Stats => stats::draw(canvas, area, model),
    }
}
