"""A folder of its own for a measurement, with a daemon of its own, and the ways to talk to it."""

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
PATIENCE = 60.0


class Home:
    def __init__(self, name):
        self.root = tempfile.mkdtemp(prefix=f"adasa-{name}-")
        self.env = dict(os.environ, ADASA_HOME=os.path.join(self.root, "home"))
        self.socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([BINARY, "daemon", "stop"], env=self.env, capture_output=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.root, name)

    def script(self, name, body):
        path = self.path(name)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)
        return path

    def config(self, processes):
        path = self.path("adasa.json")
        with open(path, "w") as file:
            json.dump({"processes": processes}, file)
        return path

    def run(self, *args):
        done = subprocess.run([BINARY, *args], env=self.env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"adasa {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def rows(self):
        return json.loads(self.run("list", "--json"))

    def info(self):
        info = json.loads(self.run("daemon", "status", "--json"))
        self.socket = info["socket"]
        return info

    def ask(self, method, place, body=None):
        """The answer of whichever daemon there is; none when it could not be had."""
        text = json.dumps(body) if body is not None else ""
        head = f"{method} {place} HTTP/1.1\r\nHost: adasa\r\nConnection: close\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        answer = b""
        try:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(PATIENCE)
                stream.connect(self.socket)
                stream.sendall((head + text).encode())
                while piece := stream.recv(65536):
                    answer += piece
        except OSError:
            return None
        return json.loads(answer.partition(b"\r\n\r\n")[2]) if answer else None


def wait(holds):
    deadline = time.monotonic() + PATIENCE
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > deadline:
            sys.exit("what was waited for did not come")


def say(what, figures):
    """Milliseconds."""
    figures = sorted(figures)
    last = len(figures) - 1
    at = lambda share: figures[min(last, int(len(figures) * share))]
    print(
        f"{what:<58}{at(0.5):8.1f} ms p50{at(0.99):8.1f} ms p99{figures[-1]:8.1f} ms max  ({last + 1})",
        flush=True,
    )


def load():
    return f"load {os.getloadavg()[0]:.1f}"
