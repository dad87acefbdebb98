#!/usr/bin/env python3
"""Measures the dashboard in a pseudo-terminal with a release binary, beside htop and btop where they are installed.

    cargo build --release && python3 tests/bench/screen.py [processes] [lines] [others] [idle] [keys] [flood]

Bytes on the wire (idle, busy, log followed, flood, one cursor step), key to painted frame, resident memory, wake-ups,
processor time, and what a program that logs as fast as it can loses by being looked at. Nothing here is a test: machines
differ, and figures are read beside those of the same run.
"""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("ADASA", os.path.join(PACKAGE, "target/release/adasa"))
HOME = tempfile.mkdtemp(prefix="adasa-screen-")
PROBE = os.path.join(HOME, "probe")
SIZES = ((80, 24), (120, 40), (200, 60))
SECONDS = 10
ENV = {k: v for k, v in os.environ.items() if not k.startswith(("SSH_", "ADASA"))}
ENV.update(ADASA_HOME=os.path.join(HOME, "home"), TERM="xterm-256color", LANG="C.UTF-8")


def run(*args):
    done = subprocess.run([BINARY, *args], env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"adasa {' '.join(args)}: {done.returncode}\n{done.stderr}")
    return done.stdout


class Screen:
    """A program in a terminal of its own; what it writes is read and counted."""

    def __init__(self, command, size, env=None):
        self.begun = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, dict(ENV, **(env or {})))
        columns, lines = size
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.bytes = 0
        self.text = b""

    def read(self, seconds, until=None):
        """Reads for so long, or until a text has come; when the last byte came."""
        end, last = time.monotonic() + seconds, None
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.fd], [], [], left)
            if not ready:
                break
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                break
            if not data:
                break
            self.bytes += len(data)
            self.text = (self.text + data)[-(1 << 16):]
            last = time.monotonic()
            if until and until in self.text:
                return last
        return last

    def first(self):
        """The first paint: until nothing has come for a while, or something never ceases to."""
        end = time.monotonic() + 1.5
        while time.monotonic() < end and self.read(0.4):
            pass
        return self.bytes

    def rate(self, seconds=SECONDS):
        before = self.bytes
        begun = time.monotonic()
        self.read(seconds)
        return (self.bytes - before) / (time.monotonic() - begun)

    def key(self, key):
        """From a key to the end of the frame that answers it, seconds."""
        self.text = b""
        begun = time.monotonic()
        os.write(self.fd, key)
        came = self.read(2, b"\x1b[?2026l")
        return (came or begun + 2) - begun

    def pids(self):
        """The program and its guardian's child."""
        children = open(f"/proc/{self.pid}/task/{self.pid}/children").read().split()
        return [self.pid, *map(int, children)]

    def close(self):
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def ticks(pids):
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def switches(pids):
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            for line in open(f"/proc/{pid}/task/{thread}/status"):
                if line.startswith("voluntary"):
                    total += int(line.split()[1])
    return total


def memory(pids):
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith("VmRSS"):
                total += int(line.split()[1])
    return total / 1024


def say(what, *values):
    print(f"{what:<46}" + "".join(f"{value:>16}" for value in values), flush=True)


def fresh():
    subprocess.run([BINARY, "daemon", "stop"], env=ENV, capture_output=True)
    shutil.rmtree(ENV["ADASA_HOME"], ignore_errors=True)


def up(processes, settle=7):
    fresh()
    path = os.path.join(HOME, "all.json")
    with open(path, "w") as file:
        json.dump({"processes": processes}, file)
    run("up", "-d", path)
    # The burst is over, and the folded state written.
    time.sleep(settle)


def quiet(count):
    return [{"name": f"p{n}", "script": PROBE, "args": ["wait"]} for n in range(count)]


def busy(count):
    return [
        {"name": f"b{n}", "script": PROBE, "args": ["spin", str(n % 7 + 1)]} for n in range(count)
    ]


def writer(rate, seconds, told="/dev/null"):
    return {
        "name": "aa-writer",
        "script": PROBE,
        "args": ["lines", str(rate), str(seconds), told],
        "restart": "never",
    }


def rates(name, prepare, env=None):
    prepare()
    row = []
    for size in SIZES:
        screen = Screen([BINARY, "tui"], size, env)
        first = screen.first()
        row.append(f"{first} / {screen.rate():.0f}")
        screen.close()
    say(name, *row)


def head():
    say("bytes: first paint / then a second", *(f"{w}x{h}" for w, h in SIZES))


def processes():
    head()
    # Uptimes have seconds in their first minute, and histories a column more every few seconds in their first two.
    rates("39 idle, no log lines", lambda: up(quiet(39), 130))
    row = []
    for size in SIZES:
        screen = Screen([BINARY, "tui"], size)
        screen.first()
        steps = []
        for key in (b"j", b"j", b"j", b"k", b"k"):
            before = screen.bytes
            screen.key(key)
            steps.append(screen.bytes - before)
            # The panes follow.
            screen.read(1)
        row.append(f"{statistics.median(steps):.0f}")
        screen.close()
    say("one cursor step (rows)", *row)
    rates("39 busy, quiet log", lambda: up(busy(39), 65))


def lines():
    head()
    rates("log followed, 20 lines/s", lambda: up([writer(20, 3600), *quiet(38)]))
    rates(
        "flood of 100,000 lines/s, over SSH",
        lambda: up([writer(100_000, 3600), *quiet(38)]),
        {"SSH_CONNECTION": "1"},
    )


def others():
    """Their first second, and what follows."""
    head()
    for other in (["htop"], ["btop", "--utf-force"]):
        if shutil.which(other[0]):
            row = []
            for size in SIZES:
                screen = Screen(other, size)
                screen.read(1.2)
                first = screen.bytes
                row.append(f"{first} / {screen.rate():.0f}")
                screen.close()
            say(f"{other[0]}, the machine as it is", *row)


def idle():
    up(quiet(39))
    screen = Screen([BINARY, "tui"], (120, 40))
    screen.first()
    pids = screen.pids()
    time.sleep(1)
    woken, spent = switches(pids), ticks(pids)
    screen.read(60)
    say("idle: wake-ups a second", f"{(switches(pids) - woken) / 60:.2f}")
    say("idle: % of a core", f"{(ticks(pids) - spent) / 60 * 100:.2f}")
    say("idle: resident, with the guardian, MiB", f"{memory(pids):.1f}")
    screen.close()


def latencies(screen, count):
    keys = [b"j", b"k"]
    figures = []
    for n in range(count):
        figures.append(screen.key(keys[n % 2]) * 1000)
        screen.read(0.03)
    figures.sort()
    return figures


def keys():
    up(quiet(1000))
    size = (200, 60)
    attach = []
    for _ in range(5):
        screen = Screen([BINARY, "tui"], size)
        screen.read(5, b"p0")
        attach.append((time.monotonic() - screen.begun) * 1000)
        screen.close()
    say("1,000: attach to the first rows, ms", f"{statistics.median(attach):.1f}")
    trace = os.path.join(HOME, "frames")
    screen = Screen([BINARY, "tui", "--trace-frames", trace], size)
    screen.first()
    figures = latencies(screen, 200)
    say("1,000: key to frame, p50 / p99, ms", f"{figures[100]:.1f} / {figures[198]:.1f}")
    for key in (b"/", b"p", b"9", b"9", b"\x1b", b"G", b"g", b"g", b" ", b"\x0e", b"o"):
        screen.key(key)
        screen.read(0.2)
    frames = [json.loads(line) for line in open(trace)]
    made = sorted(frame["made_us"] / 1000 for frame in frames)
    whole = sorted(frame["frame_us"] / 1000 for frame in frames)
    say(
        "1,000: frame made / sent, p99, ms",
        f"{made[len(made) * 99 // 100]:.2f}",
        f"{whole[len(whole) * 99 // 100]:.2f}",
        f"most {whole[-1]:.2f}",
    )
    say("1,000: resident, MiB", f"{memory(screen.pids()):.1f}")
    screen.close()


def flood():
    told = os.path.join(HOME, "written")

    def fastest(screen):
        """Blocks until the writer has written its bytes: bytes a second."""
        count = len(open(told).readlines()) if os.path.exists(told) else 0
        run("restart", "aa-writer")
        while (len(open(told).readlines()) if os.path.exists(told) else 0) <= count:
            if screen:
                screen.read(0.1)
            else:
                time.sleep(0.1)
        wall = int(open(told).readlines()[-1].split()[0])
        return 256e6 / wall * 1e9

    # Under a flood of a known rate.
    up([writer(100_000, 3600), *quiet(38)])
    screen = Screen([BINARY, "tui"], (120, 40))
    screen.first()
    pids = screen.pids()
    before = memory(pids)
    spent, begun = ticks(pids), time.monotonic()
    figures = latencies(screen, 200)
    screen.read(20)
    passed = time.monotonic() - begun
    say("100,000 lines/s: key to frame, p50 / p99, ms", f"{figures[100]:.1f} / {figures[198]:.1f}")
    say("100,000 lines/s: % of a core", f"{(ticks(pids) - spent) / passed * 100:.1f}")
    say("100,000 lines/s: resident, before / after, MiB", f"{before:.1f} / {memory(pids):.1f}")
    screen.close()
    # One that wants that much, with and without somebody who looks.
    wanted = os.path.join(HOME, "wanted")

    def reached(looked_at):
        up([writer(100_000, 8, wanted)])
        screen = Screen([BINARY, "tui"], (120, 40)) if looked_at else None
        told_before = len(open(wanted).readlines()) if os.path.exists(wanted) else 0
        while not os.path.exists(wanted) or len(open(wanted).readlines()) == told_before:
            screen.read(0.1) if screen else time.sleep(0.1)
        if screen:
            screen.close()
        written, micros = map(int, open(wanted).readlines()[-1].split())
        return written / micros * 1e6

    pairs = [(reached(False), reached(True)) for _ in range(3)]
    say("lines/s of a program that wants 100,000, alone / looked at", *(f"{statistics.median(side):,.0f}" for side in zip(*pairs)))
    say("  looked at / alone", f"{statistics.median(b / a for a, b in pairs):.3f}")
    # As fast as it can, with and without somebody who looks.
    up([
        {
            "name": "aa-writer",
            "script": PROBE,
            "args": ["write", "line", "256000000", told],
            "restart": "never",
            "log_max_size": "64MiB",
            "log_compress": False,
            "log_archives": 1,
        }
    ])
    alone, watched = [], []
    for _ in range(5):
        alone.append(fastest(None))
        screen = Screen([BINARY, "tui"], (120, 40))
        screen.first()
        watched.append(fastest(screen))
        screen.close()
    say("a program that floods, MB/s, alone / looked at", f"{statistics.median(alone) / 1e6:.0f}", f"{statistics.median(watched) / 1e6:.0f}")
    say("  looked at / alone", f"{statistics.median(b / a for a, b in zip(alone, watched)):.3f}")


def main():
    subprocess.run(
        ["rustc", "--edition", "2024", "-O", "-C", "target-feature=+crt-static", "-o", PROBE]
        + [os.path.join(PACKAGE, "tests/bench/probe.rs")],
        check=True,
    )
    parts = {
        "processes": processes,
        "lines": lines,
        "others": others,
        "idle": idle,
        "keys": keys,
        "flood": flood,
    }
    try:
        for name in sys.argv[1:] or parts:
            print(f"-- {name}, load {os.getloadavg()[0]:.1f}", flush=True)
            parts[name]()
    finally:
        fresh()
        shutil.rmtree(HOME, ignore_errors=True)


main()
