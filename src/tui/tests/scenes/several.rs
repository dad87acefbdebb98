//! Marks and what is done to several at once.

use crate::api::{OperationView, Progress, Push, Status, TargetView, Verb};
use crate::domain::names::InstanceId;
use crate::tui::screens::Screen;
use crate::tui::tests::desk::{Desk, answer};

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let mut base = Desk::new();
    base.wait(200);
    let mut marked = base.clone();
    for id in [3, 4, 6, 9] {
        marked.select(id);
        marked.press("Space");
    }
    let mut asked = marked.clone();
    asked.press("r");
    let mut sorting = base.clone();
    sorting.press("o");
    let mut sorted = base.clone();
    sorted.press("o s t");
    let mut palette = base.clone();
    palette.press(":");
    palette.type_text("restart ap");
    palette.press("Down");
    let mut wrong = base.clone();
    wrong.press(":");
    wrong.type_text("retsart api");
    wrong.press("Enter");
    let mut menu = base.clone();
    menu.press(".");
    let mut form = base.clone();
    form.press("n");
    form.type_text("node worker.js --queue emails");
    let mut wrong_form = base.clone();
    wrong_form.press("n");
    wrong_form.type_text("./cron --now");
    wrong_form.press("Tab Tab");
    let mut messages = base;
    messages.model.toast("reconnected after 3.2s", false);
    messages.wait(2000);
    messages
        .model
        .toast("stop of api-1 failed: no such process", true);
    messages.press("!");
    vec![
        ("marked", marked),
        ("marked_question", asked.clone()),
        ("several", several(asked)),
        ("sort_menu", sorting),
        ("worst_first", sorted),
        ("messages", messages),
        ("form", form),
        ("form_taken", wrong_form),
        ("palette", palette),
        ("palette_wrong", wrong),
        ("action_menu", menu),
    ]
}

fn several(mut desk: Desk) -> Desk {
    desk.seen();
    desk.press("y");
    desk.wait(2900);
    let Some(Screen::Bulk(it)) = desk.model.screens.last_mut() else {
        panic!("no screen of several")
    };
    // The same in every picture.
    it.operation = String::from("39dde4f88a3b9ebcaa41fb1c").try_into().unwrap();
    let operation = it.operation.clone();
    let reason = "spawn /opt/billing/run: Permission denied (13)".to_owned();
    let target = |id, name: &str, progress, status, pid, due_in_ms| TargetView {
        id: InstanceId(id),
        name: name.into(),
        verb: Some(Verb::Restart),
        progress,
        status,
        pid,
        due_in_ms,
    };
    let operation = OperationView {
        operation,
        done: false,
        targets: vec![
            target(
                3,
                "api-2",
                Progress::Done,
                Status::Running,
                Some(49_200),
                None,
            ),
            target(
                4,
                "billing",
                Progress::Failed { reason },
                Status::Errored,
                None,
                None,
            ),
            target(
                6,
                "mailer",
                Progress::Pending,
                Status::Stopping,
                None,
                Some(6000),
            ),
        ],
        ..answer(Verb::Restart, 4, "billing", Progress::Done)
    };
    desk.push(Push::Operation { operation });
    desk.press("j");
    desk
}
