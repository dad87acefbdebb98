//! Who listens where: the kernel's tables of sockets, and the descriptors of processes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::domain::tree::Protocol;

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

/// A socket that waits for whoever comes, as the process that has it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    /// How it speaks.
    pub protocol: Protocol,
    /// Where.
    pub address: SocketAddr,
    /// The kernel's number of it.
    pub inode: u64,
    /// How many connections are open there; none where there is no such thing.
    pub connections: Option<u32>,
}

/// Those of these sockets that wait for whoever comes, in the network namespace of a process; at most so many.
#[must_use]
pub(crate) fn bound(pid: i32, inodes: &HashMap<u64, i32>, most: usize) -> Vec<Bound> {
    let mut found = Vec::new();
    // Of UDP, `07` is the state of those that speak to nobody in particular.
    for (table, protocol, waits) in [
        ("tcp", Protocol::Tcp, "0A"),
        ("tcp6", Protocol::Tcp, "0A"),
        ("udp", Protocol::Udp, "07"),
        ("udp6", Protocol::Udp, "07"),
    ] {
        let begin = found.len();
        let ours = rows(pid, table, waits).filter(|row| inodes.contains_key(&row.inode));
        found.extend(ours.take(most - begin).map(|row| Bound {
            protocol,
            address: row.address,
            inode: row.inode,
            connections: (protocol == Protocol::Tcp).then_some(0),
        }));
        let Some(new) = found.get_mut(begin..).filter(|new| !new.is_empty()) else {
            continue;
        };
        if protocol == Protocol::Udp {
            continue;
        }
        // Who is connected has an address of the same family: a table has only one.
        for row in rows(pid, table, "01") {
            let at = |it: &&mut Bound| {
                let (wanted, own) = (it.address, row.address);
                let ip = wanted.ip().is_unspecified() || wanted.ip() == own.ip();
                wanted.port() == own.port() && ip
            };
            if let Some(Bound {
                connections: Some(count),
                ..
            }) = new.iter_mut().find(at)
            {
                *count += 1;
            }
        }
    }
    found
}

/// The rows of a table in this state, one after the other: it can have a hundred thousand.
fn rows(pid: i32, table: &str, wanted: &'static str) -> impl Iterator<Item = Listening> {
    let file = File::open(format!("/proc/{pid}/net/{table}")).ok();
    let lines = file.map(|file| BufReader::new(file).lines().map_while(Result::ok));
    let lines = lines.into_iter().flatten().skip(1);
    lines.filter_map(move |line| row(&line, wanted))
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

/// The sockets among the first so many descriptors of a process, by the kernel's numbers, and how many descriptors
/// were looked at; none where it may not be looked at.
#[must_use]
pub(crate) fn sockets_of(pid: i32, most: usize) -> (Vec<u64>, usize) {
    let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return (Vec::new(), 0);
    };
    let mut looked = 0;
    let found = entries
        .flatten()
        .take(most)
        .inspect(|_| looked += 1)
        .filter_map(|entry| {
            let target = std::fs::read_link(entry.path()).ok()?;
            let text = target.to_str()?;
            text.strip_prefix("socket:[")?
                .strip_suffix(']')?
                .parse()
                .ok()
        })
        .collect();
    (found, looked)
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
        for inode in sockets_of(pid, usize::MAX).0 {
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
        let me = i32::try_from(std::process::id()).unwrap();
        let own = |port: u16| {
            let (inodes, _) = sockets_of(me, usize::MAX);
            let inodes = inodes.into_iter().map(|inode| (inode, me)).collect();
            let mut found = bound(me, &inodes, 1000);
            found.retain(|it| it.address.port() == port);
            let counts = found.iter().map(|it| (it.address.ip(), it.connections));
            counts.collect::<Vec<_>>()
        };
        let any = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = any.local_addr().unwrap().port();
        let nowhere = IpAddr::from([0; 4]);
        assert_eq!(own(port), [(nowhere, Some(0))]);
        let _clients = [0; 2].map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
        assert_eq!(own(port), [(nowhere, Some(2))]);
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = udp.local_addr().unwrap().port();
        assert_eq!(own(port), [(IpAddr::from([127, 0, 0, 1]), None)]);
    }

    #[test]
    fn no_more_descriptors_are_looked_at_than_allowed() {
        let me = i32::try_from(std::process::id()).unwrap();
        let _open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(sockets_of(me, 1).1, 1);
        let (all, looked) = sockets_of(me, usize::MAX);
        assert!(!all.is_empty() && looked >= all.len());
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
