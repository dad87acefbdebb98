//! Every remark of this session.

use crate::tui::keymap::Action;
use crate::tui::model::Model;
use crate::tui::regions::regions;

use super::{Handled, Screen, scrolled};

/// The newest are first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::tui) struct MessagesScreen {
    pub(in crate::tui) scroll: usize,
}

pub(super) fn act(model: &mut Model, action: Action) -> Handled {
    let page = usize::from(regions(model).screen.height);
    let last = model.messages.len().saturating_sub(1);
    let Some(Screen::Messages(it)) = model.screens.last_mut() else {
        return Handled::No;
    };
    match scrolled(it.scroll, action, page, last) {
        Some(to) => {
            it.scroll = to;
            Handled::Yes
        }
        None => Handled::No,
    }
}
