#!/usr/bin/env python3
"""What commands on another process cost while very many crash at once:
`cargo build --release && python3 tests/bench/crowd.py [PROCESSES] [COMMANDS]`.

All of the crowd wait at one gate and exit with 3 when it opens; those that are started again after their backoff wait at the
next one. Meanwhile commands go to a process that has nothing to do with them, one after the other. COMMANDS is `api` (a
request on the socket, which is what the daemon takes) or `cli` (whole commands).
"""

import os
import sys
import time

from home import Home, load, say, wait

PROCESSES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
WHOLE = len(sys.argv) > 2 and sys.argv[2] == "cli"


def command(home, verb, n):
    begun = time.monotonic()
    if verb == "list":
        home.run("list", "other", "--json") if WHOLE else home.ask("GET", "/api/processes?select=other")
    elif WHOLE:
        home.run(verb, "other")
    else:
        body = {"operation": f"crowd-{n:06}", "verb": verb, "select": ["other"]}
        answer = home.ask("POST", "/api/operations?wait_ms=60000", body)
        if not answer.get("data", {}).get("done"):
            sys.exit(f"{verb}: {answer}")
    return (time.monotonic() - begun) * 1000


def round_of_commands(home, figures, count):
    for verb in ("list", "stop", "start", "restart"):
        count[0] += 1
        figures.setdefault(verb, []).append(command(home, verb, count[0]))


def spent(pids):
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def main():
    with Home("crowd") as home:
        gate, told = home.path("gate"), home.path("told")
        os.mkfifo(gate)
        held = os.open(gate, os.O_RDWR)
        member = home.script("member", f"exec 3<{gate}\necho x >>{told}\nread word <&3\nexit 3")
        crowd = {"script": member, "restart_delay": "2s", "max_restarts": 4, "instances": PROCESSES}
        other = {"name": "other", "script": "sleep", "args": ["100000"]}
        home.run("start", "--config", home.config([{"name": "crowd", **crowd}, other]))
        size = lambda: os.path.exists(told) and os.path.getsize(told) == 2 * PROCESSES
        wait(size)
        info = home.info()
        roles = [info[role] for role in ("pid", "keeper_pid", "scribe_pid")]
        quiet, count = {}, [0]
        for _ in range(10):
            round_of_commands(home, quiet, count)
        cost, begun = spent(roles), time.monotonic()
        os.close(held)
        busy, restarted = {}, lambda: os.path.getsize(told) > 2 * PROCESSES
        crashed = lambda: sum(
            row["exit"] is not None and row["exit"]["code"] == 3
            for row in home.ask("GET", "/api/processes?select=crowd")["data"]
        )
        looked = time.monotonic()
        while time.monotonic() - begun < 6:
            round_of_commands(home, busy, count)
            if looked and time.monotonic() - looked > 0.5:
                done = crashed() == PROCESSES
                looked = None if done else time.monotonic()
                if done:
                    print(f"all {PROCESSES} crashes are known after {time.monotonic() - begun:.2f} s at most")
        took = time.monotonic() - begun
        print(f"{PROCESSES} crash at once, {load()}; roles used {spent(roles) - cost:.2f} s of processor in {took:.1f} s")
        for verb in busy:
            say(f"{verb} of another, before", quiet[verb])
            say(f"{verb} of another, meanwhile", busy[verb])
        home.run("delete", "crowd")


main()
