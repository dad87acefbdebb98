//! Who writes and who is silent, as far as the scribe tells it: only while somebody looks, and once a second what is new.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use crate::api::HeardOf;
use crate::domain::names::InstanceId;
use crate::domain::spec::Stream;
use crate::domain::voice::Voice;

use super::message::Deed;
use super::supervisor::Supervisor;

/// What was heard since somebody looks.
#[derive(Debug, Default)]
pub(super) struct Voices {
    /// The logs that grew in this second, and when last.
    grew: BTreeMap<PathBuf, u64>,
    /// Whose they are. A log may become that of another: it is looked at again before it is believed.
    known: HashMap<PathBuf, (InstanceId, Stream)>,
    voices: BTreeMap<InstanceId, Voice>,
}

impl Voices {
    /// What is known of all.
    pub(super) fn all(&self) -> Vec<HeardOf> {
        let all = self.voices.iter();
        all.filter_map(|(id, voice)| voice.heard().map(|heard| HeardOf { id: *id, heard }))
            .collect()
    }

    /// Another run of an instance began.
    pub(super) fn begin(&mut self, id: InstanceId) {
        if let Some(voice) = self.voices.get_mut(&id) {
            voice.begin();
        }
    }
}

impl Supervisor {
    pub(super) fn grew(&mut self, paths: Vec<PathBuf>) {
        let now = self.now.ms;
        self.voices
            .grew
            .extend(paths.into_iter().map(|path| (path, now)));
        self.deeds.push(Deed::Grew);
    }

    /// What was heard in this second.
    pub(super) fn heard_lately(&mut self) -> Vec<HeardOf> {
        let grew = std::mem::take(&mut self.voices.grew);
        if grew.keys().any(|path| !self.is_still_of(path)) {
            let ids: Vec<InstanceId> = self.members.keys().copied().collect();
            let sources = self.log_sources(&ids).into_iter();
            self.voices.known = sources.map(|it| (it.path, (it.id, it.stream))).collect();
            let members = &self.members;
            self.voices.voices.retain(|id, _| members.contains_key(id));
        }
        let mut new = BTreeSet::new();
        for (path, at_ms) in grew {
            if let Some((id, stream)) = self.voices.known.get(&path) {
                let voice = self.voices.voices.entry(*id).or_default();
                voice.wrote(at_ms, *stream == Stream::Err);
                new.insert(*id);
            }
        }
        let heard = new.into_iter().filter_map(|id| {
            let heard = self.voices.voices.get(&id)?.heard()?;
            Some(HeardOf { id, heard })
        });
        heard.collect()
    }

    fn is_still_of(&self, path: &PathBuf) -> bool {
        let Some((id, stream)) = self.voices.known.get(path) else {
            return false;
        };
        let mut sources = self.log_sources(&[*id]).into_iter();
        sources.any(|it| it.stream == *stream && it.path == *path)
    }
}
