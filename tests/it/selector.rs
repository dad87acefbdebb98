//! Selectors: every kind, everywhere, exactly.

use crate::child;
use crate::sandbox::Sandbox;

/// `web-0 web-1` (tag front), `api` in two namespaces, `api-gateway` (tag front), `db` stopped.
fn cast(s: &Sandbox) {
    let program = child::stays(s);
    s.start("web", &program, &["--instances", "2", "--tag", "front"]);
    s.start("api", &program, &[]);
    s.start("api", &program, &["--namespace", "back"]);
    s.start(
        "api-gateway",
        &program,
        &["--tag", "front", "--tag", "edge"],
    );
    s.start("db", &program, &[]);
    let _ = s.run(&["stop", "db"]).success();
}

fn selected(s: &Sandbox, words: &[&str]) -> Vec<String> {
    let mut args = vec!["list", "--json"];
    args.extend(words);
    let json = s.run(&args).stderr("").success().json();
    let rows = json.as_array().unwrap().iter();
    let mut names: Vec<_> = rows
        .map(|r| {
            format!(
                "{}/{}",
                r["namespace"].as_str().unwrap(),
                r["name"].as_str().unwrap()
            )
        })
        .collect();
    names.sort();
    names
}

#[test]
fn selectors_of_every_kind_select_exactly() {
    let s = Sandbox::new();
    cast(&s);
    let id = s.row("web-1")["id"].to_string();
    let everything = [
        "back/api",
        "default/api",
        "default/api-gateway",
        "default/db",
        "default/web-0",
        "default/web-1",
    ];
    for (words, wanted) in [
        (&["all"][..], &everything[..]),
        (&[], &everything),
        (&[&id], &["default/web-1"]),
        (&["web"], &["default/web-0", "default/web-1"]),
        (&["web-0"], &["default/web-0"]),
        (&["back/api"], &["back/api"]),
        (&["default/api"], &["default/api"]),
        (&["api"], &["back/api", "default/api"]),
        (
            &["api*"],
            &["back/api", "default/api", "default/api-gateway"],
        ),
        (&["ap?"], &["back/api", "default/api"]),
        (&["back/*"], &["back/api"]),
        (
            &["tag:front"],
            &["default/api-gateway", "default/web-0", "default/web-1"],
        ),
        (&["tag:edge"], &["default/api-gateway"]),
        (&["status:stopped"], &["default/db"]),
        (&["db", "web-0", "db"], &["default/db", "default/web-0"]),
        (&["tag:nobody"], &[]),
    ] {
        assert_eq!(selected(&s, words), wanted, "{words:?}");
    }
}

#[test]
fn commands_take_selectors_too() {
    let s = Sandbox::new();
    cast(&s);
    let running = || selected(&s, &["status:running"]);
    let _ = s
        .run(&["stop", "tag:edge", "back/api"])
        .stderr("")
        .success();
    assert_eq!(running(), ["default/api", "default/web-0", "default/web-1"]);
    let _ = s.run(&["stop", "web-?"]).stderr("").success();
    assert_eq!(running(), ["default/api"]);
    let _ = s.run(&["start", "status:stopped"]).stderr("").success();
    assert_eq!(running().len(), 6);
    let before = s.pid("api-gateway");
    let _ = s.run(&["restart", "tag:front"]).stderr("").success();
    assert_ne!(s.pid("api-gateway"), before);
    let _ = s.run(&["delete", "back/*"]).stderr("").success();
    assert_eq!(selected(&s, &["api"]), ["default/api"]);
    let _ = s.run(&["delete", "all"]).stderr("").success();
    assert!(s.rows().is_empty());
}

#[test]
fn a_configuration_file_selects_what_it_defines() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    s.start("other", &program, &[]);
    let one = |name: &str| format!("[[processes]]\nname = \"{name}\"\nscript = \"{program}\"\n");
    s.file("conf/adasa.toml", one("a") + &one("b"));
    let _ = s
        .run(&["start", "--config", "conf/adasa.toml"])
        .stderr("")
        .success();
    assert_eq!(s.rows().len(), 3);
    assert_eq!(
        selected(&s, &["conf/adasa.toml"]),
        ["default/a", "default/b"]
    );
    let _ = s.run(&["stop", "./conf/adasa.toml"]).stderr("").success();
    assert_eq!(
        selected(&s, &["status:stopped"]),
        ["default/a", "default/b"]
    );
    assert_eq!(s.status("other"), "running");
}

#[test]
fn deleting_a_name_does_not_touch_names_that_begin_with_it() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    for name in ["api", "api-gateway", "api-0x"] {
        s.start(name, &program, &[]);
    }
    let (gateway, other) = (s.pid("api-gateway"), s.pid("api-0x"));
    let deleted = s.known("api");
    let _ = s
        .run(&["delete", "api"])
        .stderr("")
        .stdout_has("api")
        .success();
    assert!(!deleted.is_alive());
    assert!(s.find_row("api").is_none());
    assert_eq!((s.pid("api-gateway"), s.pid("api-0x")), (gateway, other));
}

#[test]
fn ids_are_stable_and_never_given_again() {
    let s = Sandbox::new();
    let program = child::stays(&s);
    s.start("w", &program, &["--instances", "3"]);
    let ids = || -> Vec<_> {
        let rows = s.rows();
        rows.iter()
            .map(|r| (r["name"].to_string(), r["id"].as_u64().unwrap()))
            .collect()
    };
    let before = ids();
    let commands: [&[&str]; 6] = [
        &["restart", "w"],
        &["stop", "w-1"],
        &["daemon", "restart"],
        &["start", "w-1"],
        &["daemon", "stop"],
        &["daemon", "start"],
    ];
    for command in commands {
        let _ = s.run(command).stderr("").success();
        if command != ["daemon", "stop"] {
            assert_eq!(ids(), before, "after {command:?}");
        }
    }
    let highest = before.iter().map(|(_, id)| *id).max().unwrap();
    let _ = s.run(&["delete", "w"]).stderr("").success();
    s.start("later", &program, &[]);
    assert!(s.row("later")["id"].as_u64().unwrap() > highest);
    let _ = s.run(&["delete", "later"]).success();
    let _ = s.run(&["daemon", "stop"]).success();
    s.start("last", &program, &[]);
    assert!(s.row("last")["id"].as_u64().unwrap() > highest + 1);
}

/// Fails until there is a file `fixed`.
fn fragile(s: &Sandbox, name: &str) -> String {
    let fixed = s.path("fixed");
    s.script(
        name,
        &format!("[ -e {} ] && exec sleep 1000\nexit 3", fixed.display()),
    )
}

#[test]
fn restart_failed_touches_what_waits_or_gave_up_and_nothing_else() {
    let s = Sandbox::new();
    s.start("good", &child::stays(&s), &[]);
    s.start("down", &child::stays(&s), &[]);
    let _ = s.run(&["stop", "down"]).success();
    let _ = s
        .run(&["restart", "--failed"])
        .success()
        .stdout("nothing is selected\n")
        .stderr("");
    let file = |name: &str, flags: &str| {
        format!(
            "[[processes]]\nname = \"{name}\"\nscript = \"{}\"\n{flags}\n",
            fragile(&s, name)
        )
    };
    let both = file(
        "waits",
        "restart_delay = \"1h\"\nmax_restart_delay = \"1h\"",
    ) + &file("gave-up", "max_restarts = 0");
    let config = s.file("both.toml", both);
    let _ = s.run(&["start", "--config", &config.display().to_string()]);
    s.until_status("waits", "backoff");
    s.until_status("gave-up", "errored");
    let (good, down) = (s.known("good"), s.row("down"));
    s.file("fixed", "");
    let plan = s.run(&["restart", "--failed", "--dry-run"]).success();
    let _ = plan
        .stdout_has("waits")
        .stdout_has("gave-up")
        .stdout_lacks("good");
    let _ = s
        .run(&["restart", "--failed", "waits", "good"])
        .success()
        .stdout_has("waits restarted (pid ")
        .stdout_lacks("good")
        .stdout_lacks("gave-up");
    let _ = s
        .run(&["restart", "--failed"])
        .success()
        .stdout_has("gave-up restarted (pid ")
        .stdout_lacks("waits");
    for name in ["waits", "gave-up"] {
        assert_eq!(s.status(name), "running");
    }
    assert_eq!(s.known("good"), good);
    assert_eq!(s.row("down")["run"], down["run"]);
    // A name has to be there, and batches are about what runs.
    let _ = s.run(&["restart", "--failed", "nobody"]).error(4);
    let _ = s.run(&["restart", "--failed", "--rolling", "good"]).code(2);
    let _ = s.run(&["restart"]).code(2);
    assert_eq!(selected(&s, &["failed:all"]), [""; 0]);
}
