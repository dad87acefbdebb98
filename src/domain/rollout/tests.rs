//! Every order of events on up to four instances and four at once: the invariants, and the tables of
//! `docs/state-machine.md`.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use super::*;

/// What is true of an instance; the machine only sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Truth {
    OldUp,
    OldDown,
    Ending,
    NewDown,
    NewUp,
    Stable,
    Broken,
    OldLeft,
    NewLeft,
}

const TRUTHS: [Truth; 9] = [
    Truth::OldUp,
    Truth::OldDown,
    Truth::Ending,
    Truth::NewDown,
    Truth::NewUp,
    Truth::Stable,
    Truth::Broken,
    Truth::OldLeft,
    Truth::NewLeft,
];

impl Truth {
    fn sight(self) -> Sight {
        match self {
            Self::OldUp => Sight::Old { up: true },
            Self::OldDown => Sight::Old { up: false },
            Self::Ending => Sight::Ending,
            Self::NewDown => Sight::New { up: false },
            Self::NewUp => Sight::New { up: true },
            Self::Stable => Sight::Stable,
            Self::Broken => Sight::Failed,
            Self::OldLeft | Self::NewLeft => Sight::Left,
        }
    }

    /// What it can become by itself, by the rollout, and by a stop.
    fn next(self) -> &'static [Truth] {
        match self {
            Self::OldUp => &[Self::OldDown, Self::OldLeft],
            Self::OldDown => &[Self::OldUp, Self::NewDown, Self::OldLeft],
            Self::Ending => &[Self::NewDown, Self::Broken, Self::OldLeft],
            Self::NewDown => &[Self::NewUp, Self::Broken, Self::NewLeft],
            Self::NewUp => &[Self::Stable, Self::Broken, Self::NewLeft],
            Self::Stable => &[Self::Broken, Self::NewLeft],
            Self::Broken | Self::OldLeft | Self::NewLeft => &[],
        }
    }

    /// What it can become by a start, by a restart of somebody else, and by a later attempt.
    fn next_by_hand(self) -> &'static [Truth] {
        match self {
            Self::OldUp => &[Self::Ending],
            Self::OldLeft => &[Self::Ending, Self::NewDown],
            Self::NewUp | Self::Stable | Self::Broken | Self::NewLeft => &[Self::NewDown],
            Self::OldDown | Self::Ending | Self::NewDown => &[],
        }
    }

    fn serves(self) -> bool {
        matches!(self, Self::OldUp | Self::NewUp | Self::Stable)
    }
}

/// A rollout that sees these for the first time.
fn begin(plan: &Plan, whole: Whole, truths: &[Truth]) -> (Rollout, Vec<Effect>) {
    let blank = Rollout::new(whole, vec![Place::Waiting; truths.len()]);
    step(plan, &blank, Event::Saw(&sights_of(truths)))
}

fn sights_of(truths: &[Truth]) -> Vec<Sight> {
    truths.iter().map(|truth| truth.sight()).collect()
}

fn plan(max_unavailable: u32) -> Plan {
    Plan {
        max_unavailable: NonZeroU32::new(max_unavailable).unwrap(),
        stable: Duration::from_secs(10),
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    rollout: Rollout,
    truths: Vec<Truth>,
    /// Which the rollout has restarted, one bit each.
    asked: u8,
}

fn bit(position: usize) -> u8 {
    1 << position
}

/// Carries out what was decided, and looks at it.
fn carry_out(plan: &Plan, before: &State, mut after: State, effects: &[Effect]) -> State {
    let context = || format!("{plan:?}\n{before:?}\n{after:?}\n{effects:?}");
    let most = plan.max_unavailable.get() as usize;
    let taken: Vec<usize> = effects
        .iter()
        .map(|Effect::Restart(place)| *place)
        .collect();
    if !taken.is_empty() {
        assert_eq!(after.rollout.whole(), Whole::Advancing, "{}", context());
        let flying = |p: &Place| p.is_in_flight();
        let under_way = after.rollout.places().iter().filter(|p| flying(p)).count();
        assert_eq!(
            under_way,
            taken.len(),
            "a batch beside another: {}",
            context()
        );
        assert!(taken.len() <= most, "{}", context());
        for place in &taken {
            let old = matches!(before.truths[*place], Truth::OldUp | Truth::OldDown)
                || matches!(after.truths[*place], Truth::OldUp | Truth::OldDown);
            assert!(old, "only the old are replaced: {}", context());
            assert_eq!(before.asked & bit(*place), 0, "twice: {}", context());
        }
        let takes_down = taken.iter().any(|p| after.truths[*p] == Truth::OldUp);
        let missing = after.truths.iter().enumerate().filter(|(place, truth)| {
            truth.sight() != Sight::Left && (!truth.serves() || taken.contains(place))
        });
        let missing = missing.count();
        assert!(
            !takes_down || missing <= most,
            "{missing} are not there: {}",
            context()
        );
    }
    for place in taken {
        after.truths[place] = Truth::Ending;
        after.asked |= bit(place);
    }
    let by_us = after.truths.iter().enumerate().filter(|(place, truth)| {
        after.asked & bit(*place) != 0 && before.asked & bit(*place) == 0 && !truth.serves()
    });
    assert!(by_us.count() <= most);
    after
}

fn check(plan: &Plan, before: &State, event: Event<'_>, after: &State, effects: &[Effect]) {
    let context = || format!("{plan:?}\n{before:?}\n{event:?}\n{after:?}\n{effects:?}");
    let (was, is) = (before.rollout.whole(), after.rollout.whole());
    if was.is_final() {
        assert_eq!(is, was, "{}", context());
        assert!(effects.is_empty(), "{}", context());
    }
    if was == Whole::Paused && event != Event::Resume {
        assert!(effects.is_empty(), "{}", context());
        assert_ne!(is, Whole::Advancing, "{}", context());
    }
    let places = after.rollout.places();
    match is {
        Whole::Halted => assert!(places.contains(&Place::Failed), "{}", context()),
        Whole::Completed if was != is => {
            let over = |p: &Place| matches!(p, Place::Done | Place::Left);
            assert!(places.iter().all(over), "{}", context());
        }
        // Nothing waits for nothing.
        Whole::Advancing => assert!(places.iter().any(|p| p.is_in_flight()), "{}", context()),
        Whole::Paused => assert!(
            places
                .iter()
                .any(|p| !matches!(p, Place::Done | Place::Left))
        ),
        Whole::Aborted | Whole::Completed => {}
    }
    if !was.is_final() {
        assert!(
            is == Whole::Halted || !places.contains(&Place::Failed),
            "{}",
            context()
        );
    }
}

fn every_order(instances: usize, max_unavailable: u32) -> usize {
    let plan = plan(max_unavailable);
    let mut queue = VecDeque::new();
    let mut seen = HashSet::new();
    // At the beginning each may be up, down, or not wanted; what is there of a new run comes with a new daemon.
    let starts = [Truth::OldUp, Truth::OldDown, Truth::OldLeft];
    for number in 0..starts.len().pow(u32::try_from(instances).unwrap()) {
        let truths: Vec<Truth> = (0..instances)
            .map(|n| starts[number / starts.len().pow(u32::try_from(n).unwrap()) % starts.len()])
            .collect();
        let (rollout, effects) = begin(&plan, Whole::Advancing, &truths);
        let first = State {
            rollout,
            truths,
            asked: 0,
        };
        let state = carry_out(&plan, &first.clone(), first, &effects);
        if seen.insert(state.clone()) {
            queue.push_back(state);
        }
    }
    let mut cells = 0;
    while let Some(before) = queue.pop_front() {
        let mut outcomes = Vec::new();
        for event in [Event::Pause, Event::Resume, Event::Abort] {
            outcomes.push((Some(event), before.truths.clone()));
        }
        for place in 0..instances {
            let mut nexts = before.truths[place].next().to_vec();
            // With four instances all of it would take minutes.
            if instances < 4 {
                nexts.extend(before.truths[place].next_by_hand());
            }
            for truth in &nexts {
                let mut truths = before.truths.clone();
                truths[place] = *truth;
                outcomes.push((None, truths));
            }
        }
        for (event, truths) in outcomes {
            cells += 1;
            let seen_now = sights_of(&truths);
            let event = event.unwrap_or(Event::Saw(&seen_now));
            let (rollout, effects) = step(&plan, &before.rollout, event);
            let after = State {
                rollout,
                truths,
                asked: before.asked,
            };
            check(&plan, &before, event, &after, &effects);
            let after = carry_out(&plan, &before, after, &effects);
            // What is over is not followed further: nothing is begun any more, as was just checked.
            if !after.rollout.is_over() && seen.insert(after.clone()) {
                queue.push_back(after);
            }
        }
    }
    cells
}

#[test]
fn no_order_of_events_breaks_the_promises() {
    let mut cells = 0;
    for instances in 1..=4 {
        for max_unavailable in 1..=4 {
            cells += every_order(instances, max_unavailable);
        }
    }
    println!("{cells} cells");
    assert!(cells > 100_000, "only {cells} cells were visited");
}

/// A daemon that dies remembers the whole, and sees the rest.
#[test]
fn a_new_daemon_restarts_nothing_that_the_old_one_restarted() {
    for max_unavailable in 1..=4 {
        for number in 0..TRUTHS.len().pow(4) {
            let truths: Vec<Truth> = (0..4)
                .map(|n| TRUTHS[number / 9_usize.pow(n) % 9])
                .collect();
            for whole in [
                Whole::Advancing,
                Whole::Paused,
                Whole::Halted,
                Whole::Aborted,
                Whole::Completed,
            ] {
                let (rollout, effects) = begin(&plan(max_unavailable), whole, &truths);
                if whole != Whole::Advancing {
                    assert!(effects.is_empty(), "{whole:?} {truths:?}");
                }
                let broken = truths.contains(&Truth::Broken);
                let flying = truths
                    .iter()
                    .any(|t| matches!(t, Truth::Ending | Truth::NewDown | Truth::NewUp));
                assert!(effects.is_empty() || !(broken || flying), "{truths:?}");
                for Effect::Restart(place) in &effects {
                    let old = matches!(truths[*place], Truth::OldUp | Truth::OldDown);
                    assert!(old, "{truths:?}");
                    assert_eq!(rollout.places()[*place], Place::Draining);
                }
            }
        }
    }
}

fn sights() -> [(&'static str, Sight); 8] {
    [
        ("old, up", Sight::Old { up: true }),
        ("old, down", Sight::Old { up: false }),
        ("old, ending", Sight::Ending),
        ("new, down", Sight::New { up: false }),
        ("new, up", Sight::New { up: true }),
        ("stable", Sight::Stable),
        ("failed", Sight::Failed),
        ("not wanted up", Sight::Left),
    ]
}

const PLACES: [Place; 8] = [
    Place::Waiting,
    Place::Down,
    Place::Draining,
    Place::Rising,
    Place::Settling,
    Place::Done,
    Place::Failed,
    Place::Left,
];

fn places_table() -> String {
    let mut text = String::from("| from \\ seen |");
    for (title, _) in sights() {
        let _ = write!(text, " {title} |");
    }
    let _ = write!(text, "\n|---|{}", "---|".repeat(sights().len()));
    for place in PLACES {
        let _ = write!(text, "\n| **{place:?}** |");
        for (_, sight) in sights() {
            let after = place.saw(sight);
            if after == place {
                text.push_str(" · |");
            } else {
                let _ = write!(text, " {after:?} |");
            }
        }
    }
    text.push('\n');
    text
}

/// The whole, on two instances one after the other: the first is replaced, the second waits.
fn whole_table() -> String {
    let places = |first| Rollout {
        places: vec![first, Place::Waiting],
        whole: Whole::Advancing,
    };
    let (old, left) = (Sight::Old { up: true }, Sight::Left);
    let columns: [(&str, Place, Event<'_>); 6] = [
        ("Pause", Place::Settling, Event::Pause),
        ("Resume", Place::Done, Event::Resume),
        ("Abort", Place::Settling, Event::Abort),
        (
            "the batch is stable",
            Place::Settling,
            Event::Saw(&[Sight::Stable, old]),
        ),
        (
            "one failed",
            Place::Settling,
            Event::Saw(&[Sight::Failed, old]),
        ),
        (
            "the last is left alone",
            Place::Done,
            Event::Saw(&[Sight::Stable, left]),
        ),
    ];
    let mut text = String::from("| from \\ event |");
    for (title, _, _) in columns {
        let _ = write!(text, " {title} |");
    }
    let _ = write!(text, "\n|---|{}", "---|".repeat(columns.len()));
    for whole in [
        Whole::Advancing,
        Whole::Paused,
        Whole::Halted,
        Whole::Aborted,
        Whole::Completed,
    ] {
        let _ = write!(text, "\n| **{whole:?}** |");
        for (title, first, event) in columns {
            let before = Rollout {
                whole,
                ..places(first)
            };
            // While it advances, something is always under way.
            if (whole, title) == (Whole::Advancing, "Resume") {
                text.push_str(" · |");
                continue;
            }
            let (after, effects) = step(&plan(1), &before, event);
            let mut cell = Vec::new();
            if after.whole != whole {
                cell.push(format!("{:?}", after.whole));
            }
            cell.extend(effects.iter().map(|Effect::Restart(_)| "+Restart".into()));
            if cell.is_empty() {
                cell.push("·".into());
            }
            let _ = write!(text, " {} |", cell.join("; "));
        }
    }
    text.push('\n');
    text
}

/// `ADASA_BLESS=1` writes the tables anew.
#[test]
fn the_documented_rollout_is_the_machine() {
    let _page = crate::domain::PAGE.lock();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/state-machine.md");
    let old = std::fs::read_to_string(path).unwrap();
    let mut new = old.clone();
    for (name, table) in [("places", places_table()), ("rollout", whole_table())] {
        let (begin, end) = (
            format!("<!-- {name}: begin -->\n"),
            format!("<!-- {name}: end -->"),
        );
        let head = new.split_once(&begin).expect("a begin mark").0;
        let tail = new.split_once(&end).expect("an end mark").1;
        new = format!("{head}{begin}{table}{end}{tail}");
    }
    if std::env::var_os("ADASA_BLESS").is_some() {
        std::fs::write(path, &new).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == new,
        "docs/state-machine.md is stale: run the tests with ADASA_BLESS=1"
    );
}
