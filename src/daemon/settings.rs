//! Settings: read anew when their file changes, and on `SIGHUP`; on a thread of their own, for their disk may hang.

use std::io;
use std::path::Path;

use tokio::sync::mpsc;

use crate::domain::event::What;
use crate::domain::settings::Settings;
use crate::platform::folder::make_private;
use crate::platform::host::Host;
use crate::platform::notify::{self, Nudge};

use super::message::Msg;
use super::supervisor::Supervisor;

/// Reads them; what is wrong is in words.
pub(crate) type Source = Box<dyn Fn() -> Result<Settings, String> + Send>;

/// Reads them now and whenever they change.
pub(super) fn start(folder: &Path, read: Source, tell: mpsc::Sender<Msg>) -> io::Result<Nudge> {
    // One that cannot be made is not watched.
    let _ = make_private(folder);
    let (mut changes, nudge) = notify::watch(folder)?;
    std::thread::Builder::new()
        .name("settings".into())
        .stack_size(256 * 1024)
        .spawn(move || {
            loop {
                if tell.blocking_send(Msg::Settings(read())).is_err() || changes.wait().is_err() {
                    return;
                }
            }
        })?;
    Ok(nudge)
}

impl Supervisor {
    /// Takes settings over; those that are wrong change nothing, and are an alarm for as long as they are.
    pub(super) fn take_settings(&mut self, read: Result<Settings, String>) {
        match read {
            Ok(settings) => {
                self.unsettled = None;
                if settings != self.settings {
                    self.settings = settings;
                    let host = std::mem::take(&mut self.host);
                    self.take_host(host);
                    let text = "settings were taken over".into();
                    self.tell(None, What::Note { text });
                    self.publish_metrics();
                }
            }
            Err(why) => {
                if self.unsettled.as_ref() != Some(&why) {
                    let text = format!("settings were not taken over: {why}");
                    self.announce(None, What::Alarm { text });
                }
                self.unsettled = Some(why);
            }
        }
    }

    /// The machine, as it was measured, with what the settings say of it.
    pub(super) fn take_host(&mut self, measured: Host) {
        let said = &self.settings.host;
        self.host = Host {
            name: said.name.clone().unwrap_or(measured.name),
            label: said.label.clone(),
            strict: said.strict,
            ..measured
        };
    }
}
