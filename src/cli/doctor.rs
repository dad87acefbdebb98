//! doctor: what this machine offers, with or without a daemon.

use std::process::ExitCode;

use serde::Serialize;

use crate::client::Client;
use crate::domain::checkup::{Check, Facts, Standing, check, worst};
use crate::platform::paths::Paths;
use crate::platform::survey;

use super::args::Global;
use super::failure::{Failure, exit};
use super::print;

#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: &'static str,
    kernel: &'a str,
    standing: Standing,
    checks: &'a [Check],
}

pub(super) fn doctor(global: &Global) -> Result<ExitCode, Failure> {
    let paths = Paths::find().map_err(|error| error.to_string());
    let mut facts = survey::look(&paths);
    ask_daemon(&mut facts);
    let checks = check(&facts);
    let standing = worst(&checks);
    if global.json {
        print::json(&Answer {
            version: env!("CARGO_PKG_VERSION"),
            kernel: &facts.kernel,
            standing,
            checks: &checks,
        });
    } else {
        print::line(&page(&checks, print::width()));
    }
    Ok(match standing {
        Standing::Works | Standing::Reduced => ExitCode::SUCCESS,
        Standing::Broken => ExitCode::from(exit::FAILED),
    })
}

/// Whether there are control groups depends on where the keeper runs, which is where it was begun, not on where we are.
fn ask_daemon(facts: &mut Facts) {
    let Ok(info) = Client::new(false).and_then(|client| client.info()) else {
        return;
    };
    facts.control_group = match (info.control_group, &facts.control_group) {
        (Some(folder), Ok((_, kill))) => Ok((folder.display().to_string(), *kill)),
        (Some(folder), Err(_)) => Ok((folder.display().to_string(), true)),
        (None, _) => Err("the daemon that runs may make none".into()),
    };
}

fn page(checks: &[Check], width: usize) -> String {
    let name = checks.iter().map(|c| c.name.len()).max().unwrap_or(0);
    let indent = 2 + WORD + 2 + name + 2;
    let mut page = String::new();
    for check in checks {
        let head = format!("  {:<WORD$}  {:<name$}  ", word(check.standing), check.name);
        page.push_str(&head);
        page.push_str(&wrap(&check.found, indent, width));
        let more = [("costs: ", &check.costs), ("helps: ", &check.remedy)];
        for (label, text) in more {
            if let Some(text) = text {
                let text = wrap(&format!("{label}{text}"), indent, width);
                page.push_str(&format!("\n{:indent$}{text}", ""));
            }
        }
        page.push('\n');
    }
    let count = |standing| checks.iter().filter(|c| c.standing == standing).count();
    let (reduced, broken) = (count(Standing::Reduced), count(Standing::Broken));
    page.push_str(&match (broken, reduced) {
        (0, 0) => "every promise is kept here".to_owned(),
        (0, _) => format!("every promise is kept here; {reduced} could be better"),
        (_, _) => format!("{broken} of {} break a promise", checks.len()),
    });
    page
}

/// The widest word for a standing.
const WORD: usize = 7;

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Works => "works",
        Standing::Reduced => "reduced",
        Standing::Broken => "BROKEN",
    }
}

/// Breaks a text that begins in a column into lines that begin there too.
fn wrap(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join(&format!("\n{:indent$}", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_goes_on_below_where_it_began() {
        assert_eq!(wrap("one two", 4, 80), "one two");
        assert_eq!(
            wrap("a text of several words", 4, 16),
            "a text of several\n    words"
        );
    }

    #[test]
    fn the_page_keeps_to_the_width_and_says_the_sum() {
        let check = |standing, costs: Option<&str>| Check {
            name: "pipe quota",
            standing,
            found: "word ".repeat(30).trim().to_owned(),
            costs: costs.map(str::to_owned),
            remedy: costs.map(|_| "do this".into()),
        };
        let fine = page(&[check(Standing::Works, None)], 80);
        assert!(fine.lines().all(|l| l.len() <= 80), "{fine}");
        assert!(fine.ends_with("every promise is kept here"), "{fine}");
        let bad = page(
            &[
                check(Standing::Reduced, Some("a little")),
                check(Standing::Broken, Some("much")),
            ],
            80,
        );
        assert!(bad.contains("  BROKEN   pipe quota  word"), "{bad}");
        assert!(
            bad.contains("\n                       costs: much\n"),
            "{bad}"
        );
        assert!(bad.ends_with("1 of 2 break a promise"), "{bad}");
    }
}
