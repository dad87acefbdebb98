//! Who listens where: the kernel's tables of sockets, and the descriptors of processes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A socket that waits for connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// The kernel's number of it.
    pub inode: u64,
}

/// The kernel's tables.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// All of them in this network namespace; none where the kernel does not tell.
#[must_use]
pub(crate) fn listening() -> Vec<Listening> {
    // `0A` is the state of those that listen.
    TABLES
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .flat_map(|table| {
            table
                .lines()
                .skip(1)
                .filter_map(|line| row(line, "0A"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// How many connections are open at each local port, of whomever.
#[must_use]
pub(crate) fn connections() -> HashMap<u16, u32> {
    let mut found = HashMap::new();
    for path in TABLES {
        let table = std::fs::read_to_string(path).unwrap_or_default();
        let open = table.lines().skip(1).filter_map(|line| row(line, "01"));
        for connection in open {
            *found.entry(connection.address.port()).or_insert(0) += 1;
        }
    }
    found
}

/// A row in this state; see proc_pid_net(5).
fn row(line: &str, wanted: &str) -> Option<Listening> {
    let mut fields = line.split_ascii_whitespace();
    let address = fields.nth(1)?;
    let state = fields.nth(1)?;
    if state != wanted {
        return None;
    }
    let inode = fields.nth(5)?.parse().ok()?;
    let (ip, port) = address.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok();
    // The words are the machine's own, the bytes in them the network's.
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?.to_ne_bytes())),
        32 => {
            let mut bytes = [0; 16];
            for n in 0..4 {
                bytes[n * 4..n * 4 + 4].copy_from_slice(&word(n * 8)?.to_ne_bytes());
            }
            IpAddr::V6(Ipv6Addr::from(bytes))
        }
        _ => return None,
    };
    Some(Listening {
        address: SocketAddr::new(ip, port),
        inode,
    })
}

/// The sockets that a process has open, by the kernel's numbers; none where it may not be looked at.
#[must_use]
pub(crate) fn sockets_of(pid: i32) -> Vec<u64> {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let target = std::fs::read_link(entry.path()).ok()?;
            let text = target.to_str()?;
            text.strip_prefix("socket:[")?
                .strip_suffix(']')?
                .parse()
                .ok()
        })
        .collect()
}

/// The processes that hold these sockets, as far as they may be looked at. Reads every process: for a question of a
/// person, not for a tick.
#[must_use]
pub(crate) fn holders(inodes: &[u64]) -> HashMap<u64, i32> {
    let mut found = HashMap::new();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return found;
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for pid in pids {
        for inode in sockets_of(pid) {
            if inodes.contains(&inode) {
                // The oldest: a server's children have the socket from it.
                let holder = found.entry(inode).or_insert(pid);
                *holder = (*holder).min(pid);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_connections_are_counted_where_they_were_taken() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(connections().get(&address.port()), None);
        let _clients = [0; 2].map(|_| std::net::TcpStream::connect(address).unwrap());
        assert_eq!(connections().get(&address.port()), Some(&2));
    }

    #[test]
    fn a_listener_of_this_very_process_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(address) else {
                continue;
            };
            let address = listener.local_addr().unwrap();
            let found = listening().into_iter().find(|l| l.address == address);
            let found = found.unwrap_or_else(|| panic!("{address} is in no table"));
            let me = i32::try_from(std::process::id()).unwrap();
            assert_eq!(holders(&[found.inode]).get(&found.inode), Some(&me));
        }
    }
}
