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
