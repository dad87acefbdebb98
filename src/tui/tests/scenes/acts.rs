//! Questions about scaling and signals.

use crate::domain::names::InstanceId;
use crate::tui::tests::acts::{plans, told};
use crate::tui::tests::desk::Desk;

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let mut base = Desk::new();
    base.wait(200);
    base.select(1);
    let mut fewer = base.clone();
    fewer.press("-");
    let mut menu = base.clone();
    menu.press("S");
    let mut signal = base.clone();
    signal.press("S h");
    let mut many = base;
    many.press(":");
    many.type_text("scale web 2");
    many.press("Enter");
    let mut asked = Desk::new();
    asked.wait(200);
    asked.select(1);
    asked.press("h x");
    let mut known = asked.clone();
    for (ticket, connections) in plans(&known).into_iter().zip([None, Some(163)]) {
        told(&mut known, ticket, connections);
    }
    let mut protected = Desk::new();
    protected.model.host.label = Some("PROD".into());
    protected.wait(200);
    if let Some(row) = protected.model.rows.get_mut(&InstanceId(5)) {
        row.view.protected = true;
    }
    protected.select(5);
    protected.press("x");
    protected.type_text("cr");
    vec![
        ("plan_asked", asked),
        ("plan_known", known),
        ("protected_question", protected),
        ("scale_question", fewer),
        ("scale_box", many),
        ("signal_menu", menu),
        ("signal_question", signal),
    ]
}
