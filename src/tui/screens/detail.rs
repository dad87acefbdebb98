//! Everything about one instance.

use crate::api::Detail;
use crate::domain::names::InstanceId;
use crate::tui::keymap::Action;
use crate::tui::model::{Model, Target};
use crate::tui::msg::Cmd;
use crate::tui::query::{Answer, Query, Ticket};
use crate::tui::regions::regions;

use super::{Handled, Screen, scrolled};

/// What is known of it so far.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) enum Known {
    Asked,
    Told(Box<Detail>),
    Refused(String),
}

/// One instance.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) struct DetailScreen {
    pub(in crate::tui) id: InstanceId,
    pub(in crate::tui) name: String,
    pub(in crate::tui) ticket: Ticket,
    pub(in crate::tui) known: Known,
    pub(in crate::tui) scroll: usize,
}

impl DetailScreen {
    pub(super) fn take(&mut self, answer: Result<Answer, String>) {
        self.known = match answer {
            Err(why) => Known::Refused(why),
            Ok(answer) => match answer
                .details()
                .into_iter()
                .find(|it| it.instance.id == self.id)
            {
                Some(detail) => Known::Told(Box::new(detail)),
                None => Known::Refused("it is gone".into()),
            },
        };
    }
}

/// Opens the screen for what is selected; of a process, for its first instance.
pub(in crate::tui) fn open(model: &mut Model, commands: &mut Vec<Cmd>) {
    let id = match &model.selected {
        Some(Target::Instance(id)) => Some(*id),
        Some(Target::Process(key)) => model.members(key).first().map(|row| row.view.id),
        None => None,
    };
    let Some((id, name)) = id.and_then(|id| Some((id, model.rows.get(&id)?.name()))) else {
        return;
    };
    let ticket = model.ticket();
    commands.push(Cmd::Fetch {
        ticket,
        query: Query::Detail {
            select: id.to_string(),
        },
    });
    model.screens.push(Screen::Detail(DetailScreen {
        id,
        name,
        ticket,
        known: Known::Asked,
        scroll: 0,
    }));
}

pub(super) fn act(model: &mut Model, action: Action) -> Handled {
    let page = usize::from(regions(model).screen.height);
    let last = crate::tui::view::screens::detail::height(model).saturating_sub(1);
    let Some(Screen::Detail(it)) = model.screens.last_mut() else {
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
