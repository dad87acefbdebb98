//! Whether a role still answers: decided from its signs of life and from the moments at which the keeper looked.

/// How many times in a row a role that works may leave a question unanswered.
pub(crate) const MISSES: u32 = 5;
/// The same for one that has not taken over yet: it may have much to read, and what cannot be read is not read
/// faster by its successor.
pub(crate) const MISSES_AT_START: u32 = 20;

/// What follows from a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It showed a sign of life since the last look.
    Alive,
    /// It did not: ask it.
    Ask,
    /// It was asked too often in vain.
    Hung,
}

/// What the keeper remembers of one role between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pulse {
    seen: u64,
    asked: bool,
    missed: u32,
}

impl Pulse {
    /// Looks once. `beat` differs from what it was when the role showed a sign of life since; `in_time` says that the
    /// keeper itself looks when it meant to: one that was frozen knows nothing of what others did meanwhile, and
    /// begins to count anew. `most` questions in a row may stay unanswered.
    pub(crate) fn look(&mut self, beat: u64, in_time: bool, most: u32) -> Verdict {
        if beat != self.seen {
            *self = Self {
                seen: beat,
                ..Self::default()
            };
            return Verdict::Alive;
        }
        if !in_time {
            self.missed = 0;
        } else if self.asked {
            self.missed += 1;
        }
        if self.missed >= most {
            return Verdict::Hung;
        }
        self.asked = true;
        Verdict::Ask
    }

    /// Whether the last question has waited for its answer from one look to the next.
    #[must_use]
    pub(crate) fn is_late(&self) -> bool {
        self.missed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdicts over a row of looks: `b` beats before it, `.` does not, `F` does not and the keeper is late.
    fn verdicts(looks: &str) -> Vec<Verdict> {
        let (mut pulse, mut beat) = (Pulse::default(), 0);
        let mut look = |kind: char| {
            if kind == 'b' {
                beat += 1;
            }
            pulse.look(beat, kind != 'F', MISSES)
        };
        looks.chars().map(&mut look).collect()
    }

    fn hangs(looks: &str) -> bool {
        verdicts(looks).contains(&Verdict::Hung)
    }

    #[test]
    fn five_questions_in_a_row_without_an_answer_are_too_many() {
        assert!(!hangs("b....."));
        assert_eq!(verdicts("b......")[5..], [Verdict::Ask, Verdict::Hung]);
        assert!(!hangs("b.....b.....b....."), "an answer forgives all");
    }

    #[test]
    fn one_that_is_busy_is_not_asked() {
        assert_eq!(verdicts("bbb"), [Verdict::Alive; 3]);
    }

    #[test]
    fn a_keeper_that_was_frozen_itself_counts_nothing() {
        assert!(!hangs("b....F...."));
        assert!(!hangs("b.....F....F...F....F...."));
        assert!(hangs("b.....F....."));
        assert_eq!(verdicts("b.F")[2], Verdict::Ask, "it asks anew");
    }
}
