//! What a line has in common with those before it in memory.

use super::line::Line;
use super::pane::Pane;

/// How far back similar lines are counted, milliseconds.
const MINUTE: u64 = 60_000;
/// Of more others it is not told.
const OTHERS: usize = 4;

/// The lines that say the same as one, but for their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Kin {
    /// How many of the same instance in the minute before it.
    pub(in crate::tui) minute: u64,
    /// Whether all of that minute is in memory.
    pub(in crate::tui) whole_minute: bool,
    /// When the first of the same instance came, where it is another line.
    pub(in crate::tui) first_ms: Option<u64>,
    /// Whether memory begins where the log does.
    pub(in crate::tui) from_the_beginning: bool,
    /// How many of others in that minute.
    pub(in crate::tui) others: Vec<(String, u64)>,
}

impl Pane {
    /// What is like the line that is pointed at.
    pub(in crate::tui) fn kin(&self) -> Option<Kin> {
        let line = self.pointed()?;
        let ms = line.time_ms?;
        let place = self.buffer.index(line.number)?;
        let before = || self.buffer.range(0..place);
        let alike =
            |it: &&Line| it.likeness == line.likeness && it.at.is_some() == line.at.is_some();
        let from = ms.saturating_sub(MINUTE);
        let late = |it: &&Line| it.time_ms.is_some_and(|time| time >= from);
        let first = before().filter(alike).find(|it| it.id == line.id);
        let mut kin = Kin {
            first_ms: first.and_then(|it| it.time_ms),
            from_the_beginning: self.buffer.oldest,
            whole_minute: self.buffer.oldest || before().next().is_some_and(|it| !late(&it)),
            ..Kin::default()
        };
        for it in before().rev().take_while(late).filter(alike) {
            if it.id == line.id {
                kin.minute += 1;
            } else if let Some((_, count)) =
                kin.others.iter_mut().find(|(name, _)| *name == it.name)
            {
                *count += 1;
            } else if kin.others.len() < OTHERS {
                kin.others.push((it.name.clone(), 1));
            }
        }
        kin.others.sort();
        Some(kin)
    }
}
