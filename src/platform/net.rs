//! What goes over the network of this machine.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Bytes since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Traffic {
    /// That came in.
    pub(crate) received: u64,
    /// That went out.
    pub(crate) sent: u64,
}

/// What goes over these went over a real one too, or never left the machine.
const INNER: [&str; 8] = [
    "veth", "br-", "docker", "virbr", "cni", "cali", "flannel", "ifb",
];

/// So much of the list is read: some five hundred interfaces.
const MOST: usize = 64 * 1024;

/// Counts again and again, through a descriptor that is held.
#[derive(Debug)]
pub(crate) struct NetReader {
    file: Option<File>,
    buffer: Vec<u8>,
}

impl NetReader {
    pub(crate) fn new() -> Self {
        Self {
            file: File::open("/proc/net/dev").ok(),
            buffer: Vec::new(),
        }
    }

    /// What went over all interfaces that lead out of the machine; none where that is not known.
    pub(crate) fn read(&mut self) -> Option<Traffic> {
        let file = self.file.as_ref()?;
        self.buffer.resize(MOST, 0);
        let mut length = 0;
        while length < MOST {
            match file.read_at(&mut self.buffer[length..], length as u64) {
                Ok(0) | Err(_) => break,
                Ok(read) => length += read,
            }
        }
        let traffic = parse(&String::from_utf8_lossy(&self.buffer[..length]));
        self.buffer = Vec::new();
        traffic
    }
}

/// The sums of proc_net_dev(5).
fn parse(text: &str) -> Option<Traffic> {
    let mut sum: Option<Traffic> = None;
    for (name, figures) in text.lines().filter_map(|line| line.split_once(':')) {
        let name = name.trim();
        if name == "lo" || INNER.iter().any(|inner| name.starts_with(inner)) {
            continue;
        }
        let mut figures = figures.split_ascii_whitespace();
        let (Some(received), Some(sent)) = (figures.next(), figures.nth(7)) else {
            continue;
        };
        if let (Ok(received), Ok(sent)) = (received.parse::<u64>(), sent.parse::<u64>()) {
            let sum = sum.get_or_insert_default();
            sum.received = sum.received.wrapping_add(received);
            sum.sent = sum.sent.wrapping_add(sent);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999999   10    0    0    0     0          0         0   999999      10    0    0    0     0       0          0
  eth0: 1000      10    0    0    0     0          0         0      200       5    0    0    0     0       0          0
wlp2s0:30 1 0 0 0 0 0 0 4 1 0 0 0 0 0 0
veth12: 77777     10    0    0    0     0          0         0    77777       5    0    0    0     0       0          0
docker0: 77777    10    0    0    0     0          0         0    77777       5    0    0    0     0       0          0
";

    #[test]
    fn what_leads_out_of_the_machine_is_counted_once() {
        let sum = Traffic {
            received: 1030,
            sent: 204,
        };
        assert_eq!(parse(TEXT), Some(sum));
    }

    #[test]
    fn without_an_interface_that_leads_out_nothing_is_known() {
        assert_eq!(parse(""), None);
        let lo: String = TEXT.lines().take(3).collect::<Vec<_>>().join("\n");
        assert_eq!(parse(&lo), None);
        assert_eq!(parse("eth0: 1 2"), None);
        assert_eq!(
            parse("lost: 1 0 0 0 0 0 0 0 2"),
            Some(Traffic {
                received: 1,
                sent: 2
            })
        );
    }
}
