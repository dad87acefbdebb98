//! What a scribe finds that follows one which was killed in the middle.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use nix::fcntl::OFlag;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::pipe2;

use crate::domain::names::{InstanceId, RunId};
use crate::domain::spec::Stream;
use crate::keeper::link::Link;
use crate::keeper::protocol::Route;
use crate::logs::read::Log;
use crate::platform::clock::monotonic_ns;
use crate::platform::descriptor::{pipe_size, set_pipe_size};

use super::note::{self, Note, Step, encode};
use super::pipes::{IDLE_NS, LARGE_PIPE, SMALL_PIPE};
use super::role::Scribe;
use super::stage::{PipeId, Stage};

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("adasa-scribe-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn route(path: PathBuf) -> Route {
    Route {
        path: path.into(),
        max_size: 1 << 20,
        max_age_ms: None,
        block: false,
    }
}

fn id(key: u32, run: u64, stream: Stream) -> PipeId {
    PipeId {
        key: InstanceId(key),
        run: RunId(run),
        stream,
    }
}

/// A scribe that has its stage, and nothing else; what is in the stage, and the note beside it.
fn scribe_with_stage(
    staged: &[u8],
    note: Option<Note>,
) -> (Scribe, std::os::unix::net::UnixStream, File) {
    let (keeper, theirs) = Link::pair().unwrap();
    let mut scribe = Scribe::new(keeper).unwrap();
    let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
    set_pipe_size(&write, LARGE_PIPE).unwrap();
    let mut staging = File::from(write.try_clone().unwrap());
    staging.write_all(staged).unwrap();
    let owner = memfd_create(c"owner", MFdFlags::MFD_CLOEXEC).unwrap();
    let owner = File::from(owner);
    owner.write_all_at(&encode(note), note::PLACE).unwrap();
    let kept = owner.try_clone().unwrap();
    scribe.stage = Some(Stage::new(read, write, owner).unwrap());
    (scribe, theirs, kept)
}

/// The one before was killed with this in the file, in the pipe and in the stage: what is in the file in the end?
#[track_caller]
fn goes_on(case: &str, written: &str, waiting: &str, staged: &str, note: Option<Note>) {
    let folder = scratch(&format!("on-{case}"));
    let (mut scribe, _theirs, owner) = scribe_with_stage(staged.as_bytes(), note);
    std::fs::write(folder.join("7.err.log"), written).unwrap();
    let mut writers = Vec::new();
    for (of, text) in [
        (id(3, 9, Stream::Out), "another\n"),
        (id(7, 2, Stream::Out), "out\n"),
        (id(7, 2, Stream::Err), waiting),
    ] {
        let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
        let mut writer = File::from(write);
        writer.write_all(text.as_bytes()).unwrap();
        writers.push(writer);
        let name = format!("{}.{}.log", of.key, of.stream.word());
        scribe.add_pipe(of, read, route(folder.join(name))).unwrap();
    }
    scribe.begin().unwrap();
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(text("7.err.log"), "zero\none\ntwo\nthree\n", "{case}");
    assert_eq!(text("7.out.log"), "out\n", "{case}");
    assert_eq!(text("3.out.log"), "another\n", "{case}");
    let mut bytes = [0; note::LENGTH];
    owner.read_exact_at(&mut bytes, note::PLACE).unwrap();
    assert_eq!(note::decode(&bytes), None, "{case}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn whoever_follows_a_scribe_goes_on_at_the_very_byte() {
    let note = |step| {
        let (id, base) = (id(7, 2, Stream::Err), 5);
        let count = "one\ntwo\n".len();
        Some(Note {
            step,
            id,
            base,
            count,
        })
    };
    let (all, rest) = ("one\ntwo\nthree\n", "three\n");
    let zero = "zero\n";
    goes_on("nothing", zero, all, "", None);
    goes_on("copied", zero, all, "one\ntwo\n", None);
    let writing = note(Step::Writing);
    goes_on("noted", zero, all, "one\ntwo\n", writing);
    goes_on("part", "zero\none\n", all, "two\n", writing);
    goes_on("written", "zero\none\ntwo\n", all, "", writing);
    let taking = note(Step::Taking);
    goes_on("untaken", "zero\none\ntwo\n", all, "", taking);
    goes_on("taken", "zero\none\ntwo\n", rest, "one\ntwo\n", taking);
    let partly = "two\nthree\n";
    goes_on("half", "zero\none\ntwo\n", partly, "one\n", taking);
    goes_on("cleared", "zero\none\ntwo\n", rest, "one\ntwo\n", None);
    // All of adasa was killed, and the stage with it.
    goes_on("all-noted", zero, all, "", writing);
    goes_on("all-part", "zero\none\n", all, "", writing);
    goes_on("all-taken", "zero\none\ntwo\n", rest, "", taking);
}

#[test]
fn the_index_knows_whose_run_the_bytes_are_that_another_scribe_left() {
    let folder = scratch("index");
    let (mut scribe, _theirs, _owner) = scribe_with_stage(b"one\n", None);
    let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
    File::from(write.try_clone().unwrap())
        .write_all(b"one\n")
        .unwrap();
    let log = folder.join("7.log");
    (scribe.add_pipe(id(7, 2, Stream::Out), read, route(log.clone()))).unwrap();
    scribe.begin().unwrap();
    let line = Log::open(&log).unwrap().line(0).unwrap().unwrap();
    assert_eq!(line.run, Some(RunId(2)));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn chatty_pipes_grow_within_the_share_and_shrink_when_they_were_idle() {
    let folder = scratch("pipes");
    let (mut scribe, _theirs, _owner) = scribe_with_stage(b"", None);
    scribe.begin().unwrap();
    scribe.grown.most = 2;
    let mut writers = Vec::new();
    for key in 1..=4 {
        let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
        if key == 1 {
            // The scribe before this one has grown it.
            set_pipe_size(&read, LARGE_PIPE).unwrap();
        }
        let log = route(folder.join(format!("{key}.log")));
        (scribe.add_pipe(id(key, 1, Stream::Out), read, log)).unwrap();
        writers.push(File::from(write));
    }
    for writer in &mut writers {
        writer.write_all(&vec![b'x'; SMALL_PIPE]).unwrap();
    }
    let tokens: Vec<u64> = scribe.pipes.keys().copied().collect();
    for token in &tokens {
        scribe.rounds(*token);
    }
    let sizes = |scribe: &Scribe| -> Vec<usize> {
        (scribe.pipes.values().map(|p| pipe_size(&p.read).unwrap())).collect()
    };
    let (small, large) = (SMALL_PIPE, LARGE_PIPE);
    assert_eq!(sizes(&scribe), [large, large, small, small]);
    // One holds more than a small pipe has room for, as when its file takes nothing.
    writers[0].write_all(&vec![b'y'; 2 * SMALL_PIPE]).unwrap();
    let now = monotonic_ns();
    scribe.shrink_idle(now + IDLE_NS / 2);
    assert_eq!(sizes(&scribe), [large, large, small, small]);
    scribe.shrink_idle(now + IDLE_NS);
    assert_eq!(sizes(&scribe), [large, small, small, small]);
    assert_eq!(scribe.grown.count, 1);
    scribe.rounds(tokens[0]);
    scribe.shrink_idle(now + 3 * IDLE_NS);
    assert_eq!(sizes(&scribe), [small; 4]);
    assert_eq!((scribe.grown.count, scribe.grown.look_ns), (0, None));
    let length = std::fs::metadata(folder.join("1.log")).unwrap().len();
    assert_eq!(length, 3 * SMALL_PIPE as u64, "no byte is lost by it");
    // What has shrunk may grow again.
    writers[3].write_all(&vec![b'x'; SMALL_PIPE]).unwrap();
    scribe.rounds(tokens[3]);
    assert_eq!(sizes(&scribe), [small, small, small, large]);
    std::fs::remove_dir_all(folder).unwrap();
}
