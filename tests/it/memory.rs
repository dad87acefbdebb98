//! `max_memory`: measured over the whole tree, with three answers.

use crate::sandbox::Sandbox;

/// Its first run has a grandchild that takes 96 MiB; later runs are modest. `NAME.runs` counts them.
fn glutton(s: &Sandbox, name: &str) -> String {
    let eats = "import sys\nx = b'x' * (96 << 20)\nopen(sys.argv[1], 'w').write('full\\n')\nsys.stdin.read()\n";
    let eats = s.file("eats.py", eats);
    let hold = s.path("hold");
    if !hold.exists() {
        nix::unistd::mkfifo(&hold, nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    let at = |end: &str| s.path(&format!("{name}.{end}")).display().to_string();
    let body = format!(
        "echo $$ >>{runs}\n[ $(wc -l <{runs}) -gt 1 ] && exec sleep 1000\n\
         exec 3<>{hold}\npython3 {eats} {full} <&3 & wait",
        runs = at("runs"),
        full = at("full"),
        hold = hold.display(),
        eats = eats.display()
    );
    s.script(name, &body)
}

fn define(s: &Sandbox, name: &str, action: &str) -> String {
    let program = glutton(s, name);
    format!(
        "[[processes]]\nname = \"{name}\"\nscript = \"{program}\"\nmax_memory = \"64MB\"\nlimit_action = \"{action}\"\n"
    )
}

#[test]
fn a_tree_above_its_limit_is_restarted_by_default() {
    let s = Sandbox::new();
    s.start(
        "glutton",
        &glutton(&s, "glutton"),
        &["--max-memory", "64MB"],
    );
    let first = s.known("glutton");
    s.until_file("glutton.runs", |text| text.lines().count() == 2);
    let row = s.until_status("glutton", "running");
    assert!(!first.is_alive());
    assert_ne!(row["pid"], first.pid);
    assert_eq!(s.read("glutton.runs").lines().count(), 2);
}

/// Above its limit in every run: it waits longer each time and is given up.
#[test]
fn a_tree_above_its_limit_from_its_start_is_given_up() {
    let s = Sandbox::new();
    let eats = s.file(
        "eats.py",
        "import time\nx = b'x' * (96 << 20)\ntime.sleep(1000)\n",
    );
    let program = s.script("glutton", &format!("exec python3 {}", eats.display()));
    let flags = [
        "--max-memory",
        "64MB",
        "--max-restarts",
        "2",
        "--restart-delay",
        "10ms",
    ];
    s.launch("glutton", &program, &flags);
    let row = s.until_status("glutton", "errored");
    assert_eq!(row["attempts"], 2, "{row}");
    assert_eq!(row["restarts"], 1, "{row}");
    let because = row["because"].as_str().unwrap();
    assert!(because.starts_with("memory limit"), "{row}");
}

#[test]
fn a_limit_can_stop_or_only_log() {
    let s = Sandbox::new();
    let text = define(&s, "logs", "log") + &define(&s, "stops", "stop");
    s.file("first.toml", text);
    s.file("second.toml", define(&s, "restarts", "restart"));
    let _ = s
        .run(&["start", "--config", "first.toml"])
        .stderr("")
        .success();
    let (logs, stops) = (s.known("logs"), s.known("stops"));
    s.until_file("logs.full", |text| text == "full\n");
    s.until_status("stops", "stopped");
    s.until_gone(stops);
    // Another one that is restarted from here on shows that the limits have been looked at again.
    let _ = s
        .run(&["start", "--config", "second.toml"])
        .stderr("")
        .success();
    s.until_file("restarts.runs", |text| text.lines().count() == 2);
    let row = s.row("logs");
    assert_eq!(row["status"], "running");
    assert_eq!(row["pid"], logs.pid);
    assert!(row["memory"].as_u64().unwrap() > 64_000_000, "{row}");
    assert_eq!(s.status("stops"), "stopped");
    assert_eq!(s.read("stops.runs").lines().count(), 1);
    assert_eq!(s.read("logs.runs").lines().count(), 1);
}

#[test]
fn a_tree_below_its_limit_is_left_alone() {
    let s = Sandbox::new();
    s.start(
        "modest",
        &crate::child::stays(&s),
        &["--max-memory", "64MB"],
    );
    let pid = s.pid("modest");
    s.start(
        "glutton",
        &glutton(&s, "glutton"),
        &["--max-memory", "64MB"],
    );
    s.until_file("glutton.runs", |text| text.lines().count() == 2);
    assert_eq!(s.pid("modest"), pid);
}
