//! File systems of a test's own, that fill up, freeze and hang. Where none can be mounted the tests say so and do nothing.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;

use crate::sandbox::Sandbox;

fn quiet(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in words")
}

/// Says that there is nothing to test with.
fn not_here(what: &str) {
    println!("SKIPPED: {what} cannot be mounted here (it takes root and the kernel's leave)");
}

/// An ext4 in a file. Frozen, whatever writes to it hangs where not even `SIGKILL` reaches it.
pub(crate) struct Disk {
    place: PathBuf,
    /// Thaws it when its standard input ends: also when the test is killed.
    frozen: Option<Child>,
}

impl Disk {
    /// Makes and mounts one; none where that is not allowed.
    pub(crate) fn mount(home: &Sandbox, name: &str, mebibytes: u64) -> Option<Self> {
        let image = home.path(&format!("{name}.image"));
        let file = File::create(&image).expect("an image");
        file.set_len(mebibytes << 20).expect("its size");
        let place = home.path(name);
        fs::create_dir_all(&place).expect("a folder");
        let made = quiet("mkfs.ext4", &["-q", "-m", "0", text(&image)])
            && quiet("mount", &["-o", "loop", text(&image), text(&place)]);
        if !made {
            not_here("an ext4");
            return None;
        }
        let disk = Self {
            place,
            frozen: None,
        };
        Some(disk)
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    #[track_caller]
    pub(crate) fn freeze(&mut self) {
        assert!(quiet("fsfreeze", &["-f", text(&self.place)]), "fsfreeze");
        let mut guard = Command::new("sh");
        guard
            .args(["-c", "read end; exec fsfreeze -u \"$0\"", text(&self.place)])
            .stdin(Stdio::piped());
        self.frozen = Some(guard.spawn().expect("a guard"));
    }

    pub(crate) fn thaw(&mut self) {
        if let Some(mut guard) = self.frozen.take() {
            drop(guard.stdin.take());
            assert!(
                guard.wait().is_ok_and(|status| status.success()),
                "fsfreeze"
            );
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.thaw();
        let _ = quiet("umount", &["--lazy", text(&self.place)]);
    }
}

/// Mounts a file system; who reads its requests is its server. None where that is not allowed.
pub(super) fn mount_fuse(place: &Path, source: &str) -> Option<File> {
    let device = File::options().read(true).write(true).open("/dev/fuse");
    let mounted = device.ok().and_then(|device| {
        let number = device.as_raw_fd();
        let options = format!("fd={number},rootmode=40000,user_id=0,group_id=0,allow_other");
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        let kind = format!("fuse.{source}");
        mount(
            Some(source),
            place,
            Some(kind.as_str()),
            flags,
            Some(options.as_str()),
        )
        .ok()?;
        Some(device)
    });
    if mounted.is_none() {
        not_here("a FUSE file system");
    }
    mounted
}

/// A file system whose server answers that its folder is there, and from some moment on nothing any more, as one on the
/// other side of a dead network does.
pub(crate) struct Hanging {
    place: PathBuf,
    device: Arc<File>,
    answers: Arc<AtomicBool>,
    server: Option<std::thread::JoinHandle<()>>,
}

/// Lengths and numbers of fuse(4).
const HEAD: usize = 40;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const RELEASEDIR: u32 = 29;
const ACCESS: u32 = 34;
const ENOSYS: i32 = 38;
const ENOENT: i32 = 2;

impl Hanging {
    /// Mounts one; none where that is not allowed.
    pub(crate) fn mount(home: &Sandbox, name: &str) -> Option<Self> {
        let place = home.path(name);
        fs::create_dir_all(&place).expect("a folder");
        let device = mount_fuse(&place, "hanging")?;
        let (device, answers) = (Arc::new(device), Arc::new(AtomicBool::new(true)));
        let theirs = (Arc::clone(&device), Arc::clone(&answers));
        let server = std::thread::spawn(move || serve(&theirs.0, &theirs.1));
        Some(Self {
            place,
            device,
            answers,
            server: Some(server),
        })
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// From now on nobody is answered. What is asked stays unread: the kernel lets whoever asked be killed.
    pub(crate) fn hang(&mut self) {
        self.answers.store(false, Ordering::SeqCst);
        let _ = self.server.take().map(std::thread::JoinHandle::join);
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.hang();
        // With the last descriptor of its server every request ends, with an error.
        let _ = umount2(&self.place, MntFlags::MNT_DETACH | MntFlags::MNT_FORCE);
        debug_assert_eq!(Arc::strong_count(&self.device), 1);
    }
}

/// Answers that there is a folder with nothing in it.
fn serve(device: &File, answers: &AtomicBool) {
    let mut buffer = vec![0; 1 << 17];
    let mut device = device;
    while answers.load(Ordering::SeqCst) {
        let mut fds = [PollFd::new(device.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut fds, PollTimeout::from(10u8)), Ok(1..)) {
            continue;
        }
        let Ok(length) = device.read(&mut buffer) else {
            return;
        };
        let word = |at: usize| u32::from_ne_bytes(*buffer[at..].first_chunk().expect("a head"));
        assert!(length >= HEAD);
        let (kind, unique) = (word(4), buffer[8..16].to_vec());
        let (error, body) = match kind {
            FORGET => continue,
            // Version 7.31, and otherwise nothing that it offers.
            INIT => (
                0,
                [7u32, 31, 0, 0, 0, 1 << 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec(),
            ),
            GETATTR => (0, attributes()),
            OPENDIR => (0, vec![0; 4]),
            STATFS => (0, vec![0; 20]),
            RELEASEDIR | ACCESS => (0, vec![]),
            1 => (-ENOENT, vec![]),
            _ => (-ENOSYS, vec![]),
        };
        let body: Vec<u8> = body.into_iter().flat_map(u32::to_ne_bytes).collect();
        let length = u32::try_from(16 + body.len()).expect("short");
        let head = [&length.to_ne_bytes()[..], &error.to_ne_bytes(), &unique].concat();
        if device.write(&[head, body].concat()).is_err() {
            return;
        }
    }
}

/// Of a folder, valid for no time at all.
fn attributes() -> Vec<u32> {
    let mut words = vec![0; 4];
    // Number 1, then size, blocks and times of nothing.
    words.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    words.extend([0, 0, 0, 0o40_777, 2, 0, 0, 0, 4096, 0]);
    words
}
