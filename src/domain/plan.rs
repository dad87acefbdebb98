//! What would become of the capacity of a process.

use super::intent::Intent;
use super::operation::Verb;

/// One instance of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Copy {
    /// Whether it runs.
    pub(crate) up: bool,
    /// Whether it is selected.
    pub(crate) chosen: bool,
}

/// How many run, and how many would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(crate) up: u32,
    /// While it is being done, at least.
    pub(crate) least: u32,
    pub(crate) after: u32,
    /// Of how many.
    pub(crate) after_of: u32,
    /// The positions of those that are ended.
    pub(crate) ends: Vec<usize>,
}

/// What an intent does to a process with these copies, in the order of their numbers; `wanted` is how many it would
/// have after scaling.
pub(crate) fn capacity(
    intent: Intent,
    copies: &[Copy],
    max_unavailable: u32,
    wanted: u32,
) -> Capacity {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let count = |is: &dyn Fn(&Copy) -> bool| number(copies.iter().filter(|c| is(c)).count());
    let positions = |is: &dyn Fn(usize, &Copy) -> bool| -> Vec<usize> {
        let all = copies.iter().enumerate();
        all.filter(|(n, c)| is(*n, c)).map(|(n, _)| n).collect()
    };
    let (all, up) = (number(copies.len()), count(&|c| c.up));
    let chosen = count(&|c| c.chosen);
    let hit = count(&|c| c.chosen && c.up);
    let live = positions(&|_, c| c.chosen && c.up);
    let same = Capacity {
        up,
        least: up,
        after: up,
        after_of: all,
        ends: Vec::new(),
    };
    match intent {
        Intent::Do(Verb::Start) => Capacity {
            after: up + count(&|c| c.chosen && !c.up),
            ..same
        },
        Intent::Do(Verb::Stop | Verb::Kill) => Capacity {
            least: up - hit,
            after: up - hit,
            ends: live,
            ..same
        },
        Intent::Do(Verb::Delete) => Capacity {
            least: up - hit,
            after: up - hit,
            after_of: all - chosen,
            ends: live,
            ..same
        },
        Intent::Do(Verb::Restart) => Capacity {
            least: up - hit,
            after: up + count(&|c| c.chosen && !c.up),
            ends: live,
            ..same
        },
        Intent::Roll {
            max_unavailable: asked,
        } => Capacity {
            least: up - hit.min(asked.unwrap_or(max_unavailable)),
            ends: live,
            ..same
        },
        Intent::Scale { .. } => {
            let kept = usize::try_from(wanted).unwrap_or(usize::MAX);
            let ends = positions(&|n, c| n >= kept && c.up);
            let less = up - number(ends.len());
            Capacity {
                least: less,
                after: less + wanted.saturating_sub(all),
                after_of: wanted,
                ends,
                ..same
            }
        }
        // What it does with it is its own affair.
        Intent::Send(_) => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scale::Count;

    fn copies(text: &str) -> Vec<Copy> {
        // Capital: selected. u: up, d: down.
        text.chars()
            .map(|c| Copy {
                up: c.eq_ignore_ascii_case(&'u'),
                chosen: c.is_ascii_uppercase(),
            })
            .collect()
    }

    #[test]
    fn what_runs_now_meanwhile_and_afterwards() {
        let roll = |max_unavailable| Intent::Roll { max_unavailable };
        let scale = Intent::Scale { to: Count::To(1) };
        for (intent, text, numbers, ends) in [
            (Intent::Do(Verb::Stop), "UUUU", (4, 0, 0, 4), 4),
            (Intent::Do(Verb::Stop), "uUuD", (3, 2, 2, 4), 1),
            (Intent::Do(Verb::Delete), "uUuD", (3, 2, 2, 2), 1),
            (Intent::Do(Verb::Restart), "UUD", (2, 0, 3, 3), 2),
            (Intent::Do(Verb::Start), "UD", (1, 1, 2, 2), 0),
            (roll(None), "UUUU", (4, 2, 4, 4), 4),
            (roll(Some(1)), "UUUU", (4, 3, 4, 4), 4),
            (roll(Some(9)), "UUUU", (4, 0, 4, 4), 4),
            (scale, "UUD", (2, 1, 1, 1), 1),
        ] {
            let it = capacity(intent, &copies(text), 2, 1);
            assert_eq!(
                (it.up, it.least, it.after, it.after_of),
                numbers,
                "{intent:?} {text}"
            );
            assert_eq!(it.ends.len(), ends, "{intent:?} {text}");
        }
        let more = Intent::Scale { to: Count::To(5) };
        let it = capacity(more, &copies("UUD"), 1, 5);
        assert_eq!((it.up, it.least, it.after, it.after_of), (2, 2, 4, 5));
    }
}
