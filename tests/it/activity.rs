//! Who did what, from which client; and who listens.

use serde_json::Value;

use crate::http::request;
use crate::logs::follow::Follow;
use crate::sandbox::Sandbox;

fn activity(home: &Sandbox, args: &[&str]) -> Vec<Value> {
    let mut all = vec!["activity", "--json"];
    all.extend(args);
    home.run(&all).success().json_lines()
}

#[track_caller]
fn find<'a>(list: &'a [Value], text: &str) -> &'a Value {
    let mut newest = list.iter().rev();
    let found = newest.find(|it| it["text"].as_str().is_some_and(|it| it == text));
    found.unwrap_or_else(|| panic!("no {text:?} in {list:#?}"))
}

/// Each kind of change, and that it is told with who did it.
#[test]
fn every_change_is_remembered_with_who_did_it_and_what_became_of_it() {
    let home = Sandbox::new();
    home.start("web", "sleep", &["--instances", "2", "--", "1000"]);
    home.start("lone", "sleep", &["--", "1000"]);
    for command in [
        &["restart", "web"][..],
        &["restart", "web", "--rolling", "--stable", "10ms"],
        &["stop", "web-0", "lone"],
        &["undo"],
        &["scale", "web", "3"],
        &["flush", "web"],
        &["stop", "--force", "lone"],
        &["delete", "lone"],
    ] {
        drop(home.run(command).success());
    }
    let file = home.file(
        "adasa.toml",
        "[[processes]]\nname = \"filed\"\nscript = \"sleep\"\nargs = [\"1000\"]\n",
    );
    let file = file.to_str().unwrap();
    drop(home.run(&["up", "-d", file]).success());
    drop(home.run(&["down", file]).success());
    drop(home.run(&["daemon", "restart"]).success());
    let list = activity(&home, &[]);
    let user = find(&list, "restart")["who"]["user"].clone();
    for (text, name) in [
        ("define", "lone"),
        ("restart", "web"),
        ("rolling restart", "web"),
        ("stop", "lone web-0"),
        ("undo", ""),
        ("scale", "web"),
        ("empty the logs of", "web"),
        ("kill", "lone"),
        ("delete", "lone"),
        ("apply", "filed"),
        ("down", "filed"),
        ("restart the daemon", ""),
    ] {
        let it = find(&list, text);
        assert_eq!(it["who"]["client"], "cli", "{it}");
        assert_eq!(it["who"]["user"], user, "{it}");
        assert!(it["who"]["pid"].is_i64(), "{it}");
        let words: Vec<&str> = it["name"].as_str().unwrap().split(' ').collect();
        assert!(
            name.split(' ')
                .all(|part| words.contains(&part) || part.is_empty()),
            "{it}"
        );
        let operation = !text.contains("logs") && !text.contains("daemon");
        assert_eq!(it["operation"].is_string(), operation, "{it}");
        if operation {
            assert_eq!(it["outcome"]["failed"], 0, "{it}");
            assert!(it["outcome"]["ok"].as_u64() > Some(0), "{it}");
        }
    }
    // Kept over the death of the daemon, which is told too.
    home.murder("pid");
    let after = activity(&home, &[]);
    assert_eq!(after[..list.len()], list);
    find(
        &after,
        &format!("the daemon began, version {}", env!("CARGO_PKG_VERSION")),
    );
    assert_eq!(activity(&home, &["-n", "1"]).len(), 1);
    assert!(activity(&home, &["--since", "2100-01-01T00:00"]).is_empty());
    let text = home.run(&["activity"]).success();
    let _ = text.stdout_has(" (cli)  rolling restart web  ok in ");
    let why = home.run(&["why", "web-1"]).success();
    let _ = why.stdout_has(" (cli)");
}

#[test]
fn what_happens_by_itself_is_told_too_and_what_failed_says_why() {
    let home = Sandbox::new();
    let script = home.script("fails", "exit 3");
    home.launch(
        "fails",
        &script,
        &["--max-restarts", "1", "--restart-delay", "10ms"],
    );
    home.until_status("fails", "errored");
    let list = activity(&home, &[]);
    let crash = find(&list, "exit 3");
    assert_eq!(
        (&crash["who"], &crash["bad"]),
        (&Value::Null, &Value::Bool(true))
    );
    let lost = home.script("lost", "exec sleep 1000");
    home.start("lost", &lost, &["--max-restarts", "0"]);
    std::fs::remove_file(&lost).unwrap();
    drop(home.run(&["restart", "lost"]).code(1));
    let list = activity(&home, &[]);
    let failed = find(&list, "restart");
    assert_eq!(
        (&failed["outcome"]["failed"], &failed["bad"]),
        (&1.into(), &true.into())
    );
    assert!(failed["outcome"]["why"].is_string(), "{failed}");
}

#[test]
fn a_client_of_another_kind_is_named_by_what_it_calls_itself() {
    let home = Sandbox::new();
    home.start("web", "sleep", &["--", "1000"]);
    let body = r#"{"operation":"by-hand-1","verb":"restart","select":["web"]}"#;
    let text = format!(
        "POST /api/operations?wait_ms=5000 HTTP/1.1\r\nHost: adasa\r\nUser-Agent: curl/8.5.0 (x)\r\nadasa-client: \u{1b}[2J\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // A header with a control is refused before it is read.
    assert_eq!(request(&home, &text).0, 400);
    let text = text.replace("adasa-client: \u{1b}[2J\r\n", "");
    let (status, answer) = request(&home, &text);
    assert_eq!(status, 200, "{answer}");
    let list = activity(&home, &[]);
    let who = &find(&list, "restart")["who"];
    assert_eq!(
        (&who["client"], &who["agent"]),
        (&"api".into(), &"curl/8.5.0".into())
    );
}

#[test]
fn who_follows_is_here_and_hears_at_once_what_others_do() {
    let home = Sandbox::new();
    home.start("web", "sleep", &["--", "1000"]);
    let nobody = home.run(&["clients"]).success();
    let _ = nobody.stdout("nobody listens\n");
    let mut follow = Follow::start(&home, &["activity", "-f", "--json"]);
    drop(follow.line());
    let clients = home.run(&["clients", "--json"]).success().json();
    let here = clients.as_array().expect("a list");
    assert_eq!(here.len(), 1, "{clients}");
    assert_eq!(here[0]["who"]["client"], "cli");
    drop(home.run(&["stop", "web"]).success());
    let told = loop {
        let it: Value = serde_json::from_str(&follow.line()).unwrap();
        if it["text"] == "stop" {
            break it;
        }
    };
    assert_eq!(
        (&told["name"], &told["who"]["client"]),
        (&"web".into(), &"cli".into())
    );
    drop(follow.interrupt());
    home.wait_for("that it is gone", |home| {
        let clients = home.run(&["clients", "--json"]).success().json();
        let is_cli = |it: &Value| it["who"]["client"] == "cli";
        let here = clients.as_array()?.iter().any(is_cli);
        (!here).then_some(())
    });
}
