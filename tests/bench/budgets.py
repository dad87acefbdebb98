#!/usr/bin/env python3
"""Measures the budgets with a release binary: `cargo build --release && python3 tests/bench/budgets.py`.

Whole commands, medians, in a folder of its own below the temporary folder. Log throughput is a ratio: the same writer
through adasa (rotating) and straight to a file, in turn. Nothing here is a test: machines differ, and figures are read
beside those of the same run.
"""

import json
import os
import resource
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
PATIENCE = 60.0


def run(*args):
    done = subprocess.run([BINARY, *args], env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"adasa {' '.join(args)}: {done.returncode}\n{done.stderr}")
    return done.stdout


def timed(*args):
    begun = time.perf_counter()
    run(*args)
    return (time.perf_counter() - begun) * 1000


def median(act, count=21):
    return statistics.median(act() for _ in range(count))


def fresh():
    subprocess.run([BINARY, "daemon", "stop"], env=ENV, capture_output=True)
    shutil.rmtree(ENV["ADASA_HOME"], ignore_errors=True)


def say(what, value, unit):
    print(f"{what:<48}{value:>10.2f} {unit}", flush=True)


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
        {"name": f"p{n}", "script": "sleep", "args": ["100000"]} for n in range(count)
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
    say("floor: a process that does nothing", median(floor), "ms")
    say("cold start until the first answer, empty", median(cold, 9), "ms")
    time.sleep(6)
    say("proportional set of all roles, empty", info()["memory"] / 1e6, "MB")
    run("start", "sleep", "--name", "one", "--", "100000")
    say("list, 1 process", median(lambda: timed("list")), "ms")


def floor():
    begun = time.perf_counter()
    subprocess.run([BINARY, "--version"], env=ENV, capture_output=True)
    return (time.perf_counter() - begun) * 1000


def many(count):
    fresh()
    run("list")
    say(f"{count} processes from one file, all up", timed("up", "-d", config(count)), "ms")
    # The state is folded and what the burst needed is given back.
    time.sleep(8)
    say(f"list, {count} processes", median(lambda: timed("list")), "ms")
    say(f"proportional set of all roles, {count}", info()["memory"] / 1e6, "MB")
    if count == 100:
        hundred()
    if count == 500:
        say("stop all of 500", timed("stop", "all"), "ms")


def hundred():
    names = iter(range(1000))
    say(
        "start, at 100",
        median(lambda: timed("start", "sleep", "--name", f"x{next(names)}", "--", "100000")),
        "ms",
    )
    again = iter(range(1000))
    say("stop, at 100", median(lambda: timed("stop", f"x{next(again)}")), "ms")
    say("restart, at 100", median(lambda: timed("restart", "p5")), "ms")
    run("delete", "status:stopped")
    pids = [info()[role] for role in ("pid", "keeper_pid", "scribe_pid")]
    time.sleep(2)
    spent, woken = sum(map(ticks, pids)), sum(map(switches, pids))
    time.sleep(20)
    say("idle at 100, sampling each second", (sum(map(ticks, pids)) - spent) * 5, "% of a core")
    say("idle at 100, wake-ups", (sum(map(switches, pids)) - woken) / 20, "/s")
    run("daemon", "stop")
    begun = time.perf_counter()
    run("daemon", "start")
    until(lambda: sum(row["status"] == "running" for row in rows()) >= 100)
    say("100 saved processes, all up", (time.perf_counter() - begun) * 1000, "ms")


def crashes():
    fresh()
    stamps = os.path.join(HOME, "stamps")
    script = os.path.join(HOME, "stamp.py")
    with open(script, "w") as file:
        # The interpreter's own start is part of the figure; its floor is printed beside it.
        file.write("#!/bin/sh\necho >> " + stamps + "\nexec sleep 100000\n")
    os.chmod(script, 0o755)
    open(stamps, "w").close()
    run("start", script, "--name", "c", "--restart-delay", "0", "--max-restarts", "1000")

    def crash():
        until(lambda: rows()[0]["status"] == "running")
        before = os.path.getsize(stamps)
        begun = time.perf_counter()
        os.kill(rows()[0]["pid"], 9)
        begun = time.perf_counter()
        until(lambda: os.path.getsize(stamps) > before)
        return (time.perf_counter() - begun) * 1000

    say("crash to the replacement's first line (sh)", median(crash), "ms")

    def shell():
        begun = time.perf_counter()
        subprocess.run(["sh", "-c", ":"])
        return (time.perf_counter() - begun) * 1000

    say("  floor: a shell from here", median(shell), "ms")


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


WRITER = r"""
import os, sys
line = (b"x" * 99) + b"\n"
block = line * 40 if sys.argv[1] == "block" else line
count = int(sys.argv[2]) // len(block)
write = os.write
for _ in range(count):
    write(1, block)
"""


def direct(kind, size):
    path = os.path.join(HOME, "direct.log")
    with open(path, "wb") as file:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", WRITER, kind, str(size)], stdout=file, check=True)
        wall = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.remove(path)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def through(kind, size, number):
    name = f"w{number}"
    writer = os.path.join(HOME, "writer.json")
    with open(writer, "w") as file:
        process = {
            "name": name,
            "script": sys.executable,
            "args": ["-c", WRITER, kind, str(size)],
            "restart": "never",
            "log_max_size": "64MiB",
            "log_compress": False,
            "log_archives": 1,
        }
        json.dump({"processes": [process]}, file)
    roles = [info()[role] for role in ("scribe_pid", "keeper_pid", "pid")]
    spent = [ticks(pid) for pid in roles]
    begun = time.perf_counter()
    run("up", "-d", writer)
    until(lambda: rows()[0]["status"] == "exited")
    wall = time.perf_counter() - begun
    daemon = ticks(roles[2]) - spent[2]
    scribe = ticks(roles[0]) - spent[0]
    row = json.loads(run("status", name, "--json"))[0]
    run("down", writer)
    events = [event for event in row["events"] if event["kind"] == "exit"]
    return wall, events[-1]["exit"]["cpu_ms"] / 1000 + scribe, daemon


def logs():
    fresh()
    run("list")
    for kind, size in (("line", 128 << 20), ("block", 512 << 20)):
        pairs = [(direct(kind, size), through(kind, size, n)) for n in range(3)]
        walls = statistics.median(b[0] / a[0] for a, b in pairs)
        totals = statistics.median(b[1] / a[1] for a, b in pairs)
        say(f"log, {kind}s: wall, adasa / straight to a file", walls, "x")
        say(f"log, {kind}s: writer and scribe CPU / writer's", totals, "x")
        say(f"log, {kind}s: daemon CPU", max(b[2] for _, b in pairs), "s")


def main():
    try:
        commands()
        for count in (100, 500, 1000):
            many(count)
        crashes()
        kills()
        logs()
    finally:
        fresh()
        shutil.rmtree(HOME, ignore_errors=True)


main()
