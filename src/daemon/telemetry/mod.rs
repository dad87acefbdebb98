//! The daemon's own log: what it says of itself goes into a ring that readers look at, and into a file that a thread of
//! its own writes. Whoever says something waits for neither a disk nor a reader.

mod events;
mod file;
mod ring;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::domain::level::Level;
use crate::domain::record::Record;
use crate::logs::records::{self, Format};
use crate::platform::clock::wall_us;

pub(super) use events::say;
use file::Pen;
pub(super) use file::reopen;
pub(crate) use ring::OwnLog;

/// How long the end waits until all is written.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The longest message; what is behind it is cut.
const MESSAGE: usize = 8 * 1024;

/// A setting in the environment that cannot be.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name}={value:?} is not known: it is one of {known}")]
pub(crate) struct NotKnown {
    name: &'static str,
    value: String,
    known: String,
}

/// How the daemon's own log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Settings {
    format: Format,
    level: Level,
}

impl Settings {
    /// `ADASA_LOG__FORMAT` and `ADASA_LOG__LEVEL`.
    fn read(value: impl Fn(&str) -> Option<String>) -> Result<Self, NotKnown> {
        let levels = Level::ALL.map(|level| (level.name(), level));
        Ok(Self {
            format: chosen("ADASA_LOG__FORMAT", &Format::ALL, &value)?.unwrap_or_default(),
            level: chosen("ADASA_LOG__LEVEL", &levels, &value)?.unwrap_or(Level::Info),
        })
    }
}

fn chosen<T: Copy>(
    name: &'static str,
    known: &[(&'static str, T)],
    value: impl Fn(&str) -> Option<String>,
) -> Result<Option<T>, NotKnown> {
    let Some(value) = value(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let found = known.iter().find(|(word, _)| *word == value);
    found.map(|(_, it)| Some(*it)).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        NotKnown {
            name,
            value,
            known: words.join(", "),
        }
    })
}

fn level_of(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => Level::Error,
    }
}

/// Which part of the daemon a module is: `adasa::daemon::store` is `store`, `adasa::server::unix` is `server.unix`.
fn part(target: &str) -> String {
    let part = target.strip_prefix("adasa::").unwrap_or(target);
    match part.strip_prefix("daemon::").unwrap_or(part) {
        // It says what the supervisor has seen.
        "telemetry::events" => "supervisor".to_owned(),
        other => other.replace("::", "."),
    }
}

/// Collects what an event says.
#[derive(Default)]
struct Words {
    message: String,
    fields: BTreeMap<String, String>,
}

impl Words {
    fn put(&mut self, field: &Field, mut text: String) {
        if text.len() > MESSAGE {
            let cut = (0..=MESSAGE).rev().find(|n| text.is_char_boundary(*n));
            text.truncate(cut.unwrap_or(0));
            text.push('\u{2026}');
        }
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.insert(field.name().to_owned(), text);
        }
    }
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// Takes what is said.
struct Ear {
    log: OwnLog,
    pen: Pen,
    /// What the file keeps.
    kept: Level,
}

impl Ear {
    /// The mildest that anybody wants.
    fn wanted(&self) -> Level {
        self.log.wanted().map_or(self.kept, |it| it.min(self.kept))
    }

    fn takes(&self, metadata: &Metadata<'_>) -> bool {
        let level = level_of(metadata);
        let ours = metadata.target().starts_with("adasa");
        level >= self.wanted() && (ours || level >= Level::Warn)
    }
}

impl<S: Subscriber> Layer<S> for Ear {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.takes(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.takes(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.wanted() {
            Level::Trace => LevelFilter::TRACE,
            Level::Debug => LevelFilter::DEBUG,
            Level::Info => LevelFilter::INFO,
            Level::Warn => LevelFilter::WARN,
            Level::Error => LevelFilter::ERROR,
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let record = Arc::new(Record {
            at_us: wall_us(),
            level: level_of(event.metadata()),
            target: part(event.metadata().target()),
            message: words.message,
            fields: words.fields,
            missed: 0,
        });
        self.log.add(Arc::clone(&record));
        if record.level >= self.kept {
            self.pen.write(record);
        }
    }
}

/// The log of a daemon that lives.
pub(super) struct Telemetry {
    pub(super) log: OwnLog,
    pen: Pen,
}

impl Telemetry {
    /// Waits, not for long, until all that was said is written.
    pub(super) fn last_words(&self) {
        self.pen.flush(LAST_WORDS);
    }
}

/// Begins to log.
///
/// # Errors
/// A setting that cannot be.
pub(super) fn begin(path: PathBuf, stderr: bool) -> Result<Telemetry, NotKnown> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let log = OwnLog::default();
    let (earlier, from) = (log.clone(), path.clone());
    let look_back = move || {
        let records = records::tail(&from, settings.level, ring::BACK);
        earlier.precede(records.unwrap_or_default());
    };
    let pen = file::start(path, settings.format, stderr, look_back);
    let ear = Ear {
        log: log.clone(),
        pen: pen.clone(),
        kept: settings.level,
    };
    let subscriber = tracing_subscriber::registry().with(ear);
    let _ = tracing::subscriber::set_global_default(subscriber);
    let last = pen.clone();
    std::panic::set_hook(Box::new(move |info| {
        tracing::error!("panic: {info}");
        last.flush(LAST_WORDS);
    }));
    Ok(Telemetry { log, pen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_of_the_environment_and_unknown_ones_are_refused() {
        let read = |format: &'static str, level: &'static str| {
            Settings::read(move |name| match name {
                "ADASA_LOG__FORMAT" => Some(format.to_owned()),
                "ADASA_LOG__LEVEL" => Some(level.to_owned()),
                _ => None,
            })
        };
        let usual = Settings {
            format: Format::Text,
            level: Level::Info,
        };
        assert_eq!(Settings::read(|_| None), Ok(usual));
        assert_eq!(read("", ""), Ok(usual));
        let other = Settings {
            format: Format::Json,
            level: Level::Debug,
        };
        assert_eq!(read("json", "debug"), Ok(other));
        let error = read("xml", "info").unwrap_err().to_string();
        assert_eq!(
            error,
            "ADASA_LOG__FORMAT=\"xml\" is not known: it is one of text, json"
        );
        assert!(read("text", "loud").is_err());
    }

    #[test]
    fn a_module_is_a_part_of_the_daemon() {
        assert_eq!(part("adasa::daemon::store"), "store");
        assert_eq!(part("adasa::daemon::rollouts::command"), "rollouts.command");
        assert_eq!(part("adasa::server::unix"), "server.unix");
        assert_eq!(part("hyper::proto"), "hyper.proto");
    }

    fn said(log: &OwnLog) -> Vec<(Level, String)> {
        let (records, _) = log.read(Level::Trace, usize::MAX);
        records
            .iter()
            .map(|it| (it.level, format!("{}: {}", it.target, it.text())))
            .collect()
    }

    #[test]
    fn a_reader_that_wants_more_is_told_more_for_as_long_as_it_reads() {
        let log = OwnLog::default();
        let ear = Ear {
            log: log.clone(),
            pen: Pen::to_nowhere(),
            kept: Level::Info,
        };
        let subscriber = tracing_subscriber::registry().with(ear);
        tracing::subscriber::with_default(subscriber, || {
            let debug = || tracing::debug!(n = 1, "a step");
            debug();
            tracing::info!(uid = 7, "usual");
            assert_eq!(said(&log).len(), 1);
            let reader = log.read(Level::Debug, 0).1;
            debug();
            drop(reader);
            debug();
        });
        let here = "telemetry.tests";
        let expected = [
            (Level::Info, format!("{here}: usual uid=7")),
            (Level::Debug, format!("{here}: a step n=1")),
        ];
        assert_eq!(said(&log), expected);
    }

    #[test]
    fn a_message_without_end_is_cut() {
        let log = OwnLog::default();
        let ear = Ear {
            log: log.clone(),
            pen: Pen::to_nowhere(),
            kept: Level::Info,
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(ear), || {
            tracing::info!("{}", "\u{4e16}".repeat(100_000));
        });
        let (_, text) = said(&log).remove(0);
        assert!(text.len() < MESSAGE + 100 && text.ends_with('\u{2026}'));
    }
}
