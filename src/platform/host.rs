//! Totals of the machine.

use serde::{Deserialize, Serialize};

use crate::domain::rate::Rate;

use super::clock::monotonic_ns;
use super::net::NetReader;

/// The machine as a whole, as the header of the dashboard shows it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Cores.
    pub cores: u32,
    /// Percent of all cores together.
    pub cpu: f32,
    /// Bytes in use.
    pub memory_used: u64,
    /// Bytes in all.
    pub memory_total: u64,
    /// Bytes of the swap space in use.
    #[serde(default)]
    pub swap_used: u64,
    /// Bytes of the swap space in all; 0 where there is none.
    #[serde(default)]
    pub swap_total: u64,
    /// Runnable processes, averaged over one, five and fifteen minutes.
    pub load: [f64; 3],
    /// Percent in use of the disk that holds the logs.
    pub disk: Option<f32>,
    /// What goes over the network; none before two measurements, and where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<Net>,
    /// Bytes a second that all programs together log; none before two measurements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged: Option<u64>,
    /// What the daemon itself takes.
    #[serde(default)]
    pub own: Own,
    /// What the daemon's settings say of it: `PROD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether its questions are harder than elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// Traffic of all interfaces that lead out of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Net {
    /// Bytes a second that come in.
    pub down: u64,
    /// Bytes a second that go out.
    pub up: u64,
}

/// What the daemon's own process takes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Own {
    /// Resident bytes.
    pub memory: Option<u64>,
    /// Percent of one core; none before two measurements.
    pub cpu: Option<f32>,
}

/// Measures the machine again and again.
#[derive(Debug)]
pub(crate) struct HostReader {
    system: sysinfo::System,
    logs: std::path::PathBuf,
    name: String,
    cores: u32,
    net: NetReader,
    received: Rate,
    sent: Rate,
}

impl HostReader {
    /// `logs` lies on the disk that is watched.
    #[must_use]
    pub(crate) fn new(logs: std::path::PathBuf) -> Option<Self> {
        Some(Self {
            system: sysinfo::System::new().ok()?,
            logs,
            name: sysinfo::System::host_name().unwrap_or_else(|_| "localhost".into()),
            cores: std::thread::available_parallelism()
                .map_or(1, |n| u32::try_from(n.get()).unwrap_or(1)),
            net: NetReader::new(),
            received: Rate::default(),
            sent: Rate::default(),
        })
    }

    /// Measures once; the processor's share is that since the measurement before.
    #[expect(clippy::cast_precision_loss, reason = "a percentage needs no 53 bits")]
    pub(crate) fn read(&mut self) -> Host {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let load = sysinfo::System::load_average().map_or([0.0; 3], |l| [l.one, l.five, l.fifteen]);
        let disk = nix::sys::statvfs::statvfs(&self.logs).ok().map(|fs| {
            filled(
                fs.blocks() as f32,
                fs.blocks_free() as f32,
                fs.blocks_available() as f32,
            )
        });
        let now = monotonic_ns();
        let net = self.net.read().and_then(|traffic| {
            let down = self.received.per_second(now, traffic.received);
            let up = self.sent.per_second(now, traffic.sent);
            Some(Net {
                down: down?,
                up: up?,
            })
        });
        Host {
            name: self.name.clone(),
            cores: self.cores,
            cpu: self.system.global_cpu_usage(),
            memory_used: self.system.used_memory(),
            memory_total: self.system.total_memory(),
            swap_used: self.system.used_swap(),
            swap_total: self.system.total_swap(),
            load,
            disk,
            net,
            logged: None,
            own: Own::default(),
            label: None,
            strict: false,
        }
    }
}

/// How full a disk is, in percent of what its users can fill: blocks that are kept back for root count neither as used nor as free. So says `df` too.
fn filled(total: f32, free: f32, available: f32) -> f32 {
    let used = total - free;
    if used + available > 0.0 {
        100.0 * used / (used + available)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn blocks_kept_back_for_root_are_neither_used_nor_free() {
        // 252 blocks, 50 used, 40 that anybody may fill, 162 kept back.
        assert!((filled(252.0, 202.0, 40.0) - 55.555).abs() < 0.01);
        assert!((filled(100.0, 0.0, 0.0) - 100.0).abs() < f32::EPSILON);
        assert!(filled(0.0, 0.0, 0.0).abs() < f32::EPSILON);
    }
}
