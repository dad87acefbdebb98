//! Readers that leave, lag, or ask for much.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::{Readers, Scope, search, stream};
use crate::api::{LogLine, SearchEnd, SearchNews};
use crate::daemon::message::LogSource;
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;
use crate::logs::filter::Pattern;
use crate::logs::merge::From;

fn scope(name: &str, text: &str, filter: &str) -> (PathBuf, Scope) {
    let folder = std::env::temp_dir().join(format!("adasa-reading-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("0.out.log");
    std::fs::write(&path, text).unwrap();
    let source = LogSource {
        id: InstanceId(7),
        name: "web".into(),
        stream: Stream::Out,
        path: path.clone(),
    };
    let scope = Scope::new(vec![source], None, filter, None).unwrap();
    (path, scope)
}

fn numbers(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("line {n}\n")).collect()
}

fn wanted(pattern: &str) -> search::Wanted {
    search::Wanted {
        pattern: Some(Pattern::new(pattern).unwrap()),
        errors: false,
        from: None,
        at_us: None,
        backward: false,
        limit: 1,
        count: false,
        deadline: Duration::from_secs(60),
    }
}

async fn found(scope: Scope, wanted: search::Wanted) -> (Vec<u64>, u64, u64, SearchEnd) {
    let (news, mut told) = mpsc::channel(4);
    let readers = Readers::new(std::path::Path::new("/logs"));
    let searching = tokio::spawn(async move { search::run(&readers, scope, wanted, &news).await });
    let mut offsets = Vec::new();
    let mut last = None;
    while let Some(it) = told.recv().await {
        match it {
            SearchNews::Hit { line } => offsets.push(line.offset),
            SearchNews::Progress(_) => {}
            SearchNews::Done { state, end } => last = Some((state, end)),
        }
    }
    searching.await.unwrap().unwrap();
    let (state, end) = last.expect("a search says how it ended");
    (offsets, state.hits, state.lines, end)
}

#[tokio::test]
async fn a_search_goes_either_way_to_its_limit_and_counts_the_rest_when_asked() {
    let (path, scope) = scope("search", &numbers(0, 20_000), "");
    let at = |n: usize| numbers(0, n).len() as u64;
    let forward = found(scope.clone(), wanted("line 19.99$")).await;
    assert_eq!(forward, (vec![at(19_099)], 1, 19_100, SearchEnd::Limit));
    let backward = search::Wanted {
        backward: true,
        limit: 2,
        ..wanted("line 19.99$")
    };
    let backward = found(scope.clone(), backward).await;
    let expected = vec![at(19_999), at(19_899)];
    assert_eq!(backward, (expected, 2, 101, SearchEnd::Limit));
    let all = search::Wanted {
        count: true,
        ..wanted("line 19.99$")
    };
    let all = found(scope.clone(), all).await;
    assert_eq!(all, (vec![at(19_099)], 10, 20_000, SearchEnd::Exhausted));
    // From the cursor of the first hit on.
    let place = format!("7:out:{}", forward.0[0]).parse().unwrap();
    let from = search::Wanted {
        from: Some(scope.begin_at(&place, None).unwrap()),
        ..wanted("line 1")
    };
    assert_eq!(found(scope, from).await.0, forward.0);
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[tokio::test]
async fn a_search_whose_listener_left_is_over() {
    let (path, scope) = scope("left", &numbers(0, 200_000), "");
    let (news, told) = mpsc::channel(4);
    drop(told);
    let readers = Readers::new(std::path::Path::new("/logs"));
    let long = search::Wanted {
        limit: 1000,
        ..wanted("line")
    };
    search::run(&readers, scope, long, &news).await.unwrap();
    assert!(readers.are_free());
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

type Lines = mpsc::Receiver<Result<Vec<LogLine>, String>>;

/// Takes lines until one ends with this; their texts and gaps.
async fn until(lines: &mut Lines, last: &str) -> Vec<(String, u64)> {
    let mut seen = Vec::new();
    loop {
        let batch = lines.recv().await.expect("the stream goes on").unwrap();
        seen.extend(batch.into_iter().map(|l| (l.line, l.gap)));
        if seen.last().is_some_and(|(text, _)| text == last) {
            return seen;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_screen_that_does_not_keep_up_is_brought_to_the_end_and_told_what_it_missed() {
    let (path, scope) = scope("lag", &numbers(0, 10), "");
    let (grew, growth) = watch::channel(0);
    let (sender, mut lines) = mpsc::channel(1);
    let wanted = stream::Wanted {
        from: From::Last(5),
        until_us: None,
        follow: true,
        rate: Some(1_000_000),
    };
    let stream = stream::stream(
        Readers::new(std::path::Path::new("/logs")),
        scope,
        wanted,
        growth,
        sender,
    );
    let task = tokio::spawn(stream);
    assert_eq!(until(&mut lines, "line 9").await.len(), 5);
    // Nobody takes anything while a flood comes.
    std::fs::write(&path, numbers(0, 300_000)).unwrap();
    grew.send(1).unwrap();
    tokio::time::advance(Duration::from_secs(5)).await;
    let rest = until(&mut lines, "line 299999").await;
    let gaps: u64 = rest.iter().map(|(_, gap)| gap).sum();
    assert_eq!(
        rest.len() as u64 + gaps,
        299_990,
        "each is shown or counted"
    );
    assert!(rest.len() <= 6_000, "{} lines were sent", rest.len());
    drop(lines);
    task.await.unwrap();
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[tokio::test]
async fn with_a_filter_the_last_lines_are_the_last_that_pass() {
    let (path, scope) = scope("filter", &numbers(0, 50_000), "7$\n!17$");
    let (_grew, growth) = watch::channel(0);
    let (sender, mut lines) = mpsc::channel(4);
    let wanted = stream::Wanted {
        from: From::Last(3),
        until_us: None,
        follow: false,
        rate: None,
    };
    stream::stream(
        Readers::new(std::path::Path::new("/logs")),
        scope,
        wanted,
        growth,
        sender,
    )
    .await;
    let mut texts = Vec::new();
    while let Some(batch) = lines.recv().await {
        texts.extend(batch.unwrap().into_iter().map(|l| l.line));
    }
    assert_eq!(texts, ["line 49977", "line 49987", "line 49997"]);
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}
