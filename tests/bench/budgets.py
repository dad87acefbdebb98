#!/usr/bin/env python3
"""Measures the budgets with a release binary: `cargo build --release && python3 tests/bench/budgets.py`.

Whole commands, median and least, started with posix_spawn from here, in a folder of its own below the temporary folder.
Programs that are managed, stamp and write are `probe.rs`, so that no interpreter's start is in a figure. Memory is the
proportional set of the three roles, read from outside. Log throughput is a ratio: the same writer through adasa (rotating)
and straight to a file, in turn. Nothing here is a test: machines differ, and figures are read beside those of the same
run.

    ADASA=path/to/adasa python3 tests/bench/budgets.py [commands] [100] [500] [1000] [crashes] [kills] [logs]
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("ADASA", os.path.join(PACKAGE, "target/release/adasa"))
HOME = tempfile.mkdtemp(prefix="adasa-bench-")
ENV = dict(os.environ, ADASA_HOME=os.path.join(HOME, "home"))
PROBE = os.path.join(HOME, "probe")
PATIENCE = 60.0
# After this the state is folded, and what a burst needed is given back.
QUIET = 27.0
NULL = os.open("/dev/null", os.O_RDWR)


def run(*args):
    done = subprocess.run([BINARY, *args], env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"adasa {' '.join(args)}: {done.returncode}\n{done.stderr}")
    return done.stdout


def timed(*args, program=BINARY):
    """A whole command, milliseconds."""
    to_null = [(os.POSIX_SPAWN_DUP2, NULL, n) for n in (0, 1, 2)]
    begun = time.perf_counter()
    pid = os.posix_spawn(program, [program, *args], ENV, file_actions=to_null)
    _, status = os.waitpid(pid, 0)
    took = (time.perf_counter() - begun) * 1000
    if status:
        sys.exit(f"{program} {' '.join(args)}: {os.waitstatus_to_exitcode(status)}")
    return took


def repeat(act, count=41):
    """Median and least of so many."""
    return sorted(act() for _ in range(count))


def fresh():
    subprocess.run([BINARY, "daemon", "stop"], env=ENV, capture_output=True)
    shutil.rmtree(ENV["ADASA_HOME"], ignore_errors=True)


def say(what, value, unit):
    if isinstance(value, list):
        print(f"{what:<48}{statistics.median(value):>10.2f} {unit}, least {value[0]:.2f}", flush=True)
    else:
        print(f"{what:<48}{value:>10.2f} {unit}", flush=True)


def pids():
    status = info()
    return [status[role] for role in ("pid", "keeper_pid", "scribe_pid")]


def quiet_proportional():
    roles = pids()
    time.sleep(QUIET)
    total = 0
    for pid in roles:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total / 1e6


def rows():
    return json.loads(run("list", "--json"))


def info():
    return json.loads(run("daemon", "status", "--json"))


def until(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            sys.exit("what was waited for did not come")


def config(count):
    path = os.path.join(HOME, f"{count}.json")
    processes = [
        {"name": f"p{n}", "script": PROBE, "args": ["wait"]} for n in range(count)
    ]
    with open(path, "w") as file:
        json.dump({"processes": processes}, file)
    return path


def ticks(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def switches(pid):
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        for line in open(f"/proc/{pid}/task/{thread}/status"):
            if line.startswith("voluntary"):
                total += int(line.split()[1])
    return total


def cold():
    fresh()
    return timed("list")


def commands():
    say("floor: a static program that does nothing", repeat(lambda: timed("now", program=PROBE)), "ms")
    say("floor: adasa --version", repeat(lambda: timed("--version")), "ms")
    say("cold start until the first answer, empty", repeat(cold, 9), "ms")
    say("proportional set of all roles, empty", quiet_proportional(), "MB")
    run("start", PROBE, "--name", "one", "--", "wait")
    say("list, 1 process", repeat(lambda: timed("list")), "ms")


def many(count):
    fresh()
    run("list")
    file = config(count)
    say(f"{count} processes from one file, all up", timed("up", "-d", file), "ms")
    say(f"proportional set of all roles, {count}", quiet_proportional(), "MB")
    say(f"list, {count} processes", repeat(lambda: timed("list")), "ms")
    say(f"sampling tick, {count}, processor time", tick(), "ms")
    if count == 100:
        hundred()
    if count == 500:
        say("stop all of 500", timed("stop", "all"), "ms")
        five_hundred(file)


def five_hundred(file):
    all_up = []
    for _ in range(5):
        fresh()
        run("list")
        all_up.append(timed("up", "-d", file))
    say("500 processes from one file, all up, again", sorted(all_up), "ms")


def tick():
    """Of the sampler's thread, over ten periods."""
    folder = f"/proc/{info()['pid']}/task"
    named = lambda it: open(f"{folder}/{it}/comm").read().strip() == "sampler"
    thread = next(it for it in os.listdir(folder) if named(it))
    spent = lambda: int(open(f"{folder}/{thread}/schedstat").read().split()[0])
    before = spent()
    time.sleep(10)
    return (spent() - before) / 10 / 1e6


def hundred():
    names = iter(range(1000))
    start = lambda: timed("start", PROBE, "--name", f"x{next(names)}", "--", "wait")
    say("start, at 100", repeat(start), "ms")
    again = iter(range(1000))
    say("stop, at 100", repeat(lambda: timed("stop", f"x{next(again)}")), "ms")
    say("restart, at 100", repeat(lambda: timed("restart", "p5")), "ms")
    run("delete", "status:stopped")
    roles = pids()
    time.sleep(2)
    spent, woken = sum(map(ticks, roles)), sum(map(switches, roles))
    time.sleep(20)
    say("idle at 100, sampling each second", (sum(map(ticks, roles)) - spent) * 5, "% of a core")
    say("idle at 100, wake-ups", (sum(map(switches, roles)) - woken) / 20, "/s")
    saved = []
    for _ in range(5):
        run("daemon", "stop")
        begun = time.perf_counter()
        timed("daemon", "start")
        until(lambda: sum(row["status"] == "running" for row in rows()) >= 100)
        saved.append((time.perf_counter() - begun) * 1000)
    say("100 saved processes, all up", sorted(saved), "ms")


def crashes():
    fresh()
    stamps = os.path.join(HOME, "stamps")
    open(stamps, "w").close()
    flags = ("--name", "c", "--restart-delay", "0", "--max-restarts", "10000")
    run("start", PROBE, *flags, "--", "stamp", stamps)

    def stamped():
        return open(stamps).read().split()

    def crash():
        # Every run has stamped, and the last one is the one that is there.
        until(lambda: rows()[0]["restarts"] + 1 == len(stamped()))
        count, pid = len(stamped()), rows()[0]["pid"]
        begun = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        os.kill(pid, 9)
        until(lambda: len(stamped()) > count)
        return (int(stamped()[-1]) - begun) / 1e6

    say("crash to the replacement's first instructions", repeat(crash), "ms")


def kills():
    fresh()
    run("up", "-d", config(100))

    def kill():
        before = info()
        begun = time.perf_counter()
        os.kill(before["pid"], 9)
        run("list")
        return (time.perf_counter() - begun) * 1000

    figures = sorted(kill() for _ in range(30))
    say("kill -9 of the daemon to the next answer, p50", figures[15], "ms")
    say("kill -9 of the daemon to the next answer, max", figures[-1], "ms")


def written(path):
    """Wall and processor seconds of the writer."""
    wall, processor = open(path).read().split()[-2:]
    return int(wall) / 1e9, int(processor) / 1e9


def direct(kind, size):
    path, told = os.path.join(HOME, "direct.log"), os.path.join(HOME, "direct.told")
    with open(path, "wb") as file:
        subprocess.run([PROBE, "write", kind, str(size), told], stdout=file, check=True)
    os.remove(path)
    return written(told)


def through(kind, size, number):
    name, told = f"w{number}", os.path.join(HOME, "through.told")
    writer = os.path.join(HOME, "writer.json")
    with open(writer, "w") as file:
        process = {
            "name": name,
            "script": PROBE,
            "args": ["write", kind, str(size), told],
            "restart": "never",
            "log_max_size": "64MiB",
            "log_compress": False,
            "log_archives": 1,
        }
        json.dump({"processes": [process]}, file)
    roles = pids()
    spent = [ticks(pid) for pid in roles]
    run("up", "-d", writer)
    until(lambda: rows()[0]["status"] == "exited")
    # What is still in the pipe is written, too.
    time.sleep(0.5)
    daemon, keeper, scribe = (ticks(pid) - before for pid, before in zip(roles, spent))
    run("down", writer)
    wall, processor = written(told)
    return wall, processor + scribe, daemon


def logs():
    fresh()
    run("list")
    for kind, size in (("line", 128 << 20), ("block", 512 << 20)):
        pairs = [(direct(kind, size), through(kind, size, n)) for n in range(7)]
        say(f"log, {kind}s: wall, adasa / straight to a file", sorted(b[0] / a[0] for a, b in pairs), "x")
        say(f"log, {kind}s: writer and scribe CPU / writer's", sorted(b[1] / a[1] for a, b in pairs), "x")
        say(f"log, {kind}s: straight to a file", size / 1048576 / statistics.median(a[0] for a, _ in pairs), "MiB/s")
        say(f"log, {kind}s: daemon CPU", max(b[2] for _, b in pairs), "s")


def main():
    probe = os.path.join(PACKAGE, "tests/bench/probe.rs")
    static = ["-C", "target-feature=+crt-static"]
    subprocess.run(["rustc", "--edition", "2024", "-O", *static, "-o", PROBE, probe], check=True)
    parts = {
        "commands": commands,
        "100": lambda: many(100),
        "500": lambda: many(500),
        "1000": lambda: many(1000),
        "crashes": crashes,
        "kills": kills,
        "logs": logs,
    }
    try:
        for part in sys.argv[1:] or parts:
            print(f"-- {part}, load {os.getloadavg()[0]:.1f}", flush=True)
            parts[part]()
    finally:
        fresh()
        shutil.rmtree(HOME, ignore_errors=True)


main()
