//! What a log view asks the daemon for, and what it hears.

use std::time::Duration;

use crate::api::{LogEventsQuery, LogHistogramQuery, LogPageQuery, LogQuery, LogSearchQuery};
use crate::tui::msg::Cmd;
use crate::tui::query::{Query, Ticket, Tickets};

/// What asking takes.
pub(in crate::tui) struct Asking<'a> {
    pub(in crate::tui) tickets: &'a mut Tickets,
    pub(in crate::tui) commands: &'a mut Vec<Cmd>,
    /// Whether there is anybody to ask.
    pub(in crate::tui) live: bool,
    /// Since the dashboard began.
    pub(in crate::tui) now: Duration,
    /// Wall-clock milliseconds.
    pub(in crate::tui) wall_ms: u64,
    /// What is to be said, and whether it is bad.
    pub(in crate::tui) remarks: Vec<(String, bool)>,
}

/// What came of looking for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum Found {
    /// It is where the pane stands now.
    Here,
    /// The daemon is asked.
    Asked,
    /// There is none in this direction.
    None,
}

impl Asking<'_> {
    pub(in crate::tui) fn remark(&mut self, text: impl Into<String>, bad: bool) {
        self.remarks.push((text.into(), bad));
    }

    pub(in crate::tui) fn page(&mut self, query: LogPageQuery) -> Ticket {
        let ticket = self.tickets.next();
        let query = Query::LogPage(query);
        self.commands.push(Cmd::Fetch { ticket, query });
        ticket
    }

    pub(super) fn histogram(&mut self, query: LogHistogramQuery) -> Ticket {
        let ticket = self.tickets.next();
        let query = Query::LogHistogram(query);
        self.commands.push(Cmd::Fetch { ticket, query });
        ticket
    }

    pub(super) fn events(&mut self, query: LogEventsQuery) -> Ticket {
        let ticket = self.tickets.next();
        let query = Query::LogEvents(query);
        self.commands.push(Cmd::Fetch { ticket, query });
        ticket
    }

    pub(super) fn follow(&mut self, query: LogQuery) -> Ticket {
        let ticket = self.tickets.next();
        self.commands.push(Cmd::Stream { ticket, query });
        ticket
    }

    pub(in crate::tui) fn search(&mut self, query: LogSearchQuery) -> Ticket {
        let ticket = self.tickets.next();
        self.commands.push(Cmd::Search { ticket, query });
        ticket
    }

    /// Ends a stream or a search.
    pub(in crate::tui) fn close(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.commands.push(Cmd::Close { ticket });
        }
    }
}
