//! What the measurements must not spend their own time on: programs that stamp, write and wait, and a stopwatch for
//! whole commands. `budgets.py` compiles it: `rustc -O -C target-feature=+crt-static probe.rs`.
//!
//! ```text
//! probe wait                       waits for a signal
//! probe stamp FILE                 appends the time of its first instructions, then waits
//! probe write BLOCK BYTES [FILE]   writes so many bytes in blocks of 100-byte lines; says wall and CPU time to FILE
//! probe lines RATE SECONDS FILE    writes so many lines a second, in steps of a millisecond; says how many it wrote
//! probe time COUNT PROGRAM ARG…    runs the program so often; says the median and the least, microseconds
//! probe spin SHARE                 is busy for about so many thousandths of each second, now more, now less
//! probe now                        says the time
//! ```

use std::fs::File;
use std::io::Write as _;
use std::os::fd::FromRawFd as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[repr(C)]
struct Time {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut Time) -> i32;
}

/// Monotonic nanoseconds, and nanoseconds of processor time of this process.
fn clock(clock: i32) -> u64 {
    let mut time = Time { seconds: 0, nanoseconds: 0 };
    // SAFETY: it writes the one value, which lives on this stack frame.
    unsafe { clock_gettime(clock, &raw mut time) };
    u64::try_from(time.seconds).unwrap_or(0) * 1_000_000_000
        + u64::try_from(time.nanoseconds).unwrap_or(0)
}

const MONOTONIC: i32 = 1;
const PROCESSOR: i32 = 2;

fn append(path: &str, text: &str) {
    let mut file = File::options().create(true).append(true).open(path).expect("a file to append to");
    file.write_all(text.as_bytes()).expect("room");
}

fn wait() -> ! {
    loop {
        std::thread::park();
    }
}

/// Standard output without a buffer.
fn output() -> File {
    // SAFETY: descriptor 1 is nobody else's in this program.
    unsafe { File::from_raw_fd(1) }
}

fn line() -> Vec<u8> {
    let mut line = vec![b'x'; 99];
    line.push(b'\n');
    line
}

fn write(block: &str, bytes: usize, told: Option<&String>) {
    let block = match block {
        "line" => line(),
        _ => line().repeat(40),
    };
    let mut out = output();
    let begun = clock(MONOTONIC);
    for _ in 0..bytes / block.len() {
        out.write_all(&block).expect("a reader");
    }
    if let Some(path) = told {
        let wall = clock(MONOTONIC) - begun;
        append(path, &format!("{wall} {}\n", clock(PROCESSOR)));
    }
}

fn lines(rate: u64, seconds: u64, told: &str) {
    let mut out = output();
    let line = line();
    let begun = Instant::now();
    let mut written = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let due = rate * u64::try_from(begun.elapsed().as_micros()).unwrap_or(0) / 1_000_000;
        while written < due {
            out.write_all(&line).expect("a reader");
            written += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    append(told, &format!("{written} {}\n", begun.elapsed().as_micros()));
}

fn spin(share: u64) -> ! {
    for n in 0_u64.. {
        let begun = clock(PROCESSOR);
        while clock(PROCESSOR) - begun < share * (n % 5 + 1) * 50_000 {}
        std::thread::sleep(Duration::from_millis(150));
    }
    wait()
}

fn time(count: usize, program: &str, args: &[String]) {
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let mut command = Command::new(program);
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
        let begun = clock(MONOTONIC);
        let status = command.status().expect("the program");
        all.push((clock(MONOTONIC) - begun) / 1000);
        assert!(status.success(), "{program} failed");
    }
    all.sort_unstable();
    println!("{} {}", all[all.len() / 2], all[0]);
}

fn main() {
    let now = clock(MONOTONIC);
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize| args[n].parse::<u64>().expect("a number");
    let size = |n: usize| usize::try_from(number(n)).expect("a size");
    match args[0].as_str() {
        "wait" => wait(),
        "stamp" => {
            append(&args[1], &format!("{now}\n"));
            wait()
        }
        "write" => write(&args[1], size(2), args.get(3)),
        "lines" => lines(number(1), number(2), &args[3]),
        "time" => time(size(1), &args[2], &args[3..]),
        "spin" => spin(number(1)),
        "now" => println!("{now}"),
        other => panic!("{other}?"),
    }
}
