//! The time cursor: beside the table, and in the detail of one instance.

use crate::api::{Columns, MetricHistory};
use crate::domain::spec::Stream::{Err, Out};
use crate::tui::msg::Msg;
use crate::tui::query::{Answer, Ticket};
use crate::tui::tests::desk::{Desk, WALL_MS, noon_ms};
use crate::tui::tests::library::{Library, Reading};

/// What all used: a hump for each, and more memory every minute.
fn history(desk: &mut Desk, end_ms: u64) {
    let columns = |id: u32, period_ms| Columns {
        period_ms,
        end_ms,
        cpu: (0..120_u16)
            .map(|n| Some(50 + u16::try_from(id).unwrap() * ((n * 7) % 40) / 3 + n % 9))
            .collect(),
        memory: (0..120)
            .map(|n| Some(u64::from(id) * 11_000_000 + n * 300_000))
            .collect(),
    };
    let ids: Vec<_> = desk.model.rows.keys().copied().collect();
    let list = ids.into_iter().map(|id| MetricHistory {
        id,
        name: String::new(),
        short: columns(id.0, 5_000),
        long: columns(id.0, 300_000),
    });
    desk.send(Msg::Fetched {
        ticket: Ticket(0),
        answer: Ok(Answer::History(list.collect())),
    });
}

/// Lines of `cron`, eight a second, from a minute before now until a minute after.
pub(in crate::tui::tests) fn library() -> Library {
    let mut library = Library::default();
    for n in 0..900 {
        let (stream, text) = match n % 20 {
            11 => (Err, format!("WARN  queue {n} is long")),
            17 => (Err, format!("ERROR job {n} failed")),
            _ => (Out, format!("job {n} done")),
        };
        library.write(5, "cron", stream, 3, &text);
    }
    for line in &mut library.lines {
        line.time = line.time.map(|ms| ms - noon_ms() + WALL_MS - 60_000);
    }
    library
}

/// `cron` is selected; ten minutes are known of everything.
pub(in crate::tui::tests) fn known() -> Reading {
    let mut desk = Desk::new();
    desk.select(5);
    desk.wait(200);
    history(&mut desk, WALL_MS + 8_000);
    Reading::behind(desk, library())
}

/// Its detail, answered.
pub(in crate::tui::tests) fn detailed() -> Reading {
    let mut desk = super::detail::shown(5);
    desk.resize(120, 40);
    history(&mut desk, WALL_MS + 8_000);
    Reading::behind(desk, library())
}

pub(super) fn scenes() -> Vec<(&'static str, Desk)> {
    let settle = |it: &mut Reading| {
        it.desk.wait(200);
        it.serve();
    };
    let mut main = known();
    main.desk.resize(120, 40);
    settle(&mut main);
    main.press("2 Left Left Left Left Left Left Left");
    settle(&mut main);
    let mut detail = detailed();
    detail.press("Left Left Left Left Left Left Left Left");
    settle(&mut detail);
    let now = detailed();
    vec![
        ("moment", main.desk),
        ("detail_moment", detail.desk),
        ("detail_logs", now.desk),
    ]
}
