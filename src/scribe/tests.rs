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

use super::pipes::{IDLE_NS, LARGE_PIPE, SMALL_PIPE};
use super::role::Scribe;
use super::stage::{PipeId, Stage, encode};

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

#[test]
fn what_the_one_before_left_in_the_stage_goes_to_its_own_file_first() {
    let folder = scratch("stage");
    let (keeper, _theirs) = Link::pair().unwrap();
    let mut scribe = Scribe::new(keeper).unwrap();
    let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
    let owner: File = memfd_create(c"owner", MFdFlags::MFD_CLOEXEC)
        .unwrap()
        .into();
    // It was killed after the first hop: the bytes have left their pipe and are in no file.
    File::from(write.try_clone().unwrap())
        .write_all(b"one\ntwo\n")
        .unwrap();
    owner
        .write_all_at(&encode(id(7, 2, Stream::Err)), 0)
        .unwrap();
    scribe.stage = Some(Stage {
        read,
        write,
        owner,
        noted: None,
    });
    let mut writers = Vec::new();
    for (of, text) in [
        (id(3, 9, Stream::Out), "another\n"),
        (id(7, 2, Stream::Out), "out\n"),
        (id(7, 2, Stream::Err), "three\n"),
    ] {
        let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
        let mut writer = File::from(write);
        writer.write_all(text.as_bytes()).unwrap();
        writers.push(writer);
        let name = format!("{}.{}.log", of.key, of.stream.word());
        scribe.add_pipe(of, read, route(folder.join(name))).unwrap();
    }
    // Those that came before the owner waited for the stage, and go on now.
    let mut ready = std::collections::VecDeque::new();
    scribe.unblock(&mut ready);
    for token in ready {
        scribe.rounds(token);
    }
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(text("7.err.log"), "one\ntwo\nthree\n");
    assert_eq!(text("7.out.log"), "out\n");
    assert_eq!(text("3.out.log"), "another\n");
    let line = Log::open(&folder.join("7.err.log"))
        .unwrap()
        .line(0)
        .unwrap()
        .unwrap();
    assert_eq!(line.run, Some(RunId(2)), "the index knows whose they were");
    std::fs::remove_dir_all(folder).unwrap();
}

/// A scribe that has its stage, and nothing else.
fn scribe_with_stage() -> (Scribe, std::os::unix::net::UnixStream) {
    let (keeper, theirs) = Link::pair().unwrap();
    let mut scribe = Scribe::new(keeper).unwrap();
    let (read, write) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
    set_pipe_size(&write, LARGE_PIPE).unwrap();
    let owner: File = memfd_create(c"owner", MFdFlags::MFD_CLOEXEC)
        .unwrap()
        .into();
    scribe.stage = Some(Stage {
        read,
        write,
        owner,
        noted: None,
    });
    (scribe, theirs)
}

#[test]
fn chatty_pipes_grow_within_the_share_and_shrink_when_they_were_idle() {
    let folder = scratch("pipes");
    let (mut scribe, _theirs) = scribe_with_stage();
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
