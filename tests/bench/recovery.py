#!/usr/bin/env python3
"""How long it takes until there is supervision again after `kill -9` of the daemon, with a hundred processes:
`cargo build --release && python3 tests/bench/recovery.py [KILLS] [PROCESSES]`.

Right after each kill, when no daemon is there, one of the processes is killed too. Its policy starts it again; the new run
adds its pid to a file of its own. So the figure is that of a restart by policy: from the kill of the daemon to the
first word of the replacement, without any command being given. The other figure is the next answer of the API. All other
processes must have the same pids at the end. Nothing here is a test: machines differ.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("ADASA", os.path.join(PACKAGE, "target/release/adasa"))
KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
PROCESSES = int(sys.argv[2]) if len(sys.argv) > 2 else 100
HOME = tempfile.mkdtemp(prefix="adasa-recovery-")
ENV = dict(os.environ, ADASA_HOME=os.path.join(HOME, "home"))
PATIENCE = 20.0


def run(*args):
    done = subprocess.run([BINARY, *args], env=ENV, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"adasa {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def rows():
    return json.loads(run("list", "--json"))


def info():
    return json.loads(run("daemon", "status", "--json"))


def set_up():
    told = os.path.join(HOME, "told")
    teller = os.path.join(HOME, "teller")
    with open(teller, "w") as file:
        file.write(f"#!/bin/sh\necho $$ >>{told}\nexec sleep 100000\n")
    os.chmod(teller, 0o755)
    processes = [{"name": f"p{n}", "script": "sleep", "args": ["100000"]} for n in range(PROCESSES - 1)]
    processes.append(
        {
            "name": "victim",
            "script": teller,
            "restart_delay": "0s",
            "max_restarts": 1000000,
        }
    )
    path = os.path.join(HOME, "adasa.json")
    with open(path, "w") as file:
        json.dump({"processes": processes}, file)
    run("start", "--config", path)
    return told


def runs(path):
    """The pids of all runs of the victim so far, as they told them."""
    try:
        with open(path) as file:
            return [int(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def wait(holds):
    deadline = time.monotonic() + PATIENCE
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit("what was waited for did not come")


def answers(path):
    """The first answer of whichever daemon there is."""
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(path)
        stream.sendall(b"GET /api/daemon HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\n\r\n")
        return stream.recv(1).startswith(b"H")


def restarted(told, daemon):
    size, victim = os.path.getsize(told), runs(told)[-1]
    begun = time.monotonic()
    os.kill(daemon, 9)
    os.kill(victim, 9)
    # Looked at without a pause: what is measured is some milliseconds.
    wait(lambda: os.path.getsize(told) > size)
    return (time.monotonic() - begun) * 1000


def answered(place, daemon):
    begun = time.monotonic()
    os.kill(daemon, 9)
    wait(lambda: quiet(place))
    return (time.monotonic() - begun) * 1000


def quiet(place):
    try:
        return answers(place)
    except OSError:
        return False


def say(what, figures):
    figures.sort()
    at = lambda share: figures[min(len(figures) - 1, int(len(figures) * share))]
    print(
        f"{what:<62}{at(0.5):8.1f} ms p50{at(0.99):8.1f} ms p99{figures[-1]:8.1f} ms max",
        flush=True,
    )


def main():
    told = set_up()
    status = info()
    place = status["socket"]
    wait(lambda: runs(told))
    pids = {row["name"]: row["pid"] for row in rows() if row["name"] != "victim"}
    print(f"{KILLS} kills of the daemon, {PROCESSES} processes, load {os.getloadavg()[0]:.1f}")
    restarts, replies = [], []
    for _ in range(KILLS):
        restarts.append(restarted(told, info()["pid"]))
        replies.append(answered(place, info()["pid"]))
    say("a process that ends while no daemon is there runs again", restarts)
    say("the API answers again", replies)
    now = {row["name"]: row["pid"] for row in rows() if row["name"] != "victim"}
    if now != pids or len(runs(told)) != KILLS + 1:
        sys.exit("a process was replaced, or started twice")
    print(f"{len(pids)} pids are the same; the victim ran {len(runs(told))} times for {KILLS} ends")


try:
    main()
finally:
    subprocess.run([BINARY, "daemon", "stop"], env=ENV, capture_output=True)
    shutil.rmtree(HOME, ignore_errors=True)
