//! A child that SIGKILL does not end. It is made so by a tracer that takes its death for itself: until the tracer lets
//! go, its parent hears nothing of it, as of a child that hangs in the kernel.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::faults::start_idle;
use crate::sandbox::{Known, Sandbox};

use super::{alarms, assert_prompt};

/// Traces a process until it is told to let go. Only the thread that began it can end it.
struct Tracer {
    let_go: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tracer {
    #[expect(unsafe_code, reason = "nix has no ptrace here")]
    fn of(known: Known) -> Self {
        let (let_go, wait) = channel();
        let (began, begins) = channel();
        let thread = std::thread::spawn(move || {
            let none = std::ptr::null_mut::<nix::libc::c_void>();
            // SAFETY: seizing takes a pid and no memory; the thread's end lets go of it.
            let result =
                unsafe { nix::libc::ptrace(nix::libc::PTRACE_SEIZE, known.pid, none, none) };
            let _ = began.send(result);
            let _ = wait.recv();
        });
        assert_eq!(begins.recv().ok(), Some(0), "ptrace is not allowed here");
        Self {
            let_go: Some(let_go),
            thread: Some(thread),
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        drop(self.let_go.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn a_child_that_cannot_be_ended_is_named_and_delays_nobody() {
    let home = Sandbox::new();
    start_idle(&home, "other");
    let flags = ["--stop-timeout", "200ms", "--", "100000"];
    drop(
        home.run(&[&["start", "sleep", "--name", "stuck"], &flags[..]].concat())
            .success(),
    );
    let stuck = home.known("stuck");
    let tracer = Tracer::of(stuck);
    let stop = home.spawn(&["stop", "stuck"]);
    home.wait_for("an alarm that names it", |home| {
        assert_ne!(home.status("stuck"), "stopped", "nobody saw it end");
        let named =
            |alarm: &String| alarm.contains("stuck") && alarm.contains(&stuck.pid.to_string());
        alarms(home).iter().any(named).then_some(())
    });
    assert_prompt(&home, "other");
    let victim = home.murder("pid");
    crate::faults::successor(&home, "pid", victim);
    assert_eq!(home.status("stuck"), "stopping", "the next one knows");
    assert_prompt(&home, "other");
    drop(tracer);
    drop(stop.output().success());
    assert_eq!(home.status("stuck"), "stopped");
    let left = alarms(&home);
    assert!(!left.iter().any(|a| a.contains("stuck")), "{left:?}");
}
