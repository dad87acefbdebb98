//! Questions about scaling and signals.

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
    vec![
        ("scale_question", fewer),
        ("scale_box", many),
        ("signal_menu", menu),
        ("signal_question", signal),
    ]
}
