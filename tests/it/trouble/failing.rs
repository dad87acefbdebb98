//! A file system whose writes fail as a bad disk, a quota or a limit makes them fail, for one file of several, from one
//! moment to another.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::sandbox::Sandbox;

use super::disks::mount_fuse;

/// Writes to a file of this name fail.
const BAD: &str = "bad.log";

/// Kinds of requests, and lengths, of fuse(4).
const HEAD: usize = 40;
const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const SETATTR: u32 = 4;
const UNLINK: u32 = 10;
const RENAME: u32 = 12;
const OPEN: u32 = 14;
const READ: u32 = 15;
const WRITE: u32 = 16;
const STATFS: u32 = 17;
const RELEASE: u32 = 18;
const FSYNC: u32 = 20;
const FLUSH: u32 = 25;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const READDIR: u32 = 28;
const RELEASEDIR: u32 = 29;
const CREATE: u32 = 35;
const BATCH_FORGET: u32 = 42;
const RENAME2: u32 = 45;
/// The size is among what a `SETATTR` sets.
const SIZE: u32 = 1 << 3;
/// Of an open file: nothing of it is kept by the kernel.
const DIRECT: u32 = 1;

pub(super) struct Failing {
    place: PathBuf,
    /// What writes to the bad file fail with; 0 while they do not.
    errno: Arc<AtomicI32>,
    over: Arc<AtomicBool>,
    server: Option<std::thread::JoinHandle<()>>,
}

impl Failing {
    /// Mounts one; none where that is not allowed.
    pub(super) fn mount(home: &Sandbox, name: &str) -> Option<Self> {
        let place = home.path(name);
        fs::create_dir_all(&place).expect("a folder");
        let device = mount_fuse(&place, "failing")?;
        let (errno, over) = <(Arc<AtomicI32>, Arc<AtomicBool>)>::default();
        let theirs = (Arc::clone(&errno), Arc::clone(&over));
        let server = std::thread::spawn(move || serve(&device, &theirs.0, &theirs.1));
        Some(Self {
            place,
            errno,
            over,
            server: Some(server),
        })
    }

    pub(super) fn bad(&self) -> PathBuf {
        self.place.join(BAD)
    }

    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    pub(super) fn fail(&self, with: Errno) {
        self.errno.store(with as i32, Ordering::SeqCst);
    }

    pub(super) fn mend(&self) {
        self.errno.store(0, Ordering::SeqCst);
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        let _ = umount2(&self.place, MntFlags::MNT_DETACH | MntFlags::MNT_FORCE);
        self.over.store(true, Ordering::SeqCst);
        let _ = self.server.take().map(std::thread::JoinHandle::join);
    }
}

/// Files in memory, all in one folder, whose number is 1.
#[derive(Default)]
struct Files {
    names: BTreeMap<String, u64>,
    /// That of number 2 first.
    contents: Vec<Vec<u8>>,
}

impl Files {
    fn of(&mut self, number: u64) -> Option<&mut Vec<u8>> {
        let index = usize::try_from(number).ok()?.checked_sub(2)?;
        self.contents.get_mut(index)
    }

    fn create(&mut self, name: &str) -> u64 {
        let next = self.contents.len() as u64 + 2;
        let number = *self.names.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.contents.push(Vec::new());
        }
        number
    }

    /// Valid for no time at all.
    fn attributes(&mut self, number: u64) -> Vec<u8> {
        let size = self.of(number).map_or(0, |bytes| bytes.len() as u64);
        let (mode, links) = if number == 1 {
            (0o40_777, 2)
        } else {
            (0o100_600, 1)
        };
        let mut bytes: Vec<u8> = [number, size, size.div_ceil(512), 0, 0, 0]
            .into_iter()
            .flat_map(u64::to_ne_bytes)
            .collect();
        let words = [0u32, 0, 0, mode, links, 0, 0, 0, 4096, 0];
        bytes.extend(words.into_iter().flat_map(u32::to_ne_bytes));
        bytes
    }

    fn entry(&mut self, number: u64) -> Vec<u8> {
        let mut bytes: Vec<u8> = [number, 0, 0, 0, 0]
            .into_iter()
            .flat_map(u64::to_ne_bytes)
            .collect();
        bytes.extend(self.attributes(number));
        bytes
    }

    fn answer(
        &mut self,
        kind: u32,
        number: u64,
        body: &[u8],
        errno: i32,
    ) -> Result<Vec<u8>, Errno> {
        let long = |at: usize| u64::from_ne_bytes(*body[at..].first_chunk().expect("a number"));
        let word = |at: usize| u32::from_ne_bytes(*body[at..].first_chunk().expect("a number"));
        let place = |at: usize| usize::try_from(long(at)).expect("a place");
        let names = |at: usize| -> Vec<String> {
            let parts = body[at..].split(|byte| *byte == 0);
            parts
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect()
        };
        let opened = |flags: u32| {
            [0, 0, flags, 0]
                .into_iter()
                .flat_map(u32::to_ne_bytes)
                .collect()
        };
        match kind {
            // Version 7.31, and otherwise nothing that it offers.
            INIT => {
                let words = [7u32, 31, 0, 0, 0, 1 << 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                Ok(words.into_iter().flat_map(u32::to_ne_bytes).collect())
            }
            LOOKUP => {
                let found = self.names.get(&names(0)[0]).copied();
                found.map(|number| self.entry(number)).ok_or(Errno::ENOENT)
            }
            GETATTR | SETATTR => {
                if kind == SETATTR && word(0) & SIZE != 0 {
                    let size = place(16);
                    self.of(number).ok_or(Errno::EISDIR)?.resize(size, 0);
                }
                Ok([vec![0; 16], self.attributes(number)].concat())
            }
            UNLINK => match self.names.remove(&names(0)[0]) {
                Some(_) => Ok(vec![]),
                None => Err(Errno::ENOENT),
            },
            RENAME | RENAME2 => {
                let names = names(if kind == RENAME { 8 } else { 16 });
                let moved = self.names.remove(&names[0]).ok_or(Errno::ENOENT)?;
                self.names.insert(names[1].clone(), moved);
                Ok(vec![])
            }
            CREATE => {
                let number = self.create(&names(16)[0]);
                Ok([self.entry(number), opened(DIRECT)].concat())
            }
            OPEN => Ok(opened(DIRECT)),
            OPENDIR => Ok(opened(0)),
            READ => {
                let (from, size) = (place(8), word(16) as usize);
                let bytes = self.of(number).ok_or(Errno::EISDIR)?;
                let from = from.min(bytes.len());
                Ok(bytes[from..bytes.len().min(from + size)].to_vec())
            }
            WRITE => {
                let bad = self.names.get(BAD) == Some(&number);
                if bad && errno != 0 {
                    return Err(Errno::from_raw(errno));
                }
                let (at, data) = (place(8), &body[40..]);
                let bytes = self.of(number).ok_or(Errno::EISDIR)?;
                bytes.resize(bytes.len().max(at + data.len()), 0);
                bytes[at..at + data.len()].copy_from_slice(data);
                let written = u32::try_from(data.len()).expect("short");
                Ok([written, 0]
                    .into_iter()
                    .flat_map(u32::to_ne_bytes)
                    .collect())
            }
            STATFS => Ok(vec![0; 80]),
            RELEASE | FSYNC | FLUSH | READDIR | RELEASEDIR => Ok(vec![]),
            _ => Err(Errno::ENOSYS),
        }
    }
}

fn serve(device: &File, errno: &AtomicI32, over: &AtomicBool) {
    let mut files = Files::default();
    let mut buffer = vec![0; 1 << 18];
    let mut device = device;
    while !over.load(Ordering::SeqCst) {
        let mut fds = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut fds, PollTimeout::from(10u8)), Ok(1..)) {
            continue;
        }
        let Ok(length) = device.read(&mut buffer) else {
            return;
        };
        assert!(length >= HEAD);
        let kind = u32::from_ne_bytes(*buffer[4..].first_chunk().expect("a head"));
        if kind == FORGET || kind == BATCH_FORGET {
            continue;
        }
        let number = u64::from_ne_bytes(*buffer[16..].first_chunk().expect("a head"));
        let body = &buffer[HEAD..length];
        let (error, body) = match files.answer(kind, number, body, errno.load(Ordering::SeqCst)) {
            Ok(body) => (0, body),
            Err(error) => (-(error as i32), vec![]),
        };
        let length = u32::try_from(16 + body.len()).expect("short");
        let head = [
            &length.to_ne_bytes()[..],
            &error.to_ne_bytes(),
            &buffer[8..16],
        ]
        .concat();
        if device.write(&[head, body].concat()).is_err() {
            return;
        }
    }
}
