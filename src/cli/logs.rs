//! logs and flush.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::api::{Code, Cursor, LogLine, LogPlace, LogQuery};
use crate::client::{Client, ClientError};
use crate::config::units;
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;
use crate::logs::filter::Filter;
use crate::logs::merge::{From, Merge, Retreat};
use crate::logs::safe::SafeText;
use crate::platform::clock::wall_ms;

use super::args::{Global, Logs};
use super::failure::{Failure, exit};
use super::print;
use super::select::{client, words};

/// Lines when nobody says how many.
const LINES: usize = 100;

/// `10m`, or a moment: with an offset, or in this machine's time zone.
pub(super) fn moment(flag: &str, text: &str) -> Result<u64, Failure> {
    if let Ok(ago) = units::duration(text) {
        return Ok(wall_ms().saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)));
    }
    let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
        text.parse::<jiff::civil::DateTime>()
            .and_then(|at| at.to_zoned(jiff::tz::TimeZone::system()))
            .map(|at| at.timestamp())
    });
    moment
        .map(|at| u64::try_from(at.as_millisecond()).unwrap_or(0))
        .map_err(|_| {
            Failure::new(exit::USAGE, format!("{flag}: {text:?} is no time"))
                .hint("it takes a duration (10m) or a moment (2026-01-31T08:00:00)")
        })
}

/// How lines are shown.
struct Shown {
    json: bool,
    terminal: bool,
    colours: bool,
    names: bool,
    times: bool,
    width: usize,
}

impl Shown {
    fn line(&self, line: &LogLine) {
        if line.damaged {
            let what = "a damaged archive ends here: lines of it are wrong or missing";
            print::remark(&format!("{} ({}): {what}", line.name, line.stream.word()));
        }
        if line.dropped > 0 {
            let what = "bytes were let go here: the disk did not take them";
            let (name, stream, count) = (&line.name, line.stream.word(), line.dropped);
            print::remark(&format!("{name} ({stream}): {count} {what}"));
        }
        if self.json {
            print::json_line(&json_line(line));
            return;
        }
        let mut out = Vec::new();
        if self.times {
            out.extend_from_slice(stamp(line.time).as_bytes());
            out.push(b' ');
        }
        if self.names {
            let name = format!("{:<width$} | ", line.name, width = self.width);
            out.extend_from_slice(name.as_bytes());
        }
        if self.terminal {
            let safe = SafeText::new(&line.bytes());
            out.extend_from_slice(print::styled(&safe, self.colours).as_bytes());
            out.push(b'\n');
        } else {
            out.extend_from_slice(&line.bytes());
            // Bytes arrive as they were written: a line that is not over is not ended here.
            if line.complete || self.names {
                out.push(b'\n');
            }
        }
        print::bytes(&out);
    }
}

fn json_line(line: &LogLine) -> LogLine {
    let mut line = line.clone();
    // C1 controls are no part of JSON's escapes, and a terminal obeys them.
    line.line = line
        .line
        .chars()
        .map(|c| {
            if ('\u{80}'..='\u{9f}').contains(&c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    line
}

pub(super) fn stamp(time: Option<u64>) -> String {
    time.and_then(|ms| i64::try_from(ms).ok())
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(
            || format!("{:<23}", "-"),
            |at| {
                at.to_zoned(jiff::tz::TimeZone::system())
                    .strftime("%Y-%m-%dT%H:%M:%S%.3f")
                    .to_string()
            },
        )
}

pub(super) fn logs(global: &Global, wanted: &Logs) -> Result<ExitCode, Failure> {
    if wanted.clear {
        return flush(global, &wanted.targets.select);
    }
    if wanted.rotate {
        return tend(global, "rotate", &wanted.targets.select);
    }
    let since_ms = wanted.since.as_deref().map(|t| moment("--since", t));
    let since_ms = since_ms.transpose()?;
    let until_ms = wanted.until.as_deref().map(|t| moment("--until", t));
    let until_ms = until_ms.transpose()?;
    let filter = wanted.grep.join("\n");
    if let Err(error) = Filter::new(&filter, None) {
        return Err(Failure::new(exit::USAGE, format!("--grep: {error}")));
    }
    let stream = match (wanted.stdout, wanted.stderr) {
        (true, _) => Some(Stream::Out),
        (_, true) => Some(Stream::Err),
        (false, false) => None,
    };
    let select = words(&wanted.targets.select)?;
    let query = LogQuery {
        select: select.join(","),
        stream,
        lines: wanted.lines.or(if since_ms.or(until_ms).is_some() {
            None
        } else {
            Some(LINES)
        }),
        since_ms,
        until_ms,
        filter,
        follow: wanted.follow,
        ..LogQuery::default()
    };
    let client = client(global)?;
    let mut shown = Shown {
        json: global.json,
        terminal: print::stdout_is_terminal(),
        colours: print::colours(),
        names: true,
        times: wanted.timestamps,
        width: 0,
    };
    match client.list(&select) {
        Ok(rows) => {
            shown.names = rows.len() != 1;
            shown.width = rows.iter().map(|r| r.name.len()).max().unwrap_or(0);
            follow(&client, query, &shown)?;
        }
        // Without a daemon, or of what was deleted: the files are there all the same.
        Err(error) if is_absent(&error) => {
            let sources = local_sources(&client, &select, stream);
            if sources.is_empty() || wanted.follow {
                return Err(error.into());
            }
            local(&sources, &query, &mut shown)?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn is_absent(error: &ClientError) -> bool {
    match error {
        ClientError::NoDaemon { .. } => true,
        ClientError::Refused(error) => error.code == Code::NotFound,
        ClientError::Launch(_)
        | ClientError::Folders(_)
        | ClientError::Socket { .. }
        | ClientError::Unresponsive(_)
        | ClientError::Unreachable(_)
        | ClientError::Garbage(_) => false,
    }
}

/// Reads to the end; a followed log goes on over the death of a daemon, from behind the last line of each log.
fn follow(client: &Client, mut query: LogQuery, shown: &Shown) -> Result<(), Failure> {
    let mut seen: BTreeMap<(InstanceId, Stream), Cursor> = BTreeMap::new();
    let began_ms = wall_ms();
    loop {
        let mut lines = client.logs(&query)?;
        loop {
            match lines.next_line() {
                Ok(Some(line)) => {
                    seen.insert((line.id, line.stream), line.end());
                    shown.line(&line);
                }
                Ok(None) if !query.follow => return Ok(()),
                Ok(None) | Err(ClientError::Unresponsive(_)) if query.follow => break,
                Ok(None) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        if client.ensure_as(true).is_err() {
            // It was stopped, not replaced.
            return Ok(());
        }
        if !seen.is_empty() {
            query.cursor = Some(LogPlace(seen.values().copied().collect()));
            // Logs that had nothing to show yet.
            query.since_ms = Some(query.since_ms.unwrap_or(began_ms));
        }
    }
}

fn local_sources(
    client: &Client,
    select: &[String],
    stream: Option<Stream>,
) -> Vec<(String, Stream, PathBuf)> {
    let mut found = Vec::new();
    let folders = |path: &std::path::Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|e| e.path()).collect();
        paths.sort();
        paths
    };
    let name = |path: &std::path::Path| {
        path.file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    for namespace in folders(&client.paths().logs) {
        for process in folders(&namespace) {
            let plain = name(&process);
            let full = format!("{}/{plain}", name(&namespace));
            let whole = select.is_empty()
                || select
                    .iter()
                    .any(|s| *s == plain || *s == full || s == "all");
            let files = folders(&process);
            let number = |file: &PathBuf| name(file).split('.').next().map(str::to_owned);
            let copies: std::collections::BTreeSet<_> = files.iter().filter_map(number).collect();
            for file in files {
                let label = match number(&file) {
                    Some(n) if copies.len() > 1 => format!("{plain}-{n}"),
                    Some(_) | None => plain.clone(),
                };
                if !whole && !select.contains(&label) {
                    continue;
                }
                for of in Stream::ALL {
                    let ending = format!(".{}.log", of.word());
                    if stream.is_none_or(|s| s == of) && name(&file).ends_with(&ending) {
                        found.push((label.clone(), of, file.clone()));
                    }
                }
            }
        }
    }
    found
}

fn local(
    sources: &[(String, Stream, PathBuf)],
    query: &LogQuery,
    shown: &mut Shown,
) -> Result<(), Failure> {
    let names: std::collections::BTreeSet<&str> =
        sources.iter().map(|(n, _, _)| n.as_str()).collect();
    shown.names = names.len() != 1;
    shown.width = names.iter().map(|n| n.len()).max().unwrap_or(0);
    let unreadable =
        |e: std::io::Error| Failure::new(exit::FAILED, format!("a log cannot be read: {e}"));
    let filter = Filter::new(&query.filter, None)
        .map_err(|e| Failure::new(exit::USAGE, format!("--grep: {e}")))?;
    let until_us = query.until_ms.map(|ms| ms.saturating_mul(1000));
    let since_us = query.since_ms.map_or(0, |ms| ms.saturating_mul(1000));
    let paths = sources.iter().map(|(_, _, path)| path.clone()).collect();
    let mut merge = Merge::open(paths, From::Last(0)).map_err(unreadable)?;
    if let Some(time_us) = until_us {
        merge.seek(time_us).map_err(unreadable)?;
    }
    let mut retreat = Retreat::new(query.lines.unwrap_or(usize::MAX), since_us);
    merge
        .retreat(&mut retreat, |line| filter.passes(line), || false)
        .map_err(unreadable)?;
    while let Some((n, it)) = merge.next(false).map_err(unreadable)? {
        let late = |(time, until)| time >= until;
        if it.time_us.zip(until_us).is_some_and(late) {
            break;
        }
        if !filter.passes(&it.bytes) {
            continue;
        }
        let (name, stream, _) = &sources[n];
        let mut line = LogLine {
            time: it.time_us.map(|us| us / 1000),
            id: InstanceId(0),
            name: name.clone(),
            stream: *stream,
            run: it.run,
            offset: it.offset,
            line: String::new(),
            raw: None,
            complete: it.complete,
            gap: 0,
            missing: it.missing,
            dropped: it.dropped,
            damaged: it.damaged,
        };
        line.set_bytes(&it.bytes);
        shown.line(&line);
    }
    Ok(())
}

pub(super) fn flush(global: &Global, select: &[String]) -> Result<ExitCode, Failure> {
    tend(global, "flush", select)
}

fn tend(global: &Global, act: &str, select: &[String]) -> Result<ExitCode, Failure> {
    let files = client(global)?.tend_logs(act, &words(select)?)?;
    if global.json {
        print::json(&serde_json::json!({ "files": files }));
    } else {
        let done = if act == "flush" { "emptied" } else { "rotated" };
        print::line(&format!("{} log files {done}", files.len()));
    }
    Ok(ExitCode::SUCCESS)
}
