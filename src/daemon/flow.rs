//! How much all programs log, by what the scribes say while somebody listens; and the switch for that.

use crate::domain::rate::Rate;
use crate::keeper::protocol::ToScribe;

use super::message::Deed;
use super::supervisor::Supervisor;

/// What the scribes said so far.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// How many readers follow a log.
    followers: usize,
    /// The scribes have been told to say what grows.
    pub(super) watched: bool,
    /// Bytes that were taken out of the pipes of programs, since anybody wanted to know.
    taken: u64,
    /// A scribe of an older build does not say how much.
    unsaid: bool,
    rate: Rate,
}

impl Flow {
    /// A scribe says that so many bytes were taken.
    pub(super) fn grew(&mut self, taken: Option<u64>) {
        match taken {
            Some(bytes) => self.taken = self.taken.saturating_add(bytes),
            None => self.unsaid = true,
        }
    }

    /// Bytes a second since the look before; none while that is not known.
    pub(super) fn per_second(&mut self, now_ns: u64) -> Option<u64> {
        if !self.watched || self.unsaid {
            return None;
        }
        self.rate.per_second(now_ns, self.taken)
    }
}

impl Supervisor {
    /// A reader of a log begins to follow, or ends.
    pub(super) fn follower(&mut self, joined: bool) {
        let before = self.flow.followers;
        self.flow.followers = if joined {
            before + 1
        } else {
            before.saturating_sub(1)
        };
    }

    /// The scribes tell what grew only while somebody wants to know: who follows a log, or who is told what happens.
    pub(super) fn watch_growth(&mut self) {
        let on = self.flow.followers > 0 || self.hub.has_listeners();
        if on != self.flow.watched {
            self.flow = Flow {
                followers: self.flow.followers,
                watched: on,
                ..Flow::default()
            };
            // What is known without having been told of everything is worth nothing.
            self.voices = super::voices::Voices::default();
            self.deeds.push(Deed::Scribe(ToScribe::Watch { on }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn how_much_is_logged_is_known_from_the_second_look_on_and_while_it_is_watched() {
        let mut flow = Flow::default();
        flow.grew(Some(5000));
        assert_eq!(flow.per_second(SECOND), None);
        flow.watched = true;
        assert_eq!(flow.per_second(2 * SECOND), None);
        flow.grew(Some(300));
        flow.grew(Some(100));
        assert_eq!(flow.per_second(4 * SECOND), Some(200));
        assert_eq!(flow.per_second(5 * SECOND), Some(0));
    }

    #[test]
    fn a_scribe_that_does_not_say_how_much_makes_it_unknown() {
        let mut flow = Flow {
            watched: true,
            ..Flow::default()
        };
        assert_eq!(flow.per_second(SECOND), None);
        flow.grew(None);
        assert_eq!(flow.per_second(2 * SECOND), None);
    }
}
