//! What is shown of processes: the table, its JSON, `status`.

use serde_json::{Value, json};

use crate::child;
use crate::sandbox::{Sandbox, exit};
use crate::screen::Screen;
use crate::tty::{at_the_terminal, bytes};

/// Three instances that run, one that is stopped.
fn some(s: &Sandbox) {
    let program = child::stays(s);
    s.start("web", &program, &["--instances", "3", "--tag", "front"]);
    s.start("db", &program, &["--namespace", "data"]);
    let _ = s.run(&["stop", "db"]).success();
}

#[test]
fn rows_of_the_json_list_have_their_keys_and_types() {
    let s = Sandbox::new();
    some(&s);
    // Before there is a figure there is none: never a nought that nobody measured.
    let rows = s.wait_for("everything that runs is measured", |s| {
        let rows = s.rows();
        let runs = |row: &&Value| !row["pid"].is_null();
        for row in rows.iter().filter(runs) {
            assert!(row["memory"].is_null() || row["memory"].as_u64() > Some(0));
        }
        let measured = |row: &Value| row["cpu"].is_number() && row["memory"].is_u64();
        rows.iter().filter(runs).all(measured).then_some(rows)
    });
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert!(row["id"].is_u64(), "{row}");
        for key in ["name", "process", "namespace", "status"] {
            assert!(row[key].is_string(), "{key} in {row}");
        }
        assert!(row["instance"].is_u64(), "{row}");
        // Nothing is measured of what does not run.
        let runs = !row["pid"].is_null();
        assert!(row["cpu"].is_number() || !runs, "{row}");
        assert!(row["memory"].is_u64() || !runs, "{row}");
        assert!(row["restarts"].is_u64(), "{row}");
        assert!(row["run"].is_u64(), "{row}");
        assert!(row["tags"].is_array(), "{row}");
        let keys = row.as_object().unwrap();
        assert!(
            ["exit", "pid", "uptime", "cpu", "memory"]
                .iter()
                .all(|key| keys.contains_key(*key))
        );
    }
    let web = s.row("web-2");
    assert_eq!(web["process"], "web");
    assert_eq!(web["instance"], 2);
    assert_eq!(web["namespace"], "default");
    assert_eq!(web["tags"], json!(["front"]));
    assert_eq!(web["exit"], Value::Null);
    assert!(web["pid"].is_u64() && web["uptime"].is_number(), "{web}");
    let db = s.row("db");
    assert_eq!(db["namespace"], "data");
    assert!(db["pid"].is_null() && db["uptime"].is_null(), "{db}");
    assert_eq!(exit(&db), json!({"code": null, "signal": "SIGTERM"}));
}

#[test]
fn memory_is_the_trees_and_uptime_grows() {
    let s = Sandbox::new();
    let eats = "import sys\nx = b'x' * (48 << 20)\nopen(sys.argv[1], 'w').write('full\\n')\nsys.stdin.read()\n";
    let eats = s.file("eats.py", eats);
    let fifo = s.fifo("hold");
    let program = s.script(
        "parent",
        &format!("python3 {} $HOME/full <$HOME/hold & wait", eats.display()),
    );
    s.start("tree", &program, &[]);
    s.until_file("full", |text| text == "full\n");
    s.wait_for("the tree's memory shows its grandchild", |s| {
        (s.row("tree")["memory"].as_u64()? > 48 << 20).then_some(())
    });
    s.wait_for("uptime grows", |s| {
        (s.row("tree")["uptime"].as_f64()? >= 1.0).then_some(())
    });
    drop(fifo);
}

#[test]
fn cpu_is_the_trees_in_percent_of_one_core() {
    let s = Sandbox::new();
    let program = s.script("spins", "(while :; do :; done) & wait");
    s.start("spins", &program, &[]);
    s.start("idle", &child::stays(&s), &[]);
    s.wait_for("the tree's work shows", |s| {
        (s.row("spins")["cpu"].as_f64()? > 10.0).then_some(())
    });
    let idle = s.wait_for("the idle one is measured", |s| {
        s.row("idle")["cpu"].as_f64()
    });
    assert!(idle < 10.0, "{idle}");
    assert!(s.row("spins")["cpu"].as_f64().unwrap() < 150.0);
}

#[test]
fn the_table_is_plain_when_piped() {
    let s = Sandbox::new();
    some(&s);
    let output = s.run(&["list"]).stdout_lacks("\u{1b}").stderr("").success();
    let head = output.stdout.to_lowercase();
    for column in [
        "id", "name", "status", "pid", "cpu", "memory", "uptime", "restarts",
    ] {
        assert!(head.contains(column), "{column}: {output}");
    }
    for name in ["web-0", "web-1", "web-2", "db"] {
        assert_eq!(output.stdout.matches(name).count(), 1, "{name}: {output}");
    }
    assert_eq!(output.stdout.matches("running").count(), 3, "{output}");
    assert_eq!(output.stdout.matches("stopped").count(), 1, "{output}");
    let colour = [("NO_COLOR", "1"), ("TERM", "xterm-256color")];
    let plain = s.run_with(&colour, &["list"]).stderr("").success();
    let _ = plain.stdout_lacks("\u{1b}");
}

#[test]
fn the_table_fits_a_narrow_terminal() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    s.start("a-process-with-a-rather-long-name", &program, &[]);
    s.start("db", &program, &[]);
    for columns in ["60", "40"] {
        let output = s
            .run_with(&[("COLUMNS", columns)], &["list"])
            .stderr("")
            .success();
        let width: usize = columns.parse().unwrap();
        let widest = output.stdout.lines().map(|l| l.chars().count()).max();
        assert!(
            widest.unwrap() <= width,
            "{widest:?} of {columns}: {output}"
        );
        let output = output.stdout_has("db");
        if columns == "60" {
            let _ = output.stdout_has("running");
        }
    }
}

#[test]
fn a_terminal_narrower_than_a_name_gets_whole_lines_of_harmless_text() {
    let s = Sandbox::new();
    s.start("a-process-with-a-rather-long-name", &child::stays(&s), &[]);
    for width in [10, 20, 38, 200] {
        let mut screen = Screen::open(at_the_terminal(&s, &["list"]), (width, 10));
        assert!(screen.wait_exit().success());
        // A cut colour code would be no piece of ours.
        let raw = screen.raw();
        for piece in bytes::pieces(&raw) {
            assert!(bytes::is_ours(&piece), "{width}: {piece:?}");
        }
        let (coloured, lines) = (raw.contains(&0x1b), screen.text());
        assert_eq!(coloured, width > 40, "{width}: {lines}");
        let name = &"a-process-with-a-rather-long-name"[..5];
        assert!(lines.contains(name), "{width}: {lines}");
        // The title and one process: nothing went on on a line of its own.
        let rows = lines.lines().filter(|line| !line.trim().is_empty());
        assert!(width > 40 || rows.count() == 2, "{width}: {lines}");
    }
}

#[test]
fn an_empty_list_is_no_error() {
    let s = Sandbox::new();
    assert_eq!(s.rows(), Vec::<Value>::new());
    let _ = s.run(&["list"]).stderr("").success();
    let nothing = s
        .run(&["list", "no*", "--json"])
        .stderr("")
        .success()
        .json();
    assert_eq!(nothing, json!([]));
    let nothing = s.run(&["list", "tag:none"]).stderr("").success();
    let _ = nothing.stdout("nothing is selected\n");
    let _ = s.run(&["list", "nobody"]).error(4);
}

#[test]
fn aliases_do_the_same() {
    let s = Sandbox::new();
    some(&s);
    let names = |args: &[&str]| -> Vec<Value> {
        let json = s.run(args).stderr("").success().json();
        json.as_array()
            .unwrap()
            .iter()
            .map(|r| r["name"].clone())
            .collect()
    };
    let list = names(&["list", "--json"]);
    assert_eq!(list.len(), 4);
    assert_eq!(names(&["ls", "--json"]), list);
    assert_eq!(names(&["ps", "--json"]), list);
    let status = names(&["status", "web", "--json"]);
    assert_eq!(status, ["web-0", "web-1", "web-2"]);
    assert_eq!(names(&["info", "web", "--json"]), status);
    assert_eq!(names(&["describe", "web", "--json"]), status);
}

#[test]
fn status_says_all_that_is_known_of_a_process() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    let flags = [
        "--restart",
        "always",
        "--max-memory",
        "1GB",
        "--stop-timeout",
        "3s",
        "--",
        "x y",
        "",
    ];
    s.start("api", &program, &flags);
    let row = s.row("api");
    let all = s
        .run(&["status", "api", "--json"])
        .stderr("")
        .success()
        .json();
    let status = &all[0];
    for key in ["id", "name", "process", "namespace", "status", "pid", "run"] {
        assert_eq!(status[key], row[key], "{key} in {status}");
    }
    assert_eq!(status["command"]["args"], json!(["x y", ""]), "{status}");
    assert!(
        status["command"]["program"]
            .as_str()
            .unwrap()
            .ends_with("stays"),
        "{status}"
    );
    assert_eq!(status["cwd"], s.root().to_str().unwrap());
    for key in ["env", "restart", "stop", "limits", "generation"] {
        assert!(!status[key].is_null(), "{key} in {status}");
    }
    let out = status["logs"]["out"].as_str().unwrap();
    assert_eq!(
        out,
        s.home()
            .join("logs/default/api/0.out.log")
            .to_str()
            .unwrap()
    );
    assert!(
        status["logs"]["err"]
            .as_str()
            .unwrap()
            .ends_with("0.err.log")
    );
    let text = s
        .run(&["status", "api"])
        .stdout_lacks("\u{1b}")
        .stderr("")
        .success();
    let _ = text
        .stdout_has("api")
        .stdout_has("running")
        .stdout_has("/stays 'x y' ''\n")
        .stdout_has(&row["pid"].to_string());
}

#[test]
fn exits_are_shown_as_code_or_signal() {
    let s = Sandbox::new();
    s.launch(
        "seven",
        &child::exits(&s, "seven", 7),
        &["--restart", "never"],
    );
    assert_eq!(
        exit(&s.until_status("seven", "errored")),
        json!({"code": 7, "signal": null})
    );
    s.start(
        "well",
        &child::exits(&s, "well", 0),
        &["--restart", "never"],
    );
    assert_eq!(
        exit(&s.until_status("well", "exited")),
        json!({"code": 0, "signal": null})
    );
    s.start("shot", &child::stays(&s), &["--restart", "never"]);
    s.known("shot").signal(nix::sys::signal::Signal::SIGKILL);
    let shot = exit(&s.until_status("shot", "errored"));
    assert_eq!(shot, json!({"code": null, "signal": "SIGKILL"}));
    let text = s.run(&["status", "seven"]).stdout_has("7").success();
    let _ = text.stderr("");
    let _ = s
        .run(&["status", "shot"])
        .stdout_has("SIGKILL")
        .stderr("")
        .success();
}

#[test]
fn behind_a_link_the_way_back_leads_where_the_system_says() {
    let s = Sandbox::new();
    let where_it_is = s.script(
        "here",
        "pwd -P >\"$HOME/$ADASA_NAME.where\"\nexec sleep 1000",
    );
    std::fs::create_dir_all(s.path("real/deep")).unwrap();
    for folder in ["real/sub", "sub"] {
        std::fs::create_dir(s.path(folder)).unwrap();
    }
    std::os::unix::fs::symlink("real/deep", s.path("jump")).unwrap();
    s.start("typed", &where_it_is, &["--cwd", "./jump/../sub"]);
    let file = "[[processes]]\nname = \"filed\"\nscript = \"sh\"\nargs = [\"-c\", \"pwd -P >../../filed.where; exec sleep 1000\"]\ncwd = \"jump/../sub\"\n";
    s.file("adasa.toml", file);
    let _ = s.run(&["up", "-d"]).success();
    let there = format!("{}\n", s.path("real/sub").display());
    for name in ["typed", "filed"] {
        s.until_file(format!("{name}.where"), |text| text == there);
    }
    // A file that is named by such a way is the file that it is.
    let _ = s.run(&["down", "jump/../../adasa.toml"]).success();
    assert!(s.find_row("filed").is_none());
}

#[test]
fn the_working_folder_is_shown_without_detours() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    std::fs::create_dir_all(s.path("one/two")).unwrap();
    s.start("typed", &program, &["--cwd", "./one/../one/./two"]);
    let file = format!(
        "[[processes]]\nname = \"filed\"\nscript = \"{program}\"\ncwd = \"./one/../one/./two\"\n"
    );
    s.file("adasa.toml", file);
    let _ = s.run(&["up", "-d"]).success();
    let folder = s.path("one/two");
    for name in ["typed", "filed"] {
        let all = s.run(&["status", name, "--json"]).success().json();
        assert_eq!(all[0]["cwd"], folder.to_str().unwrap(), "{name}");
    }
}
