//! The pages are true: every command and configuration in README.md and docs/*.md is executed, and the reference pages
//! name every flag and every key.
//!
//! A page's blocks run in order, in one folder, with one daemon. `docs/blocks.rs` says which marks a block may have.

mod blocks;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::logs::follow::{Follow, shell};
use crate::sandbox::{Sandbox, spawn};
use crate::screen::Screen;
use crate::tty::is_live;
use blocks::{Block, Mark, Step, blocks, steps};

/// The cargo commands that pages may show; `.ci/run` adds its own. They build, so tests do not run them.
const CARGO: [&str; 6] = [
    "cargo run --release -- up assets/demo/adasa.toml",
    "cargo run --release -- down assets/demo/adasa.toml",
    "cargo build --release",
    "cargo install --path .",
    "cargo install --path . --locked",
    "cargo test",
];

/// What would reach beyond the test's folder is not run by accident: such a block has to be marked.
const ELSEWHERE: [&str; 12] = [
    "sudo",
    "su",
    "git",
    "curl",
    "wget",
    "ssh",
    "scp",
    "systemctl",
    "rustup",
    "docker",
    "reboot",
    "shutdown",
];

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(package().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn pages() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(package().join("docs"))
        .unwrap()
        .map(|entry| {
            PathBuf::from("docs")
                .join(entry.unwrap().file_name())
                .to_str()
                .unwrap()
                .to_owned()
        })
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    names
}

#[test]
fn every_block_of_the_readme_is_true() {
    let count = execute("README.md");
    assert!(
        count > 0,
        "README.md shows no command: the main job has one"
    );
}

#[test]
fn every_block_of_the_pages_is_true() {
    for name in pages() {
        execute(&name);
    }
}

/// Executes a page; how many commands and configurations it had.
fn execute(name: &str) -> usize {
    let blocks = blocks(&page(name)).unwrap_or_else(|error| panic!("{name}:{error}"));
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("page")).unwrap();
    let mut count = 0;
    for block in &blocks {
        let place = format!("{name}:{}", block.line);
        match (&block.mark, block.language.as_str()) {
            (Some(Mark::NotRun(_)), _) => {}
            (Some(Mark::File { name, mode }), _) => {
                sandbox.file_mode(&format!("page/{name}"), &block.text, *mode);
                if name == "config/daemon.toml" {
                    settings(&place, block);
                    count += 1;
                }
                if name == "adasa.toml" {
                    configuration(&sandbox, &place, block);
                    count += 1;
                }
            }
            (None, "toml" | "json") => {
                configuration(&sandbox, &place, block);
                count += 1;
            }
            (None, "console" | "sh" | "bash") => {
                for step in steps(block) {
                    command(&sandbox, &format!("{name}:{}", step.line), &step);
                    count += 1;
                }
            }
            (None, _) => {}
        }
    }
    count
}

/// A daemon begins with these settings and finds nothing wrong in them.
fn settings(place: &str, block: &Block) {
    let own = Sandbox::new();
    own.file("home/config/daemon.toml", &block.text);
    let _ = own.run(&["daemon", "start"]).success();
    let alarms = &own.daemon_status().expect("a daemon runs")["alarms"];
    assert_eq!(alarms.to_string(), "[]", "{place}\n{}", block.text);
}

/// A configuration comes up and goes down again, beside the page's own daemon and in the same folder.
fn configuration(page: &Sandbox, place: &str, block: &Block) {
    let own = Sandbox::new();
    let file = format!("block-{}.{}", block.line, block.language);
    page.file(&format!("page/{file}"), &block.text);
    let up = own.run_in(page.path("page"), &["up", "-d", &file]);
    assert!(
        up.status.success(),
        "{place}: this configuration does not come up\n{up}\n{}",
        block.text
    );
    for row in own.rows() {
        let status = row["status"].as_str().unwrap_or_default();
        assert!(["running", "exited"].contains(&status), "{place}: {row}");
    }
    let down = own.run_in(page.path("page"), &["down", &file]);
    assert!(down.status.success(), "{place}: {down}");
}

enum Kind {
    /// Runs to its end.
    Plain,
    /// Prints until it is interrupted.
    Follows,
    /// Draws until `q` is pressed.
    Draws,
    /// The daemon in the foreground.
    Stays,
}

/// How `adasa ARGS` behaves.
fn kind(text: &str) -> Kind {
    let text = text.split(" #").next().unwrap_or_default();
    if text.contains(['|', '>', '&', ';']) {
        return Kind::Plain;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |flags: &[&str]| words.iter().any(|word| flags.contains(word));
    let verb = words.get(1).copied().unwrap_or_default();
    match verb {
        _ if words.first() != Some(&"adasa") || has(&["--help", "-h"]) => Kind::Plain,
        "logs" if has(&["-f", "--follow"]) => Kind::Follows,
        "tui" | "monit" => Kind::Draws,
        "up" if !has(&["-d", "--detach", "--json"]) => Kind::Draws,
        "daemon" if words[2..].iter().all(|word| word.starts_with('-')) => Kind::Stays,
        _ => Kind::Plain,
    }
}

fn command(sandbox: &Sandbox, place: &str, step: &Step) {
    let text = step.text.split(" #").next().unwrap_or_default().trim();
    let first = text.split_whitespace().next().unwrap_or_default();
    assert!(
        !ELSEWHERE.contains(&first),
        "{place}: `{text}` reaches beyond the page: mark it `<!-- not run: REASON -->`"
    );
    if first == "cargo" || first.ends_with(".ci/run") {
        builds(place, text);
    }
    // What cargo would run is run, in the folder where the reader would type it.
    let (text, folder) = match text.strip_prefix("cargo run --release -- ") {
        Some(args) => (format!("adasa {args}"), package().to_owned()),
        None if first == "cargo" || first.ends_with(".ci/run") => return,
        None => (text.to_owned(), sandbox.path("page")),
    };
    let text = text.as_str();
    let mut to_run = shell(sandbox, text);
    to_run.current_dir(folder).env("TERM", "xterm-256color");
    match kind(text) {
        Kind::Plain => {
            let output = spawn(to_run).output();
            assert!(
                output.status.code() == Some(step.code),
                "{place}: `{text}` should exit with {}\n{output}",
                step.code
            );
        }
        Kind::Follows => {
            let mut redirected = shell(sandbox, &format!("exec {text} >\"$FOLLOW_FIFO\""));
            redirected.current_dir(sandbox.path("page"));
            let mut follow = Follow::of(sandbox, redirected);
            let _ = follow.line();
            let output = follow.interrupt();
            assert!(
                output.status.code() != Some(2),
                "{place}: `{text}`\n{output}"
            );
        }
        Kind::Draws => {
            let mut screen = Screen::open(to_run, (120, 40));
            screen.until(|picture| is_live(picture) && picture.contains("help"));
            let up: Vec<_> = sandbox.rows();
            for row in &up {
                let name = row["name"].as_str().unwrap_or_default();
                screen.until(|picture| picture.contains(name));
            }
            screen.keys("q");
            let exit = screen.wait_exit();
            assert!(exit.success(), "{place}: `{text}` ends with {exit}");
            assert_eq!(sandbox.rows().len(), up.len(), "{place}: all keep running");
        }
        Kind::Stays => {
            let mut foreground = shell(sandbox, &format!("exec {text}"));
            foreground.current_dir(sandbox.path("page"));
            let running = spawn(foreground);
            sandbox.wait_for("a daemon in the foreground", Sandbox::daemon_status);
            running.signal(nix::sys::signal::Signal::SIGTERM);
            let output = running.output();
            assert!(output.status.success(), "{place}: `{text}`\n{output}");
        }
    }
}

/// A command that builds is one of the known ones, and what it names is there.
fn builds(place: &str, text: &str) {
    let ci = fs::read_to_string(package().join(".ci/run")).unwrap_or_default();
    let known = CARGO.contains(&text) || ci.lines().any(|line| line.trim().contains(text));
    let runs_ci = text.trim_start_matches("./") == ".ci/run" && !ci.is_empty();
    assert!(
        known || runs_ci,
        "{place}: `{text}` is not one of {CARGO:?} and not in .ci/run"
    );
    for word in text
        .split_whitespace()
        .filter(|word| word.ends_with(".toml"))
    {
        assert!(
            package().join(word).exists(),
            "{place}: {word} is not there"
        );
    }
}

/// The subcommands that a help text lists, and its long flags.
fn help(sandbox: &Sandbox, path: &[String]) -> (Vec<String>, BTreeSet<String>) {
    let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
    args.push("--help");
    let text = sandbox.run(&args).success().stdout;
    let commands = text.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let commands = commands.split("\n\n").next().unwrap_or_default();
    let name = Regex::new(r"(?m)^  ([a-z][a-z-]*)").unwrap();
    let flag = Regex::new(r"(?m)^ +(?:-\w, )?(--[a-z][a-z-]*)").unwrap();
    let names = name
        .captures_iter(commands)
        .map(|c| c[1].to_owned())
        .filter(|name| name != "help")
        .collect();
    (
        names,
        flag.captures_iter(&text).map(|c| c[1].to_owned()).collect(),
    )
}

/// Every command with its flags, from the top down.
fn grammar(sandbox: &Sandbox) -> Vec<(Vec<String>, BTreeSet<String>)> {
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(path) = open.pop() {
        let (names, flags) = help(sandbox, &path);
        open.extend(
            names
                .into_iter()
                .map(|name| [path.clone(), vec![name]].concat()),
        );
        found.push((path, flags));
    }
    found
}

/// The part of a page under the heading that names the command, up to the next heading.
fn section<'a>(page: &'a str, command: &str) -> Option<&'a str> {
    let heading = Regex::new(&format!(
        r"(?m)^#+ .*\b{}(?:[^\w-].*)?$",
        regex::escape(command)
    ))
    .unwrap();
    let rest = &page[heading.find(page)?.end()..];
    let end = Regex::new(r"(?m)^#+ ")
        .unwrap()
        .find(rest)
        .map_or(rest.len(), |next| next.start());
    Some(&rest[..end])
}

fn mentions(text: &str, flag: &str) -> bool {
    Regex::new(&format!(r"{}(?:[^\w-]|$)", regex::escape(flag)))
        .unwrap()
        .is_match(text)
}

#[test]
fn the_command_line_page_names_every_flag_of_every_command() {
    let page = page("docs/cli.md");
    let sandbox = Sandbox::new();
    let grammar = grammar(&sandbox);
    assert!(
        grammar.len() > 15,
        "the help texts were not understood: {grammar:?}"
    );
    let everywhere: BTreeSet<String> = {
        let (_, flags) = grammar.iter().find(|(path, _)| path.is_empty()).unwrap();
        flags
            .iter()
            .cloned()
            .chain(["--help".into(), "--version".into()])
            .collect()
    };
    let mut faults: Vec<String> = everywhere
        .iter()
        .filter(|flag| !mentions(&page, flag))
        .cloned()
        .collect();
    for (path, flags) in grammar.iter().filter(|(path, _)| !path.is_empty()) {
        let command = path.join(" ");
        let Some(text) = section(&page, &format!("adasa {command}")) else {
            faults.push(format!("adasa {command}: no heading names it"));
            continue;
        };
        let own = flags.iter().filter(|flag| !everywhere.contains(*flag));
        faults.extend(
            own.filter(|flag| !mentions(text, flag))
                .map(|flag| format!("adasa {command} {flag}")),
        );
    }
    assert!(
        faults.is_empty(),
        "docs/cli.md does not say:\n  {}",
        faults.join("\n  ")
    );
    let known: BTreeSet<&String> = grammar
        .iter()
        .flat_map(|(_, flags)| flags)
        .chain(&everywhere)
        .collect();
    let written = Regex::new(r"`(--[a-z][a-z-]*)").unwrap();
    let dead: BTreeSet<&str> = written
        .captures_iter(&page)
        .map(|c| c.get(1).unwrap().as_str())
        .collect();
    let dead: Vec<&str> = dead
        .into_iter()
        .filter(|flag| !known.iter().any(|known| known == flag))
        .collect();
    assert!(
        dead.is_empty(),
        "docs/cli.md names flags that no command has: {dead:?}"
    );
}

const KEYS: [&str; 37] = [
    "processes",
    "name",
    "namespace",
    "script",
    "args",
    "instances",
    "cwd",
    "env",
    "inherit_env",
    "autorestart",
    "restart",
    "max_restarts",
    "restart_delay",
    "restart_delay_secs",
    "max_restart_delay",
    "backoff_factor",
    "restart_window",
    "min_uptime",
    "limits",
    "max_memory",
    "limit_action",
    "stop_timeout",
    "stop_timeout_secs",
    "stop_signal",
    "tags",
    "log_file",
    "out_file",
    "err_file",
    "merge_logs",
    "log_max_size",
    "log_max_age",
    "log_archives",
    "log_archive_age",
    "log_compress",
    "on_disk_full",
    "limits.max_memory",
    "limits.stop_timeout",
];

#[test]
fn the_configuration_page_names_every_key() {
    let page = page("docs/config.md");
    let missing: Vec<&str> = KEYS
        .into_iter()
        .filter(|key| !page.contains(&format!("`{key}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/config.md does not name: {missing:?}"
    );
}

#[test]
fn the_demo_comes_up_and_goes_down() {
    let sandbox = Sandbox::new();
    let demo = "assets/demo/adasa.toml";
    drop(sandbox.run_in(package(), &["up", "-d", demo]).success());
    let names: Vec<String> = sandbox
        .rows()
        .iter()
        .map(|row| row["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "chatty", "quiet", "api-0", "api-1", "api-2", "shaky", "stubborn", "migrate"
        ],
        "in the order of the file"
    );
    sandbox.until_status("migrate", "exited");
    sandbox.until_status("shaky", "backoff");
    for name in ["api-1", "chatty", "quiet", "stubborn"] {
        assert_eq!(sandbox.status(name), "running", "{name}");
    }
    let down = sandbox.run_in(package(), &["down", demo]).success();
    drop(down.stdout_has("stubborn removed"));
    assert!(
        sandbox.daemon_status().is_none(),
        "up started it for this file alone"
    );
}
