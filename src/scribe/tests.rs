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

use super::role::Scribe;
use super::stage::{PipeId, Stage, encode};

fn scratch(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("adasa-scribe-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn route(path: PathBuf) -> Route {
    Route {
        path,
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
