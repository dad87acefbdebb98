//! Logs read from places: pages, searches and counts over the API, and what the command line makes of them.

use serde_json::Value;

use super::follow::when;
use super::{Talker, log_of};
use crate::http::{answer_of, get, lines_of};
use crate::sandbox::Sandbox;

/// Numbered lines, rotated several times; waits until all are written and the archives are compressed.
fn rotated(sandbox: &Sandbox, count: usize) {
    sandbox.script("flood.sh", &format!("exec seq -w 1 {count}"));
    let config = "[[processes]]\nname = \"flood\"\nscript = \"./flood.sh\"\nautorestart = false\n\
                  log_max_size = \"64KiB\"\nlog_archives = 100\n";
    let file = sandbox.file("flood.toml", config);
    let file = file.to_str().unwrap();
    sandbox.run(&["start", "--config", file]).success();
    let log = log_of(sandbox, "flood", "out");
    when(log.parent().unwrap(), "the archives are compressed", || {
        let entries = std::fs::read_dir(log.parent().unwrap()).map_err(|e| e.to_string())?;
        let names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("0.out.log.") && !name.ends_with(".idx"))
            .collect();
        let whole = !names.is_empty() && names.iter().all(|name| name.ends_with(".gz"));
        let end = std::fs::read_to_string(&log).unwrap_or_default();
        let done = whole && (end.is_empty() || end.ends_with(&format!("{count}\n")));
        if done {
            Ok(())
        } else {
            Err(format!("{names:?}"))
        }
    });
    sandbox.until_status("flood", "exited");
}

fn texts(page: &Value) -> Vec<String> {
    let lines = page["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line["line"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn pages_go_through_archives_in_both_directions_without_a_line_lost_or_doubled() {
    const COUNT: usize = 60_000;
    let sandbox = Sandbox::new();
    rotated(&sandbox, COUNT);
    let all: Vec<String> = (1..=COUNT).map(|n| format!("{n:05}")).collect();

    let (mut seen, mut place) = (Vec::new(), String::new());
    loop {
        let query = format!("/api/logs/page?select=flood&before=5000{place}");
        let page = get(&sandbox, &query);
        let mut lines = texts(&page);
        lines.append(&mut seen);
        seen = lines;
        place = format!("&cursor={}", page["start"].as_str().unwrap());
        if page["oldest"] == true {
            break;
        }
    }
    assert_eq!(seen, all, "backwards");

    let (mut seen, mut place) = (Vec::new(), "&cursor=1:out:0".to_owned());
    loop {
        let query = format!("/api/logs/page?select=flood&after=5000{place}");
        let page = get(&sandbox, &query);
        seen.extend(texts(&page));
        place = format!("&cursor={}", page["end"].as_str().unwrap());
        if page["newest"] == true {
            break;
        }
    }
    assert_eq!(seen, all, "forwards");
}

#[test]
fn the_cursor_of_a_line_finds_it_again_after_rotation_and_after_the_daemons_death() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    for n in 0..5 {
        talker.say("out", &format!("before {n}"));
    }
    let page = get(&sandbox, "/api/logs/page?select=web&before=3");
    let line = &page["lines"][0];
    let cursor = format!("{}:out:{}", line["id"], line["offset"]);
    let around = || {
        let query = format!("/api/logs/page?select=web&cursor={cursor}&before=2&after=2");
        let lines = ["before 0", "before 1", "before 2", "before 3"];
        assert_eq!(texts(&get(&sandbox, &query)), lines);
    };
    around();
    sandbox.run(&["logs", "--rotate", "web"]).success();
    talker.say("out", "after");
    around();
    sandbox.murder("pid");
    let _ = sandbox.rows();
    around();
}

#[test]
fn a_page_begins_at_a_moment_and_keeps_what_passes_its_filter() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    talker.say("out", "INFO first");
    talker.say("err", "ERROR second");
    talker.say("out", "third");
    let page = get(&sandbox, "/api/logs/page?select=web");
    let all = ["ready web", "INFO first", "ERROR second", "third"];
    assert_eq!(texts(&page), all);
    let time = &page["lines"][2]["time"];
    let query = format!("/api/logs/page?at_ms={time}&before=1&after=9");
    assert_eq!(texts(&get(&sandbox, &query)), all[1..]);
    for (query, lines) in [
        ("filter=ir%0A!error", vec!["INFO first", "third"]),
        ("level=warn", vec!["ready web", "ERROR second", "third"]),
        ("stream=err", vec!["ERROR second"]),
    ] {
        let page = get(&sandbox, &format!("/api/logs/page?{query}"));
        assert_eq!(texts(&page), lines, "{query}");
    }
    for (wrong, why) in [
        ("filter=(", "the filter"),
        ("cursor=x", "is no cursor"),
        ("cursor=99:out:0", "in none of the selected logs"),
        ("lines=5", "unknown field"),
    ] {
        let (status, body) = answer_of(&sandbox, &format!("/api/logs/page?select=web&{wrong}"));
        assert_eq!(status, 400, "{body}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(why), "{wrong}: {message}");
    }
}

#[test]
fn a_search_finds_lines_in_compressed_archives_and_says_how_it_ended() {
    let sandbox = Sandbox::new();
    rotated(&sandbox, 60_000);
    let query = "/api/logs/search?select=flood&pattern=77$&backward=true&limit=2&count=true";
    let news = lines_of(&sandbox, query);
    let hits: Vec<&str> = news
        .iter()
        .filter(|it| it["type"] == "hit")
        .map(|it| it["line"]["line"].as_str().unwrap())
        .collect();
    assert_eq!(hits, ["59977", "59877"]);
    let last = news.last().unwrap();
    assert_eq!(last["type"], "done");
    assert_eq!(last["end"], "exhausted");
    assert_eq!(
        (last["hits"].as_u64(), last["lines"].as_u64()),
        (Some(600), Some(60_000))
    );
    // On from where it ended.
    let news = lines_of(&sandbox, "/api/logs/search?select=flood&pattern=77$");
    let last = news.last().unwrap();
    assert_eq!(last["end"], "limit");
    let next = last["next"].as_str().unwrap();
    let query = format!("/api/logs/search?select=flood&pattern=77$&cursor={next}");
    assert_eq!(lines_of(&sandbox, &query)[0]["line"]["line"], "00177");
    for wrong in ["&pattern=(", ""] {
        let query = format!("/api/logs/search?select=flood{wrong}");
        let (status, body) = answer_of(&sandbox, &query);
        assert_eq!(status, 400, "{body}");
    }
}

#[test]
fn lines_are_counted_per_stretch_of_time_and_errors_are_found() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    talker.say("out", "ERROR one");
    talker.say("err", "two");
    talker.say("out", "three");
    let page = get(&sandbox, "/api/logs/page?select=web");
    let lines = page["lines"].as_array().unwrap();
    let time = |n: usize| lines[n]["time"].as_u64().unwrap();
    let (from, to) = (time(0), time(3) + 1);
    let query = format!("/api/logs/histogram?select=web&from_ms={from}&to_ms={to}&buckets=7");
    let counted = get(&sandbox, &query);
    let buckets = counted["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 7);
    let sum = |key: &str| {
        let counts = buckets.iter().map(|b| b[key].as_u64().unwrap());
        counts.sum::<u64>()
    };
    assert_eq!([sum("lines"), sum("stderr"), sum("errors")], [4, 1, 1]);
    assert_eq!(counted["complete"], true);
    // Up to a line, and not with it.
    let to = time(3);
    let query = format!("/api/logs/histogram?select=web&from_ms={from}&to_ms={to}&buckets=1");
    assert_eq!(get(&sandbox, &query)["buckets"][0]["lines"], 3);
    let news = lines_of(
        &sandbox,
        "/api/logs/search?errors=true&backward=true&limit=9",
    );
    let hits: Vec<&str> = news
        .iter()
        .filter_map(|it| it["line"]["line"].as_str())
        .collect();
    assert_eq!(hits, ["ERROR one"]);
}

#[test]
fn logs_by_pattern_with_and_without_a_daemon() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    talker.say("out", "GET /a 200");
    talker.say("out", "GET /health 200");
    talker.say("out", "POST /b 201");
    let check = || {
        let seen = |args: &[&str]| {
            let mut all = vec!["logs", "web"];
            all.extend(args);
            sandbox.run(&all).success().stdout
        };
        assert_eq!(
            seen(&["--grep", "get", "--grep", "!health"]),
            "GET /a 200\n"
        );
        let last = "GET /health 200\nPOST /b 201\n";
        assert_eq!(seen(&["--grep", "2..$", "-n", "2"]), last);
        assert_eq!(seen(&["--until", "1h"]), "");
    };
    check();
    let wrong = sandbox.run(&["logs", "web", "--grep", "("]);
    let _ = wrong.code(2).stderr_has("--grep");
    sandbox.run(&["daemon", "stop"]).success();
    check();
}
