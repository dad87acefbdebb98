//! The selection is of an instance, not of a line of the screen.

use crate::api::{Metric, Push, Status};
use crate::domain::names::InstanceId;
use crate::tui::model::{Mode, Target};

use super::desk::{Desk, Dice, everything, host, instance};

/// Something the daemon may say at any time.
fn anything(dice: &mut Dice) -> Push {
    let id = u32::try_from(dice.below(40)).unwrap() + 1;
    match dice.below(10) {
        0 => Push::Removed { id: InstanceId(id) },
        1 => Push::Metrics {
            heard: vec![],
            host: host(),
            metrics: (1..40)
                .map(|n| Metric {
                    id: InstanceId(n),
                    cpu: Some(dice.below(100) as f32),
                    memory: Some(dice.below(1 << 30) as u64),
                    fds: None,
                })
                .collect(),
        },
        _ => {
            let status = Status::ALL[dice.below(8)];
            let known = everything()
                .into_iter()
                .find(|view| view.id == InstanceId(id));
            let mut view = known.unwrap_or_else(|| {
                instance(id, &format!("new-{}", dice.below(9)), (id, 40), status)
            });
            view.status = status;
            view.run.0 += dice.below(3) as u64;
            Push::Instance {
                instance: Box::new(view),
            }
        }
    }
}

#[test]
fn check_04_ten_thousand_events_do_not_move_the_selection_to_another() {
    let mut dice = Dice::new(20_260_105);
    let mut desk = Desk::new();
    desk.select(5);
    let cron = Target::Instance(InstanceId(5));
    for n in 0..10_000 {
        let push = anything(&mut dice);
        if push == (Push::Removed { id: InstanceId(5) }) {
            continue;
        }
        desk.push(push);
        assert_eq!(desk.model.selected, Some(cron.clone()), "event {n}");
        desk.assert_selection_is_seen();
    }
    let highlighted = desk
        .screen()
        .lines()
        .find(|line| line.starts_with('\u{258c}'))
        .map(str::to_owned);
    assert!(highlighted.unwrap().contains(" cron "));
    desk.press("x");
    assert_eq!(desk.ask().select, ["5"]);
    assert_eq!(desk.ask().targets[0].0, InstanceId(5));
}

/// What `x` asks about is what was highlighted in the frame before it, whatever came in between.
#[test]
fn check_04_the_target_is_what_was_highlighted() {
    let mut dice = Dice::new(7);
    let mut desk = Desk::new();
    for round in 0..500 {
        for _ in 0..20 {
            desk.push(anything(&mut dice));
        }
        desk.press(["j", "k", "PgDn", "g", "G", "h", "Right"][dice.below(7)]);
        let Some(highlighted) = desk.model.selected.clone() else {
            continue;
        };
        let meant = desk.model.instances_of(&highlighted);
        desk.press("x");
        let fixed = desk.ask().targets.clone();
        let asked: Vec<_> = fixed.iter().map(|(id, _)| *id).collect();
        assert_eq!(asked, meant, "round {round}");
        desk.push(anything(&mut dice));
        if let Mode::Ask(ask) = &desk.model.mode {
            assert_eq!(ask.targets, fixed);
        }
        desk.press("Esc");
        desk.wait(70_000);
    }
}

#[test]
fn check_03_the_selected_row_is_seen_after_any_moves_folds_and_sizes() {
    const KEYS: [&str; 14] = [
        "j", "k", "j", "PgDn", "PgUp", "^D", "^U", "g", "G", "h", "Right", "z", "Tab", "Esc",
    ];
    for seed in 1..=40 {
        let mut dice = Dice::new(seed * 104_729);
        let mut desk = Desk::new();
        for _ in 0..200 {
            match dice.below(4) {
                0 => {
                    let width = u16::try_from(dice.below(200)).unwrap();
                    let height = u16::try_from(dice.below(60)).unwrap();
                    desk.resize(width, height);
                }
                1 => desk.push(anything(&mut dice)),
                _ => desk.press(KEYS[dice.below(KEYS.len())]),
            }
            desk.assert_selection_is_seen();
        }
    }
}

#[test]
fn a_selected_process_that_goes_hands_over_to_the_next() {
    let mut desk = Desk::new();
    desk.select(5);
    desk.push(Push::Removed { id: InstanceId(5) });
    let after = desk.model.lines()[desk.model.place].clone();
    assert_eq!(desk.model.selected, Some(after));
    assert_eq!(
        desk.model.selected,
        Some(Target::Instance(InstanceId(6))),
        "mailer took the place of cron"
    );
}

#[test]
fn folding_keeps_what_was_meant() {
    let mut desk = Desk::new();
    desk.select(11);
    desk.press("h");
    let Some(Target::Process(key)) = desk.model.selected.clone() else {
        panic!("{:?}", desk.model.selected);
    };
    assert_eq!(key.name.as_str(), "web");
    assert!(desk.screen().contains("\u{25b8} web \u{d7}4"));
    // A state event of a folded instance neither unfolds nor moves.
    let mut view = everything().remove(10);
    view.status = Status::Backoff;
    desk.push(Push::Instance {
        instance: Box::new(view),
    });
    assert_eq!(desk.model.selected, Some(Target::Process(key)));
    desk.press("Right");
    assert!(desk.screen().contains("web-1"));
}

#[test]
fn many_instances_begin_folded() {
    let many = (1..=201)
        .map(|n| instance(n, "job", (n - 1, 201), Status::Running))
        .collect();
    let desk = Desk::with(many);
    assert_eq!(desk.model.lines().len(), 1);
    assert!(desk.screen().contains("201 of 201 up"));
}
