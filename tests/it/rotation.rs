//! Rotation: no line is lost or doubled by it, archives are counted and compressed, and readers do not notice it.

mod archive;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::logs::follow::{Follow, readable, when};
use crate::logs::{Talker, log_of};
use crate::sandbox::{Sandbox, watch};
use archive::{MIB, archives, assert_numbers, size, until_written, whole, written};

/// `adasa start --config` of one process with these settings; its log file.
#[track_caller]
fn begin(sandbox: &Sandbox, name: &str, command: &str, settings: &str) -> PathBuf {
    sandbox.script(&format!("{name}.sh"), command);
    let config = format!(
        "[[processes]]\nname = \"{name}\"\nscript = \"./{name}.sh\"\nautorestart = false\n{settings}\n"
    );
    let file = sandbox.file(&format!("{name}.toml"), config);
    sandbox
        .run(&["start", "--config", file.to_str().unwrap()])
        .success();
    log_of(sandbox, name, "out")
}

#[test]
fn rotation_under_load_loses_no_line() {
    const LAST: u64 = 8_400_000;
    let sandbox = Sandbox::new();
    let settings = "log_max_size = \"1MiB\"\nlog_archives = 200\n";
    let log = begin(
        &sandbox,
        "flood",
        &format!("exec seq -w 1 {LAST}"),
        settings,
    );
    until_written(&log, LAST * 8);
    sandbox.until_status("flood", "exited");
    let archives = archives(&log);
    assert!(
        archives.len() >= 16,
        "{} archives of 64 MiB",
        archives.len()
    );
    for archive in &archives {
        let length = archive.end - archive.base;
        assert!(
            (MIB..=3 * MIB).contains(&length),
            "{archive:?} has {length} bytes"
        );
    }
    // While it is read it may still be compressed: what was opened stays readable.
    assert_numbers(whole(&log), 7, 1, LAST);
}

#[test]
fn one_gibibyte_under_rotation_with_retention_to_hold_it_arrives_whole() {
    const LINE: usize = 1024;
    let sandbox = Sandbox::new();
    let text: String = ('a'..='z').cycle().take(LINE - 1).collect();
    let settings = "log_max_size = \"64MiB\"\nlog_archives = 40\nlog_compress = false\n";
    let log = begin(
        &sandbox,
        "flood",
        &format!("yes {text} | head -c 1073741824"),
        settings,
    );
    until_written(&log, 1 << 30);
    let expected = format!("{text}\n").into_bytes().repeat(1024);
    let mut from = whole(&log);
    let mut block = vec![0; expected.len()];
    for number in 0..1024 {
        from.read_exact(&mut block)
            .unwrap_or_else(|e| panic!("block {number}: {e}"));
        assert!(
            block == expected,
            "the block of 1 MiB number {number} is not what was written"
        );
    }
    assert_eq!(from.read(&mut block).unwrap(), 0);
}

#[test]
fn archives_are_counted_and_compressed() {
    for (compress, archives_kept) in [(true, 3), (false, 2)] {
        let sandbox = Sandbox::new();
        let settings = format!(
            "log_max_size = \"64KiB\"\nlog_archives = {archives_kept}\nlog_compress = {compress}\n"
        );
        let log = begin(&sandbox, "flood", "exec seq -w 1 500000", &settings);
        until_written(&log, 500_000 * 7);
        let kept = when(
            log.parent().unwrap(),
            "the older archives are gone, the kept ones are ready",
            || {
                let now = archives(&log);
                let ready =
                    now.len() == archives_kept && now.iter().all(|a| a.is_compressed() == compress);
                if ready {
                    Ok(now)
                } else {
                    Err(format!("{now:?}"))
                }
            },
        );
        let first = kept[0].base / 7 + 1;
        let mut from = BufReader::new(whole(&log));
        // The first archive may begin inside a line; the rest of that line is not counted.
        let mut rest = Vec::new();
        if kept[0].base % 7 != 0 {
            from.read_until(b'\n', &mut rest).unwrap();
        }
        assert_numbers(from, 6, first + u64::from(!rest.is_empty()), 500_000);
    }
}

#[test]
fn no_archives_at_all_can_be_asked_for() {
    let sandbox = Sandbox::new();
    let body = format!(
        "seq -w 1 200000; echo done >'{}'; exec sleep 1000",
        sandbox.path("done").display()
    );
    let log = begin(
        &sandbox,
        "flood",
        &body,
        "log_max_size = \"64KiB\"\nlog_archives = 0\n",
    );
    sandbox.until_file("done", |text| text == "done\n");
    when(
        log.parent().unwrap(),
        "the end of the output, and no archive",
        || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let left = archives(&log);
            if (text.is_empty() || text.ends_with("200000\n")) && left.is_empty() {
                Ok(())
            } else {
                Err(format!("{left:?}, {} bytes", text.len()))
            }
        },
    );
}

#[test]
fn the_last_lines_are_found_across_archives() {
    for compress in [true, false] {
        let sandbox = Sandbox::new();
        let settings =
            format!("log_max_size = \"64KiB\"\nlog_archives = 100\nlog_compress = {compress}\n");
        let log = begin(&sandbox, "flood", "exec seq -w 1 100000", &settings);
        until_written(&log, 100_000 * 7);
        when(log.parent().unwrap(), "every archive is ready", || {
            let now = archives(&log);
            if now.iter().all(|a| a.is_compressed() == compress) {
                Ok(())
            } else {
                Err(format!("{now:?}"))
            }
        });
        for count in [1, 100, 20_000, 100_000, 200_000] {
            let shown = sandbox
                .run(&["logs", "flood", "--lines", &count.to_string()])
                .success();
            assert_numbers(
                shown.bytes.as_slice(),
                6,
                100_000 - count.min(100_000) + 1,
                100_000,
            );
        }
        let first = sandbox
            .run(&["logs", "flood", "--since", "1h", "--lines", "1000000"])
            .success();
        assert_numbers(first.bytes.as_slice(), 6, 1, 100_000);
    }
}

#[test]
fn a_follower_sees_every_line_of_a_flood_that_rotates() {
    const LAST: u64 = 600_000;
    let sandbox = Sandbox::new();
    let mut go = sandbox.fifo("go");
    let wait = format!(
        "echo 0000000; read x <'{}'; exec seq -f %07.0f 1 {LAST}",
        sandbox.path("go").display()
    );
    let log = begin(
        &sandbox,
        "flood",
        &wait,
        "log_max_size = \"256KiB\"\nlog_archives = 100\n",
    );
    let mut follow = Follow::start(&sandbox, &["logs", "flood", "-f"]);
    follow.expect(&["0000000"]);
    go.say("go");
    until_written(&log, (LAST + 1) * 8);
    let total = usize::try_from((LAST + 1) * 8).unwrap();
    follow.until_bytes(total);
    let shown = follow.interrupt();
    assert_numbers(shown.bytes.as_slice(), 7, 0, LAST);
}

#[test]
fn rotation_can_be_asked_for() {
    let sandbox = Sandbox::new();
    let mut talker = Talker::start(&sandbox, "web", &[]);
    let log = log_of(&sandbox, "web", "out");
    let pid = sandbox.pid("web");
    sandbox.run(&["logs", "web", "--rotate"]).success();
    when(log.parent().unwrap(), "an archive", || {
        let now = archives(&log);
        if now.len() == 1 && size(&log) == 0 {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
    talker.say("out", "behind it");
    assert_eq!(fs::read_to_string(&log).unwrap(), "behind it\n");
    sandbox
        .run(&["logs", "web"])
        .success()
        .stdout("ready web\nbehind it\n");
    // An empty file makes no archive.
    sandbox.run(&["logs", "web", "--rotate"]).success();
    sandbox.run(&["logs", "web", "--rotate"]).success();
    assert!(archives(&log).len() <= 2, "{:?}", archives(&log));
    sandbox
        .run(&["logs", "web"])
        .success()
        .stdout("ready web\nbehind it\n");
    assert_eq!(sandbox.pid("web"), pid);
}

#[test]
fn a_line_longer_than_the_limit_is_kept_whole() {
    let sandbox = Sandbox::new();
    let body = "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo end";
    let log = begin(
        &sandbox,
        "long",
        body,
        "log_max_size = \"256KiB\"\nlog_archives = 50\n",
    );
    until_written(&log, 5_000_005);
    let mut text = Vec::new();
    whole(&log).read_to_end(&mut text).unwrap();
    assert!(text[..5_000_000].iter().all(|byte| *byte == b'x') && &text[5_000_000..] == b"\nend\n");
    let shown = sandbox.run(&["logs", "long", "--lines", "2"]).success();
    assert!(shown.bytes == text, "{} bytes shown", shown.bytes.len());
}

#[test]
fn a_scribe_killed_in_a_flood_loses_and_doubles_nothing() {
    const BURST: u64 = 1_500_000;
    let sandbox = Sandbox::new();
    let mut go = sandbox.fifo("go");
    let body = format!(
        "while read -r from to; do seq -f %09.0f $from $to; done <'{}'",
        sandbox.path("go").display()
    );
    let log = begin(
        &sandbox,
        "flood",
        &body,
        "log_max_size = \"4MiB\"\nlog_archives = 500\nlog_compress = false\n",
    );
    sandbox.until_status("flood", "running");
    let mut last = 0;
    for round in 0..8 {
        let scribe = sandbox.role("scribe_pid");
        let change = watch(log.parent().unwrap());
        go.say(&format!("{} {}", last + 1, last + BURST));
        last += BURST;
        // At once, and after the first, the second, … change of the files.
        for _ in 0..round {
            if written(&log) < last * 10 {
                readable(&change, Instant::now() + Duration::from_secs(1));
                let _ = change.read_events();
            }
        }
        scribe.signal(Signal::SIGKILL);
        sandbox.until_gone(scribe);
        until_written(&log, last * 10);
    }
    assert_numbers(whole(&log), 9, 1, last);
    assert_eq!(sandbox.status("flood"), "running");
    assert_eq!(sandbox.row("flood")["restarts"], 0);
}

#[test]
fn a_damaged_archive_is_said_to_whoever_reads_it_and_what_is_left_of_it_is_read() {
    const LAST: u64 = 300_000;
    let sandbox = Sandbox::new();
    let body = format!("exec seq -f %09.0f 1 {LAST}");
    let settings = "log_max_size = \"64KiB\"\nlog_archives = 50\n";
    let log = begin(&sandbox, "web", &body, settings);
    until_written(&log, LAST * 10);
    let compressed = || {
        let all = archives(&log);
        let ready = all.len() > 2 && all.iter().all(archive::Archive::is_compressed);
        ready
            .then_some(all)
            .ok_or_else(|| format!("{:?}", archives(&log)))
    };
    let first = when(log.parent().unwrap(), "compressed archives", compressed)[0].clone();
    let lines = LAST.to_string();
    let read = ["logs", "web", "--lines", &lines];
    let whole = sandbox.run(&read).stderr("").success().stdout;
    let good = fs::read(first.path()).unwrap();
    let said = "web (out): a damaged archive ends here: lines of it are wrong or missing";
    // A bit of its checksum, and then its second half: all of it is read, and what is left.
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(first.path(), &flipped).unwrap();
    let shown = sandbox.run(&read).stderr_has(said).success();
    assert_eq!(shown.stdout, whole);
    fs::write(first.path(), &good[..good.len() / 2]).unwrap();
    let shown = sandbox.run(&read).stderr_has(said).success().stdout;
    assert!(shown.len() < whole.len() && shown.ends_with("000300000\n"));
    let lost = whole.len() - shown.len();
    assert!(
        lost < usize::try_from(first.end - first.base).unwrap(),
        "{lost}"
    );
    // So it is without a daemon.
    drop(sandbox.run(&["daemon", "stop"]).success());
    let args = ["--no-autostart", "logs", "web", "--lines", &lines];
    let local = sandbox.run(&args).stderr_has(said).success();
    assert_eq!(local.stdout, shown);
}

/// A run keeps the limits that were changed under it, whoever writes its log by then.
#[test]
fn limits_changed_under_a_run_outlive_scribe_daemon_and_keeper() {
    let sandbox = Sandbox::new();
    let mut go = sandbox.fifo("go");
    let body = format!(
        "while read -r lines; do seq -f %09.0f 1 $lines; done <'{}'",
        sandbox.path("go").display()
    );
    let settings = |size| format!("log_max_size = \"{size}\"\nlog_archives = 50\n");
    let log = begin(&sandbox, "web", &body, &settings("8MiB"));
    let known = sandbox.known("web");
    let text = std::fs::read_to_string(sandbox.path("web.toml")).unwrap();
    sandbox.file("web.toml", text.replace("8MiB", "64KiB"));
    drop(sandbox.run(&["reload", "--config", "web.toml"]).success());
    let victims: [&[&str]; 4] = [
        &["scribe_pid"],
        &["keeper_pid"],
        &["pid", "scribe_pid"],
        &["keeper_pid", "pid", "scribe_pid"],
    ];
    for (n, roles) in victims.into_iter().enumerate() {
        let killed: Vec<_> = roles.iter().map(|role| sandbox.role(role)).collect();
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            killed.iter().for_each(|known| known.signal(signal));
        }
        killed.iter().for_each(|known| sandbox.until_gone(*known));
        drop(sandbox.run(&["list"]).success());
        go.say("7000");
        when(log.parent().unwrap(), "one more archive", || {
            let now = archives(&log);
            let made = (now.len() == n + 1).then_some(());
            made.ok_or_else(|| format!("{roles:?} killed: {now:?}"))
        });
    }
    assert_eq!(sandbox.known("web"), known);
}

#[test]
fn a_daemon_killed_in_a_flood_loses_and_doubles_nothing() {
    const LAST: u64 = 6_000_000;
    let sandbox = Sandbox::new();
    let body = format!("exec seq -f %09.0f 1 {LAST}");
    let log = begin(
        &sandbox,
        "flood",
        &body,
        "log_max_size = \"1MiB\"\nlog_archives = 500\n",
    );
    for goal in [MIB, 8 * MIB, 24 * MIB] {
        when(log.parent().unwrap(), "some of the flood", || {
            let now = written(&log);
            if now >= goal {
                Ok(())
            } else {
                Err(format!("{now} bytes"))
            }
        });
        sandbox.murder("pid");
    }
    until_written(&log, LAST * 10);
    let row = sandbox.until_status("flood", "exited");
    assert_eq!(row["exit"]["code"], 0);
    assert_numbers(whole(&log), 9, 1, LAST);
}
