//! `GET /api/daemon/log`: the daemon's own log, one JSON object a line.

use std::io::Error;
use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use tokio::sync::mpsc;

use crate::api::{Level, Record, RecordQuery};

use super::answer::Answer;
use super::logs::{BUFFER, json_line, lines_of_json};
use super::routes::Context;

/// Records when nobody says how many.
const RECORDS: usize = 500;

/// As lines; the first says how many before it were missed.
fn lines(records: &[Arc<Record>], missed: u64) -> Bytes {
    let mut bytes = Vec::new();
    for (n, record) in records.iter().enumerate() {
        if n == 0 && missed > 0 {
            let after_gap = Record {
                missed,
                ..Record::clone(record)
            };
            json_line(&mut bytes, &after_gap);
        } else {
            json_line(&mut bytes, record.as_ref());
        }
    }
    bytes.into()
}

pub(super) async fn read(
    Extension(context): Extension<Context>,
    query: Result<Query<RecordQuery>, QueryRejection>,
) -> Answer {
    let Query(query) = query?;
    let level = query.level.unwrap_or(Level::Info);
    let most = query.lines.unwrap_or(RECORDS);
    let (mut back, mut reader) = context.own_log.read(level, most);
    back.retain(|record| query.after_us.is_none_or(|us| record.at_us > us));
    let (sender, answer) = mpsc::channel::<Result<Bytes, Error>>(BUFFER);
    tokio::spawn(async move {
        let mut next = Some((back, 0));
        while let Some((records, missed)) = next {
            if !records.is_empty() && sender.send(Ok(lines(&records, missed))).await.is_err() {
                return;
            }
            if !query.follow {
                return;
            }
            next = tokio::select! {
                told = reader.next() => told,
                // Who has left wants no level any more.
                () = sender.closed() => None,
            };
        }
    });
    lines_of_json(answer)
}
