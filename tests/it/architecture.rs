//! The house rules that one crate cannot make the compiler check: which module may use which, how long a file may be,
//! and what is written nowhere or in one place only. Each failure says why the rule exists.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use source::{Source, code_of, edges, re};

/// The top-level modules; each has a row in the table of `docs/architecture.md`.
const MODULES: [&str; 12] = [
    "domain", "api", "config", "logs", "platform", "keeper", "scribe", "daemon", "server",
    "client", "tui", "cli",
];
const FILE_LINES: usize = 500;
const TESTS_LINES: usize = 800;

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    rust_files(&package().join(folder), &mut paths);
    assert!(
        !paths.is_empty(),
        "no Rust file below {folder}/: the rules would hold for nothing"
    );
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            Source {
                path: path
                    .strip_prefix(package())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                lines: text.lines().count(),
                code: code_of(&text),
            }
        })
        .collect()
}

#[track_caller]
fn report(why: &str, faults: &[String]) {
    assert!(faults.is_empty(), "\n{why}\n\n  {}\n", faults.join("\n  "));
}

/// Every match of `pattern` in `code`, as `path:line: what`.
fn finds(path: &str, code: &str, first_line: usize, pattern: &Regex) -> Vec<String> {
    pattern
        .find_iter(code)
        .map(|found| {
            let line = first_line + code[..found.start()].matches('\n').count();
            format!(
                "{path}:{line}: {}",
                found
                    .as_str()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            )
        })
        .collect()
}

fn banned(sources: &[Source], pattern: &str, here: impl Fn(&str) -> bool) -> Vec<String> {
    let pattern = re(pattern);
    let watched = sources.iter().filter(|source| here(&source.path));
    watched
        .flat_map(|source| finds(&source.path, &source.code, 1, &pattern))
        .collect()
}

/// The table of `docs/architecture.md`: who may use whom.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let path = package().join("docs/architecture.md");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("docs/architecture.md: {error}"));
    let begin = text
        .find("<!-- arrows: begin -->")
        .expect("docs/architecture.md has no `<!-- arrows: begin -->`");
    let table = &text[begin..];
    let end = table
        .find("<!-- arrows: end -->")
        .expect("docs/architecture.md has no `<!-- arrows: end -->`");
    let word = re(r"[a-z_]+");
    let mut arrows = BTreeMap::new();
    for row in table[..end].lines().filter(|line| line.starts_with('|')) {
        let mut cells = row
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.replace('`', ""));
        let (from, may) = (
            cells.next().unwrap_or_default(),
            cells.next().unwrap_or_default(),
        );
        let from = from.trim().to_owned();
        if MODULES.contains(&from.as_str()) || from == "main" {
            let known = |w: &str| MODULES.contains(&w);
            let to = word
                .find_iter(&may)
                .map(|w| w.as_str().to_owned())
                .filter(|w| known(w))
                .collect();
            assert!(
                arrows.insert(from.clone(), to).is_none(),
                "two rows for `{from}` in docs/architecture.md"
            );
        }
    }
    arrows
}

#[test]
fn arrows_point_only_where_the_architecture_page_says() {
    let arrows = arrows();
    let mut faults: Vec<String> = Vec::new();
    for source in sources("src") {
        let module = source.module();
        let from = match (source.path.as_str(), module.first()) {
            ("src/main.rs", _) => "main",
            ("src/lib.rs", _) | (_, None) => continue,
            (_, Some(top)) => top,
        };
        let Some(may) = arrows.get(from) else {
            if from != "main" {
                faults.push(format!("{}: `{from}` has no row in the table", source.path));
            }
            continue;
        };
        for (at, to) in edges(&source) {
            if MODULES.contains(&to.as_str()) && to != from && !may.contains(&to) {
                let line = 1 + source.code[..at].matches('\n').count();
                faults.push(format!("{}:{line}: {from} → {to}", source.path));
            }
        }
    }
    faults.dedup();
    report(
        "An arrow that is not in the table of docs/architecture.md. The compiler lets any module of a crate use any other; \
         layers that are not checked become a knot in which nothing can be tested or replaced alone. Move the thing down to \
         where both may reach it, or hand it over as an argument.",
        &faults,
    );
}

#[test]
fn the_table_of_arrows_is_complete_and_has_no_cycle() {
    let arrows = arrows();
    let missing: Vec<String> = MODULES
        .iter()
        .filter(|m| !arrows.contains_key(**m))
        .map(|m| format!("no row for `{m}`"))
        .collect();
    report(
        "Every top-level module has a row, or its arrows would be free.",
        &missing,
    );
    let mut layered: BTreeSet<&str> = BTreeSet::new();
    while let Some((name, _)) = arrows.iter().find(|(name, to)| {
        !layered.contains(name.as_str()) && to.iter().all(|t| layered.contains(t.as_str()))
    }) {
        layered.insert(name);
    }
    let knotted: Vec<String> = arrows
        .keys()
        .filter(|name| !layered.contains(name.as_str()))
        .cloned()
        .collect();
    report(
        "Arrows point down only: these modules use each other in a circle, or rest on one.",
        &knotted,
    );
}

#[test]
fn every_top_level_module_is_one_of_the_house() {
    let faults: Vec<String> = sources("src")
        .iter()
        .filter(|source| !source.is_root())
        .filter(|source| !MODULES.contains(&source.module()[0]))
        .map(|source| source.path.clone())
        .collect();
    report(
        "A top-level module that the layers do not know. Put the file where its noun lives (DESIGN §5), or give the layer \
         a row in docs/architecture.md and a place in this test.",
        &faults,
    );
}

#[test]
fn nothing_inside_goes_through_the_librarys_front_door() {
    let door = re(r"\bcrate\s*::\s*([a-z]\w*)\s*::");
    let mut faults = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_root()) {
        for found in door
            .captures_iter(&source.code)
            .filter(|found| !MODULES.contains(&&found[1]))
        {
            faults.push(format!("{}: crate::{}", source.path, &found[1]));
        }
    }
    report(
        "A path through a re-export of lib.rs hides which layer is used. Name the module that owns the thing.",
        &faults,
    );
}

#[test]
fn files_stay_short_enough_to_read_in_one_sitting() {
    let over = |source: &Source| {
        let most = if source.is_tests_file() {
            TESTS_LINES
        } else {
            FILE_LINES
        };
        (source.lines > most)
            .then(|| format!("{}: {} lines, may have {most}", source.path, source.lines))
    };
    report(
        "A file past its budget. Long files are where decisions hide from review; split it by noun, each file named for \
         the thing it holds.",
        &sources("src").iter().filter_map(over).collect::<Vec<_>>(),
    );
}

#[test]
fn only_the_platform_is_unsafe_or_asks_for_the_system() {
    let outside = |path: &str| !path.starts_with("src/platform/");
    let sources = sources("src");
    let allowing = re(r"allow\s*\(\s*unsafe_code");
    let mut faults = banned(&sources, r"\bunsafe\b", outside);
    for source in sources
        .iter()
        .filter(|source| outside(&source.path) && source.path != "src/lib.rs")
    {
        faults.extend(finds(&source.path, &source.code, 1, &allowing));
    }
    report(
        "`unsafe` outside src/platform. One small module holds all of it, each with its SAFETY note, so that a reviewer \
         knows where to look and everything else is proved by the compiler.",
        &faults,
    );
    report(
        "A question for the operating system outside src/platform. A second system is added there, in one place, or it is \
         added nowhere completely.",
        &banned(
            &sources,
            r"\btarget_os\b|\bcfg!?\s*\(\s*(?:target_family|unix|windows|macos)\b",
            |path| outside(path) && path != "src/lib.rs",
        ),
    );
}

#[test]
fn only_the_command_line_prints_and_exits() {
    let prints = re(r"\b(?:print|println|eprint|eprintln|dbg)!|\bprocess::exit\b");
    let outside = |source: &&Source| {
        !source.path.starts_with("src/cli/")
            && !["src/cli.rs", "src/main.rs"].contains(&source.path.as_str())
    };
    let sources = sources("src");
    let found = sources
        .iter()
        .filter(outside)
        .flat_map(|source| finds(&source.path, source.product_code(), 1, &prints));
    report(
        "Printing or exiting outside src/cli and src/main.rs. The library runs inside a daemon and under a full-screen \
         dashboard: a stray line tears the screen, and an exit skips the guards that restore terminals and records. \
         Return an error; the command line words it.",
        &found.collect::<Vec<_>>(),
    );
}

#[test]
fn decisions_and_pictures_are_told_the_time() {
    report(
        "A clock inside a decision or a picture. Time comes in as a value (an event, a tick), or the same input gives \
         another answer on a busy machine and no test can be exact.",
        &banned(
            &sources("src"),
            r"\b(?:Instant|SystemTime|Timestamp|Zoned)::now\b",
            |path| {
                ["src/domain/", "src/tui/update", "src/tui/view"]
                    .iter()
                    .any(|place| path.starts_with(place))
            },
        ),
    );
}

#[test]
fn no_test_sleeps() {
    let sleep = re(
        r"\b(?:thread|time)\s*::\s*sleep(?:_until|_ms)?\b|\b(?:thread|time)\s*::\s*\{[^}]*\bsleep\w*",
    );
    // What makes a load at a pace is no test, and nobody waits for it.
    let paced = |path: &str| path.starts_with("tests/bench/");
    let mut faults = Vec::new();
    let tests = sources("tests");
    let all = sources("src");
    for source in all.iter().chain(&tests).filter(|it| !paced(&it.path)) {
        let code = source.test_code();
        let before = source.code.len() - code.len();
        let first_line = 1 + source.code[..before].matches('\n').count();
        faults.extend(finds(&source.path, code, first_line, &sleep));
    }
    report(
        "A sleep in a test. It is either too short on a busy machine (a test that fails now and then) or too long on every \
         other. Wait for the thing itself: an event, a line, an end.",
        &faults,
    );
}

#[test]
fn state_is_owned_and_not_locked() {
    report(
        "A lock around shared state in the daemon or the dashboard. One task owns the state and everybody else sends it \
         messages; a lock is a second owner, and whoever holds it makes all others wait.",
        &banned(
            &sources("src"),
            r"\bArc\s*<\s*(?:\w+\s*::\s*)*(?:Mutex|RwLock)\b|\bArc::new\s*\(\s*(?:\w+\s*::\s*)*(?:Mutex|RwLock)\b",
            |path| path.starts_with("src/daemon/") || path.starts_with("src/tui/"),
        ),
    );
}

#[test]
fn modules_are_named_for_what_they_hold() {
    let mut faults = Vec::new();
    let vague = ["util", "utils", "common", "helper", "helpers", "manager"];
    let inline = re(r"\bmod\s+(?:utils?|common|helpers?|manager)\b");
    for source in sources("src").iter().chain(&sources("tests")) {
        let name = |part: &str| vague.contains(&part.trim_end_matches(".rs"));
        if source.path.split('/').any(name) {
            faults.push(source.path.clone());
        }
        faults.extend(finds(&source.path, &source.code, 1, &inline));
    }
    report(
        "A module named for nothing. `utils` and `manager` collect whatever has no home and grow without end: find the noun.",
        &faults,
    );
}

#[test]
fn nothing_is_left_to_be_done() {
    let all: Vec<Source> = sources("src").into_iter().chain(sources("tests")).collect();
    report(
        "A hole in the product. What is accepted works (DESIGN §2.4); what does not exist yet is refused, not stubbed.",
        &banned(&all, r"\b(?:todo|unimplemented)!", |_| true),
    );
}
