#!/usr/bin/env python3
"""How long it takes until there is supervision again after `kill -9` of the daemon, with a hundred processes:
`cargo build --release && python3 tests/bench/recovery.py [KILLS] [PROCESSES]`.

Right after each kill, when no daemon is there, one of the processes is killed too. Its policy starts it again; the new run
adds its pid to a file of its own. So the figure is that of a restart by policy: from the kill of the daemon to the
first word of the replacement, without any command being given. The other figure is the next answer of the API. All other
processes must have the same pids at the end. Nothing here is a test: machines differ.
"""

import os
import sys
import time

from home import Home, load, say, wait

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
PROCESSES = int(sys.argv[2]) if len(sys.argv) > 2 else 100


def runs(told):
    """The pids of all runs of the victim so far, as they told them."""
    if not os.path.exists(told):
        return []
    with open(told) as file:
        return [int(line) for line in file if line.endswith("\n")]


def restarted(home, told):
    size, victim, daemon = os.path.getsize(told), runs(told)[-1], home.info()["pid"]
    begun = time.monotonic()
    os.kill(daemon, 9)
    os.kill(victim, 9)
    # Looked at without a pause: what is measured is some milliseconds.
    wait(lambda: os.path.getsize(told) > size)
    return (time.monotonic() - begun) * 1000


def answered(home):
    daemon = home.info()["pid"]
    begun = time.monotonic()
    os.kill(daemon, 9)
    wait(lambda: home.ask("GET", "/api/daemon"))
    return (time.monotonic() - begun) * 1000


def pids(home):
    return {row["name"]: row["pid"] for row in home.rows() if row["name"] != "victim"}


def main():
    with Home("recovery") as home:
        told = home.path("told")
        teller = home.script("teller", f"echo $$ >>{told}\nexec sleep 100000")
        processes = [
            {"name": f"p{n}", "script": "sleep", "args": ["100000"]} for n in range(PROCESSES - 1)
        ]
        victim = {"script": teller, "restart_delay": "0s", "max_restarts": 1000000}
        processes.append({"name": "victim", **victim})
        home.run("start", "--config", home.config(processes))
        home.info()
        wait(lambda: runs(told))
        before = pids(home)
        print(f"{KILLS} kills of the daemon, {PROCESSES} processes, {load()}")
        restarts, answers = [], []
        for _ in range(KILLS):
            restarts.append(restarted(home, told))
            answers.append(answered(home))
        say("a process that ends while no daemon is there runs again", restarts)
        say("the API answers again", answers)
        if pids(home) != before or len(runs(told)) != KILLS + 1:
            sys.exit("a process was replaced, or started twice")
        print(f"{len(before)} pids are the same; the victim ran {KILLS + 1} times for {KILLS} ends")


main()
