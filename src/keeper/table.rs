//! The table: what the keeper knows, in page-sized slots of a file on a tmpfs, so that it survives the death of any or
//! all of the roles. Each slot is two pages that are written in turn, with a sequence number and a checksum: one
//! `pwrite` makes a record, and a torn one leaves the record before it.

use crate::platform::failpoint::failpoint;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::names::InstanceId;

use super::protocol::{Entry, OLDEST, VERSION};
use super::who::Roles;

const PAGE: usize = 4096;
const MAGIC: u32 = 0x5441_4441;
/// Magic, sequence, length, checksum.
const HEAD: usize = 4 + 8 + 4 + 4;
/// What a build says that was asked whether it reads a table, and does.
pub(crate) const READS_TABLE: &str = "adasa reads this table: version ";
/// Room is made for this many instances at a time.
const GROWTH: u64 = 64;
/// So many folders of control groups are remembered: one more for each keeper that began in another group.
const GROUPS: usize = 4;

/// Why the table could not take something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// Too early a build wrote it, or none.
    #[error("the table of what runs is of version {0}, this adasa reads {OLDEST} and later")]
    Older(u32),
    /// A later build wrote it.
    #[error(
        "the table of what runs is of version {0}, this adasa reads {VERSION}: use the newer one"
    )]
    Newer(u32),
    /// The kernel's word.
    #[error("the table could not be written: {0}")]
    Io(#[from] io::Error),
    /// More than a page.
    #[error("the record of instance {key} is {length} bytes; {max} fit", max = PAGE - HEAD)]
    TooLong {
        /// Which instance.
        key: InstanceId,
        /// How long it would be.
        length: usize,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    version: u32,
    boot: String,
    epoch: u64,
    #[serde(default)]
    roles: Roles,
    /// Where the keepers of this boot made control groups, the present one's first.
    #[serde(default)]
    groups: Vec<PathBuf>,
    /// Something may run that is not in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    incomplete: bool,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    index: u64,
    sequence: u64,
}

/// The open table.
#[derive(Debug)]
pub(crate) struct Table {
    file: File,
    head: Head,
    head_slot: Slot,
    entries: BTreeMap<InstanceId, (Slot, Entry)>,
    free: Vec<u64>,
    slots: u64,
}

/// What a file of a table held.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    /// The boot it is of.
    pub boot: String,
    /// What its writer spoke.
    pub version: u32,
    /// How many daemons there had been.
    pub epoch: u64,
    /// Who they were.
    pub roles: Roles,
    /// Where control groups of runs are.
    pub groups: Vec<PathBuf>,
    /// One per instance.
    pub entries: Vec<Entry>,
    /// Something of it is missing or damaged.
    pub incomplete: bool,
}

fn encode(sequence: u64, payload: &[u8]) -> [u8; PAGE] {
    let mut page = [0; PAGE];
    page[..4].copy_from_slice(&MAGIC.to_le_bytes());
    page[4..12].copy_from_slice(&sequence.to_le_bytes());
    let length = u32::try_from(payload.len()).unwrap_or(0);
    page[12..16].copy_from_slice(&length.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&page[4..16]);
    hasher.update(payload);
    page[16..20].copy_from_slice(&hasher.finalize().to_le_bytes());
    page[HEAD..HEAD + payload.len()].copy_from_slice(payload);
    page
}

fn decode(page: &[u8]) -> Option<(u64, &[u8])> {
    let number =
        |at: usize| -> Option<u32> { Some(u32::from_le_bytes(*page.get(at..)?.first_chunk()?)) };
    if number(0)? != MAGIC {
        return None;
    }
    let sequence = u64::from_le_bytes(*page.get(4..)?.first_chunk()?);
    let length = usize::try_from(number(12)?).ok()?;
    let payload = page.get(HEAD..HEAD.checked_add(length)?)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(page.get(4..16)?);
    hasher.update(payload);
    (hasher.finalize() == number(16)?).then_some((sequence, payload))
}

/// The newer good one of the two pages of a slot.
fn newest(bytes: &[u8], slot: u64) -> Option<(u64, &[u8])> {
    let at = usize::try_from(slot).ok()?.checked_mul(2 * PAGE)?;
    let page = |n: usize| {
        bytes
            .get(at + n * PAGE..at + (n + 1) * PAGE)
            .and_then(decode)
    };
    match (page(0), page(1)) {
        (Some(a), Some(b)) => Some(if a.0 > b.0 { a } else { b }),
        (a, b) => a.or(b),
    }
}

impl Table {
    /// Reads what a file holds, without changing it; damaged slots are left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn read(path: &Path) -> io::Result<Contents> {
        let bytes = std::fs::read(path)?;
        Ok(parse(&bytes).0)
    }

    /// Reads a file as an upgrade would find it: whole, and of a version that this build reads. How many instances
    /// it holds.
    ///
    /// # Errors
    /// When it cannot be read, or was written by a later build.
    pub(crate) fn check(path: &Path) -> Result<usize, TableError> {
        let contents = Self::read(path)?;
        if contents.version > VERSION {
            return Err(TableError::Newer(contents.version));
        }
        if contents.version < OLDEST {
            return Err(TableError::Older(contents.version));
        }
        Ok(contents.entries.len())
    }

    /// Opens the table for this boot; one of another boot is void and begun anew.
    ///
    /// # Errors
    /// When the file cannot be made, read or written.
    pub(crate) fn open(path: &Path, boot: &str) -> Result<Self, TableError> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)?;
        let bytes = std::fs::read(path)?;
        let (mut contents, mut slots, mut head_slot) = parse(&bytes);
        if contents.boot == boot && contents.version > VERSION {
            return Err(TableError::Newer(contents.version));
        }
        if contents.boot != boot {
            file.set_len(0)?;
            contents = Contents {
                incomplete: true,
                ..Contents::default()
            };
            slots = BTreeMap::new();
            head_slot = Slot {
                index: 0,
                sequence: 0,
            };
        }
        let mut table = Self {
            file,
            head: Head {
                version: VERSION,
                boot: boot.to_owned(),
                epoch: contents.epoch,
                roles: contents.roles,
                groups: contents.groups,
                incomplete: contents.incomplete,
            },
            head_slot,
            entries: BTreeMap::new(),
            free: Vec::new(),
            slots: 1,
        };
        for entry in contents.entries {
            if let Some(slot) = slots.remove(&entry.key) {
                table.slots = table.slots.max(slot.index + 1);
                table.entries.insert(entry.key, (slot, entry));
            }
        }
        let used: Vec<u64> = table.entries.values().map(|(slot, _)| slot.index).collect();
        table.free = (1..table.slots)
            .rev()
            .filter(|n| !used.contains(n))
            .collect();
        table.write_head()?;
        Ok(table)
    }

    /// Counts one more daemon.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn next_epoch(&mut self) -> Result<u64, TableError> {
        self.head.epoch += 1;
        self.write_head()?;
        Ok(self.head.epoch)
    }

    /// Whether something may run that is not in it: it was new, or damaged.
    #[must_use]
    pub(crate) fn is_incomplete(&self) -> bool {
        self.head.incomplete
    }

    /// What was missing has been looked for.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn complete(&mut self) -> Result<(), TableError> {
        if !std::mem::take(&mut self.head.incomplete) {
            return Ok(());
        }
        self.write_head()
    }

    /// Where control groups of runs are, of the present keeper first.
    #[must_use]
    pub(crate) fn groups(&self) -> &[PathBuf] {
        &self.head.groups
    }

    /// Remembers where control groups of runs are, the newest of them.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn set_groups(&mut self, mut groups: Vec<PathBuf>) -> Result<(), TableError> {
        groups.truncate(GROUPS);
        self.head.groups = groups;
        self.write_head()
    }

    /// Who played the roles last.
    #[must_use]
    pub(crate) fn roles(&self) -> Roles {
        self.head.roles
    }

    /// Says who plays the roles now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn set_roles(&mut self, roles: Roles) -> Result<(), TableError> {
        self.head.roles = roles;
        self.write_head()
    }

    fn write_head(&mut self) -> Result<(), TableError> {
        let payload = serde_json::to_vec(&self.head).map_err(io::Error::from)?;
        self.head_slot.sequence += 1;
        write(&self.file, self.head_slot, &payload)?;
        Ok(())
    }

    /// All instances.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().map(|(_, entry)| entry)
    }

    /// One instance.
    #[must_use]
    pub(crate) fn get(&self, key: InstanceId) -> Option<&Entry> {
        self.entries.get(&key).map(|(_, entry)| entry)
    }

    /// Replaces the record of an instance, in memory and in the file; on an error both are as before.
    ///
    /// # Errors
    /// A record that is too long, or the kernel's.
    pub(crate) fn put(&mut self, entry: Entry) -> Result<(), TableError> {
        let payload = serde_json::to_vec(&entry).map_err(io::Error::from)?;
        if payload.len() > PAGE - HEAD {
            return Err(TableError::TooLong {
                key: entry.key,
                length: payload.len(),
            });
        }
        let mut slot = match self.entries.get(&entry.key) {
            Some((slot, _)) => *slot,
            None => Slot {
                index: self.take_slot()?,
                sequence: 0,
            },
        };
        slot.sequence += 1;
        write(&self.file, slot, &payload)?;
        self.entries.insert(entry.key, (slot, entry));
        Ok(())
    }

    /// Changes one record; an instance that is not there is left so.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub(crate) fn change(
        &mut self,
        key: InstanceId,
        change: impl FnOnce(&mut Entry),
    ) -> Result<(), TableError> {
        let Some((_, entry)) = self.entries.get(&key) else {
            return Ok(());
        };
        let mut entry = entry.clone();
        change(&mut entry);
        self.put(entry)
    }

    /// Forgets an instance.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn remove(&mut self, key: InstanceId) -> Result<(), TableError> {
        if let Some((mut slot, _)) = self.entries.remove(&key) {
            slot.sequence += 1;
            write(&self.file, slot, &[])?;
            // The other page still holds the old record with a lower number; an empty newer one hides it.
            self.free.push(slot.index);
        }
        Ok(())
    }

    fn take_slot(&mut self) -> io::Result<u64> {
        if let Some(index) = self.free.pop() {
            // What was there must not win against the new record, which begins at sequence 1.
            let blank = [0; 2 * PAGE];
            self.file.write_all_at(&blank, index * 2 * PAGE as u64)?;
            return Ok(index);
        }
        let index = self.slots;
        if index % GROWTH == 1 {
            let end = (index + GROWTH) * 2 * PAGE as u64;
            let begin = index * 2 * PAGE as u64;
            let length = i64::try_from(end - begin).unwrap_or(0);
            nix::fcntl::posix_fallocate(&self.file, i64::try_from(begin).unwrap_or(0), length)?;
        }
        self.slots += 1;
        Ok(index)
    }
}

fn write(file: &File, slot: Slot, payload: &[u8]) -> io::Result<()> {
    let page = encode(slot.sequence, payload);
    let at = slot.index * 2 + slot.sequence % 2;
    failpoint!("keeper.table.torn", || {
        let _ = file.write_all_at(&page[..HEAD + payload.len() / 2], at * PAGE as u64);
    });
    file.write_all_at(&page, at * PAGE as u64)
}

/// Whether nothing that was written is missing: it has one of the lengths that it grows to, and each page is empty or
/// reads well.
fn is_whole(bytes: &[u8]) -> bool {
    let (slots, rest) = (bytes.len() / (2 * PAGE), bytes.len() % (2 * PAGE));
    let grown = slots as u64 % GROWTH == 1 && rest == 0;
    let reads = |page: &[u8]| page.iter().all(|b| *b == 0) || decode(page).is_some();
    grown && bytes.chunks(PAGE).all(reads)
}

fn parse(bytes: &[u8]) -> (Contents, BTreeMap<InstanceId, Slot>, Slot) {
    let mut contents = Contents {
        incomplete: !is_whole(bytes),
        ..Contents::default()
    };
    let mut slots = BTreeMap::new();
    let mut head_slot = Slot {
        index: 0,
        sequence: 0,
    };
    if let Some((sequence, payload)) = newest(bytes, 0)
        && let Ok(head) = serde_json::from_slice::<Head>(payload)
    {
        head_slot.sequence = sequence;
        contents.boot = head.boot;
        contents.epoch = head.epoch;
        contents.version = head.version;
        contents.roles = head.roles;
        contents.groups = head.groups;
        contents.incomplete |= head.incomplete;
    }
    let count = bytes.len() as u64 / (2 * PAGE as u64);
    for index in 1..count {
        if let Some((sequence, payload)) = newest(bytes, index)
            && let Ok(entry) = serde_json::from_slice::<Entry>(payload)
        {
            slots.insert(entry.key, Slot { index, sequence });
            contents.entries.push(entry);
        }
    }
    (contents, slots, head_slot)
}

#[cfg(test)]
mod tests;
