//! The bounded journal of events: one JSON object a line, two files, its own thread.

use crate::platform::failpoint::failpoint;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::domain::event::Event;
use crate::logs::read::private_options;

/// A file of this size becomes the older one.
const FILE_MAX: u64 = 4 * 1024 * 1024;
/// How many events may wait for the disk; more are dropped, for nothing waits for history.
const QUEUE: usize = 4096;

/// Where events go.
#[derive(Debug, Clone)]
pub(super) struct History {
    sender: SyncSender<Box<Event>>,
}

impl History {
    /// Appends; when the disk does not keep up the event is dropped.
    pub(super) fn append(&self, event: Event) {
        let _ = self.sender.try_send(Box::new(event));
    }
}

/// Starts the thread.
///
/// # Errors
/// When the folder or the thread cannot be made.
pub(super) fn start(folder: PathBuf) -> io::Result<(History, std::thread::JoinHandle<()>)> {
    crate::platform::folder::make_private(&folder)?;
    let (sender, receiver) = sync_channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("history".into())
        .stack_size(128 * 1024)
        .spawn(move || write(&folder, &receiver))?;
    Ok((History { sender }, thread))
}

fn write(folder: &Path, receiver: &Receiver<Box<Event>>) {
    let path = folder.join("events.jsonl");
    let mut file: Option<File> = None;
    while let Ok(event) = receiver.recv() {
        let mut lines = Vec::new();
        let mut add = |event: &Event| {
            if serde_json::to_writer(&mut lines, event).is_ok() {
                lines.push(b'\n');
            }
        };
        add(&event);
        // All that wait go with one write.
        while let Ok(event) = receiver.try_recv() {
            add(&event);
        }
        if file.is_none() {
            file = private_options().append(true).open(&path).ok();
        }
        if let Some(open) = &mut file {
            if open.write_all(&lines).is_err() {
                file = None;
            } else if open.metadata().is_ok_and(|m| m.len() >= FILE_MAX) {
                failpoint!("daemon.history.full");
                let _ = std::fs::rename(&path, folder.join("events.1.jsonl"));
                failpoint!("daemon.history.renamed");
                file = None;
            }
        }
    }
}
