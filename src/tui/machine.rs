//! The machine as the header shows it.

use std::time::Duration;

use crate::api::Host;

use super::model::Model;

/// Figures that tremble on a quiet machine are taken over this often: each change costs bytes on the wire, and says nothing.
const CALM: Duration = Duration::from_secs(5);
/// So does a processor whose share changes by less than this, in percent.
const TREMBLE: f32 = 1.5;
/// Ticks are not exact.
const SLACK: Duration = Duration::from_millis(50);

/// When which figures were taken over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Machine {
    /// Those that tremble; none before the first.
    calm_at: Option<Duration>,
    /// There is a config file in the folder that the dashboard was opened in.
    pub(super) config: bool,
}

impl Machine {
    /// What comes next is taken over whole.
    pub(super) fn begin(&mut self) {
        self.calm_at = None;
    }
}

impl Model {
    /// Takes over what was measured of the machine.
    pub(super) fn take_host(&mut self, host: Host) {
        let now = self.now;
        let due = self
            .machine
            .calm_at
            .is_none_or(|at| now + SLACK >= at + CALM);
        let first = self.host.net.is_none() || self.host.own.cpu.is_none();
        if due || first {
            self.machine.calm_at = Some(now);
            self.host = host;
            return;
        }
        let trembles = (host.cpu - self.host.cpu).abs() < TREMBLE;
        self.host = Host {
            cpu: if trembles { self.host.cpu } else { host.cpu },
            load: self.host.load,
            net: self.host.net,
            own: self.host.own,
            ..host
        };
    }
}
