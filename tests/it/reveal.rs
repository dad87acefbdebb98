//! One value of an environment is told on request, and who asked for which is remembered; the value is not.

use serde_json::json;

use crate::child;
use crate::http::try_post;
use crate::sandbox::Sandbox;

const SECRET: &str = "hunter2-is-no-password";

fn started() -> Sandbox {
    let s = Sandbox::new();
    let pair = format!("API_TOKEN={SECRET}");
    let flags = [
        "--env",
        &pair,
        "--env",
        "OTHER=also-secret",
        "--instances",
        "2",
    ];
    s.start("api", &child::stays(&s), &flags);
    s
}

#[test]
fn status_shows_the_one_value_that_is_asked_for_and_says_who_saw_it() {
    let s = started();
    let _ = s
        .run(&["status", "api"])
        .success()
        .stdout_has("API_TOKEN=***")
        .stdout_lacks(SECRET);
    let _ = s
        .run(&["status", "api", "--reveal", "API_TOKEN"])
        .success()
        .stderr("")
        .stdout_has(&format!("API_TOKEN={SECRET} OTHER=***"))
        .stdout_lacks("also-secret");
    let json = s.run(&["status", "api-1", "--reveal", "API_TOKEN", "--json"]);
    let json = json.success().json();
    assert_eq!(json[0]["env"], json!({"API_TOKEN": SECRET, "OTHER": "***"}));
    let list = s.run(&["activity", "--json"]).success().json_lines();
    let seen: Vec<_> = list
        .iter()
        .filter(|it| it["text"] == "reveal API_TOKEN of")
        .collect();
    let names: Vec<_> = seen.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["api", "api-1"], "{list:?}");
    assert!(
        seen.iter().all(|it| it["who"]["client"] == "cli"),
        "{seen:?}"
    );
    for told in [
        &["activity"][..],
        &["daemon", "log"],
        &["status", "api", "--json"],
    ] {
        let _ = s.run(told).success().stdout_lacks(SECRET);
    }
    let history = std::fs::read_dir(s.home().join("state/history")).unwrap();
    for file in history {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET));
    }
}

#[test]
fn what_is_not_there_or_not_one_is_refused_and_nothing_is_told() {
    let s = started();
    s.start("other", &child::stays(&s), &[]);
    let _ = s
        .run(&["status", "api", "--reveal", "API_TOKN"])
        .code(4)
        .stdout("")
        .stderr_has("api defines no variable API_TOKN")
        .stderr_has("did you mean API_TOKEN?");
    let _ = s
        .run(&["status", "all", "--reveal", "API_TOKEN"])
        .code(2)
        .stdout("")
        .stderr_has("more than one process");
    let _ = s
        .run(&["status", "api", "other", "--reveal", "API_TOKEN"])
        .code(2)
        .stdout("")
        .stderr_has("--reveal is of one process");
    let list = s.run(&["activity", "--json"]).success().json_lines();
    assert!(
        list.iter()
            .all(|it| !it["text"].as_str().unwrap().starts_with("reveal"))
    );
}

#[test]
fn who_only_looks_is_told_no_value() {
    let s = started();
    let body = json!({"select": "api", "key": "API_TOKEN"});
    let (status, answer) = try_post(&s, "/api/reveal", &body).unwrap();
    assert_eq!((status, &answer["data"]["value"]), (200, &json!(SECRET)));
    let text = body.to_string();
    let request = format!(
        "POST /api/reveal HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\nadasa-read-only: 1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let (status, answer) = crate::http::request(&s, &request);
    assert_eq!(
        (status, &answer["error"]["code"]),
        (403, &json!("forbidden"))
    );
    assert!(!answer.to_string().contains(SECRET));
}

/// A definition with values of every kind: what a careful person would not show is nowhere but in the program.
#[test]
fn only_what_is_known_to_be_harmless_is_shown_and_each_says_where_it_comes_from() {
    let s = Sandbox::new();
    let program = child::shows_environment(&s, "api");
    let file = format!(
        "[[processes]]\nname = \"api\"\nscript = \"{program}\"\n[processes.env]\n\
         MODE = \"production\"\nPORT = 8003\nOTHER = \"one-secret\"\nFROM = \"$HANDED\"\n\
         STORE = \"postgres://api:two-secret@db/prod\"\n\
         COUNT = {{ value = 17, secret = true }}\nMOTTO = {{ value = \"plain words\", secret = false }}\n\
         API_TOKEN = \"three-secret\"\n"
    );
    let file = s.file("api.toml", file).display().to_string();
    let handed = [("HANDED", "four-secret")];
    let _ = s.run_with(&handed, &["start", "--config", &file]).success();
    s.until_file("api.env", |text| {
        text.contains("FROM=four-secret\n") && text.contains("COUNT=17\n")
    });
    let json = s.run(&["status", "api", "--json"]).success().json();
    let seen = json!({
        "MODE": "production", "PORT": "8003", "OTHER": "***", "FROM": "***",
        "STORE": "postgres://api:***@db/prod", "COUNT": "***", "MOTTO": "plain words",
        "API_TOKEN": "***",
    });
    assert_eq!(json[0]["env"], seen);
    let origins = &json[0]["env_origins"];
    assert_eq!(
        (&origins["FROM"], &origins["PORT"]),
        (&json!("template"), &json!("file"))
    );
    assert!(json[0]["inherited"]["PATH"].is_string(), "{json}");
    let text = s.run(&["status", "api"]).success();
    let text = text.stdout_has("template: FROM").stdout_has("inherited: ");
    for part in ["one-secret", "two-secret", "three-secret", "four-secret"] {
        assert!(!json.to_string().contains(part), "{json}");
        assert!(!text.stdout.contains(part), "{}", text.stdout);
    }
    // What is edited keeps what was said of it, and shows no value.
    let editor = s.script(
        "editor",
        "cp \"$1\" seen\nsed -i 's/^max_restarts = .*/max_restarts = 3/' \"$1\"",
    );
    let _ = s
        .run_with(&[("EDITOR", &editor)], &["edit", "api", "--yes"])
        .success()
        .stdout_has("nothing is restarted");
    let draft = s.read("seen");
    assert!(
        draft.contains("\"COUNT\" = { value = \"***\", secret = true }\n"),
        "{draft}"
    );
    assert!(!draft.contains("-secret\""), "{draft}");
    let after = s.run(&["status", "api", "--json"]).success().json();
    assert_eq!(
        (&after[0]["env"], &after[0]["env_origins"]),
        (&seen, origins)
    );
    // Another daemon knows the same.
    s.murder("pid");
    let after = s.run(&["status", "api", "--json"]).success().json();
    assert_eq!(after[0]["env"], seen);
    let one = s.run(&["status", "api", "--reveal", "FROM"]).success();
    let _ = one
        .stdout_has("FROM=four-secret")
        .stdout_lacks("one-secret");
}

#[test]
fn a_variable_has_a_value_and_says_whether_it_is_a_secret_and_nothing_else() {
    let s = Sandbox::new();
    for (table, why) in [
        ("{ secret = true }", "`KEY` has no `value`"),
        (
            "{ value = \"x\", secert = true }",
            "a variable has no key `secert`",
        ),
        ("{ value = \"x\", secret = \"yes\" }", "true or false"),
        ("[\"x\"]", "a text"),
    ] {
        let text = format!("name = \"api\"\nscript = \"sleep\"\n[env]\nKEY = {table}\n");
        let file = s.file("api.toml", text).display().to_string();
        let _ = s
            .run(&["start", "--config", &file])
            .code(2)
            .stderr_has("api.toml:4:")
            .stderr_has(why);
    }
}
