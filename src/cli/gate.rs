//! New instances against old, below `rollout status`.

use crate::api::{Figure, GateView, Side, Verdict};
use crate::config::units::short_size;

/// A figure in a few digits; what is not known is no zero.
fn shown(figure: Figure, side: &Side) -> String {
    let Some(value) = figure.of(side) else {
        return "-".into();
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes are not negative"
    )]
    match figure {
        Figure::Memory => short_size(value.max(0.0) as u64),
        Figure::Cpu => format!("{value:.1}%"),
        Figure::Errors | Figure::Stderr | Figure::Ends if value.fract() > 0.05 && value < 9.95 => {
            format!("{value:.1}")
        }
        Figure::Errors | Figure::Stderr | Figure::Ends => format!("{value:.0}"),
    }
}

fn word(verdict: Option<&Verdict>) -> &'static str {
    match verdict {
        None => "",
        Some(Verdict::Better) => "  better",
        Some(Verdict::Worse) => "  worse",
        Some(Verdict::Young) => "  (young)",
    }
}

/// Lines for a person; none while one side has nobody.
pub(super) fn lines(gate: &GateView) -> Vec<String> {
    let sides = [&gate.old, &gate.new];
    if sides.iter().any(|side| side.names.is_empty()) {
        return vec![];
    }
    let head = |word: &str, side: &Side| format!("{word} ({})", side.names.len());
    let mut lines = vec![format!(
        "  {:18}{:>12}{:>12}",
        format!("last {} s, of one", gate.window_ms / 1000),
        head("old", &gate.old),
        head("new", &gate.new)
    )];
    for figure in Figure::ALL {
        lines.push(format!(
            "  {:18}{:>12}{:>12}{}",
            figure.name(),
            shown(figure, &gate.old),
            shown(figure, &gate.new),
            word(gate.verdicts.get(&figure))
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_figure_has_both_sides_and_a_word_where_they_differ() {
        let side = |names: &[&str], errors, memory| Side {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            errors: Some(errors),
            memory: Some(memory),
            ..Side::default()
        };
        let old = side(&["api-1", "api-2"], 14.0, 64_000_000.0);
        let new = side(&["api-0"], 2.4, 63_000_000.0);
        let gate = GateView::of("api".into(), old.clone(), new);
        assert_eq!(
            lines(&gate),
            [
                "  last 60 s, of one      old (2)     new (1)",
                "  error lines/min             14         2.4  better",
                "  stderr lines/min             -           -",
                "  memory                   64 MB       63 MB",
                "  cpu                          -           -",
                "  ended by itself              -           -",
            ]
        );
        let alone = GateView::of("api".into(), old, Side::default());
        assert_eq!(lines(&alone), [""; 0]);
    }
}
