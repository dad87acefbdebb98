//! Opening the dashboard.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::client::Client;
use crate::config::{Charset, Colours, load_screen};

use super::args::{ColourWhen, Global, Tui};
use super::failure::{Failure, exit};
use super::print;
use super::select::client;

/// How the dashboard is wanted; what is not said is as the settings have it.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) interval: Option<Duration>,
    pub(super) ascii: bool,
    pub(super) no_guardian: bool,
    pub(super) theme: Option<Colours>,
    pub(super) read_only: bool,
    pub(super) trace_frames: Option<PathBuf>,
}

/// When neither flag nor settings say.
const INTERVAL: Duration = Duration::from_secs(1);

/// The dashboard needs a terminal that can place a cursor.
pub(super) fn check_terminal() -> Result<(), Failure> {
    let dumb = std::env::var_os("TERM").is_none_or(|t| t.is_empty() || t == "dumb");
    if dumb || !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Failure::new(exit::USAGE, "the dashboard needs a terminal")
            .hint("use `adasa tui --plain`, `adasa list`, `adasa logs -f`, or `adasa up -d` in the background"));
    }
    Ok(())
}

pub(super) fn tui(global: &Global, wanted: &Tui) -> Result<ExitCode, Failure> {
    if wanted.plain {
        return plain(global);
    }
    check_terminal()?;
    let client = client(global)?;
    client.ensure_as(global.no_autostart)?;
    let options = Options {
        interval: wanted.interval,
        ascii: wanted.ascii,
        no_guardian: wanted.no_guardian,
        theme: match wanted.color {
            Some(ColourWhen::Never) => Some(Colours::Mono),
            Some(ColourWhen::Auto) | None => wanted.theme,
        },
        read_only: wanted.read_only,
        trace_frames: wanted.trace_frames.clone(),
    };
    open(&client, options)
}

/// A line when something becomes another, until it is interrupted.
fn plain(global: &Global) -> Result<ExitCode, Failure> {
    let client = client(global)?;
    client.ensure_as(global.no_autostart)?;
    crate::tui::plain::run(client.without_autostart(), |saying| {
        if global.json {
            print::json_line(saying);
        } else {
            print::line(&format!("{} {}", clock(saying.at_ms), saying.text));
        }
        true
    });
    Ok(ExitCode::SUCCESS)
}

/// The time of day here.
fn clock(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(String::new, |at| {
            let here = at.to_zoned(jiff::tz::TimeZone::system());
            here.strftime("%H:%M:%S").to_string()
        })
}

/// Shows the dashboard until it is left.
pub(super) fn open(client: &Client, options: Options) -> Result<ExitCode, Failure> {
    let settings = load_screen(&client.paths().config.join("client.toml"))?;
    let options = crate::tui::Options {
        interval: options.interval.or(settings.interval).unwrap_or(INTERVAL),
        glyphs: if options.ascii || settings.ascii.unwrap_or(false) {
            Charset::Ascii
        } else {
            settings.glyphs.unwrap_or(Charset::Auto)
        },
        guardian: !options.no_guardian,
        theme: options.theme.or(settings.theme),
        colours: settings.colours,
        read_only: options.read_only || settings.read_only.unwrap_or(false),
        mouse: settings.mouse.unwrap_or(false),
        keys: settings.keys,
        trace_frames: options.trace_frames,
    };
    match crate::tui::run(client.without_autostart(), options) {
        Ok(farewell) => {
            if let Some(line) = farewell.line {
                print::line(&line);
            }
            Ok(ExitCode::from(farewell.code))
        }
        Err(error) => Err(Failure::new(
            exit::FAILED,
            format!("the dashboard ended: {error}"),
        )),
    }
}
