//! why: one answer for the last end of a process.

use std::process::ExitCode;

use crate::api::Why;
use crate::domain::why::span;

use super::args::{Global, Targets};
use super::failure::Failure;
use super::inspect::time;
use super::print;
use super::select::{client, words};

pub(super) fn why(global: &Global, targets: &Targets) -> Result<ExitCode, Failure> {
    let answers = client(global)?.why(&words(&targets.select)?)?;
    if global.json {
        print::json(&answers);
    } else {
        let blocks: Vec<String> = answers.iter().map(block).collect();
        print::line(&blocks.join("\n\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn block(why: &Why) -> String {
    let mut lines = vec![why.answer.clone()];
    let mut add = |title: &str, text: &str| lines.push(format!("  {title:<10}{text}"));
    if let Some(at) = why.ended_ms {
        add("ended", &time(at));
    }
    for (n, text) in why.evidence.iter().enumerate() {
        add(if n == 0 { "evidence" } else { "" }, text);
    }
    add("next", &why.next_text);
    if let Some(hint) = &why.hint {
        add("hint", hint);
    }
    for (n, end) in why.earlier.iter().enumerate() {
        let lasted = end
            .lasted_ms
            .map_or_else(String::new, |ms| format!(", after {}", span(ms)));
        let text = format!("run {}: {}{lasted}", end.run, end.text);
        add(if n == 0 { "before" } else { "" }, &text);
    }
    if !why.stderr.is_empty() {
        lines.push("  its last lines of standard error:".to_owned());
        lines.extend(why.stderr.iter().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}
