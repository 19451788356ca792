"""The local stack, brought up for the tests: real servers, and time in the rules 20 times faster."""

import atexit
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "deploy"))

from parts import DEPLOY, ROOT, program, run, watchbell  # noqa: E402  lies in the folder of the other tests

STACK = os.path.join(DEPLOY, "local-stack")
sys.path.insert(0, STACK)

from inbox import subject  # noqa: E402  the same words as `stack.sh inbox`


signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))


def environment(state):
    return {**os.environ, "STACK_STATE": state, "WATCHBELL_BINARY": watchbell()}


def script(state, name, *words):
    """Runs a script of the stack, which has to succeed; gives what it printed."""
    # Its children go on, so that nothing of it may be waited for but its end.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run([os.path.join(STACK, name), *words], stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, env=environment(state), timeout=900)
        output.seek(0)
        text = output.read()
    if done.returncode:
        raise AssertionError(f"{name} {' '.join(words)}: {text}")
    return text


def get(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} if data else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def prepare(state):
    """Installs what the stack runs. The test is skipped where a part cannot be had."""
    for part in ("mlflow", "prometheus", "node_exporter"):
        if why := os.environ.get(f"WATCHBELL_SKIP_{part.upper()}"):
            raise unittest.SkipTest(why)
    for part in ("prometheus", "prometheus-node-exporter", "curl"):
        program(part)
    code, text = run(os.path.join(STACK, "stack.sh"), "install", env=environment(state), seconds=900)
    if code:
        raise unittest.SkipTest(f"mlflow: it cannot be installed: {text.strip().splitlines()[-1]}")


class Stack(unittest.TestCase):
    """What the tests ask of the running stack."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="stack-")
        cls.addClassCleanup(folder.cleanup)
        cls.state = os.path.join(folder.name, "state")
        cls.addClassCleanup(cls.down)
        # Also where this program is told to end.
        atexit.register(cls.down)
        prepare(cls.state)
        script(cls.state, "stack.sh", "up", "--fast", "--ports", "any")
        with open(os.path.join(cls.state, "ports"), encoding="ascii") as file:
            cls.ports = dict(line.strip().split("=") for line in file)

    @classmethod
    def down(cls):
        if os.path.isdir(cls.state):
            script(cls.state, "stack.sh", "down")

    def at(self, part):
        return f"http://127.0.0.1:{self.ports[part]}"

    def damage(self, *ways):
        for way in ways:
            script(self.state, "break.sh", way)

    def mend(self, *ways):
        for way in ways:
            script(self.state, "break.sh", "mend", way)

    @contextlib.contextmanager
    def without_database(self):
        """Somebody else holds MLflow's database meanwhile, so that it can neither read nor write."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.state, "mlflow", "mlflow.db"), timeout=60)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            yield

    def query(self, expression):
        asked = urllib.parse.urlencode({"query": expression})
        return json.loads(get(f"{self.at('prometheus')}/api/v1/query?{asked}"))["data"]["result"]

    def alerts(self):
        """(name, component) of what fires."""
        alerts = json.loads(get(self.at("watchbell") + "/api/v1/alerts"))["data"]["alerts"]
        return {(a["labels"]["alertname"], a["labels"].get("component")) for a in alerts if a["state"] == "firing"}

    def messages(self):
        """Number, kind and subject of what was sent."""
        folder = os.path.join(self.state, "inbox")
        names = sorted(n for n in os.listdir(folder) if not n.endswith(".part")) if os.path.isdir(folder) else []
        return [(int(name[:4]), re.split(r"[-.]", name)[1], subject(os.path.join(folder, name))) for name in names]

    def told(self, alert, component, critical, ended, after=0):
        """Whether every channel of an alert has a message of its beginning, or of its end, after another message."""
        word = "RESOLVED" if ended else "FIRING"
        found = set()
        for number, kind, text in self.messages():
            if number <= after:
                continue
            if kind == "mail" and re.match(rf"\[{word}.*\] {alert} {component} ", text):
                found.add(kind)
            elif kind == "slack" and re.match(rf"\[{word}[^\]]*\] {alert} ", text):
                found.add(kind)
            elif kind == "pagerduty" and text.startswith(f"{'resolve' if ended else 'trigger'} {alert}"):
                found.add(kind)
        return found >= ({"mail", "slack", "pagerduty"} if critical else {"mail", "slack"})

    @staticmethod
    def comes(seconds, holds):
        """Whether something holds within so many seconds."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def wait(self, what, seconds, holds):
        """Waits until something holds; says what was sent where it does not in time."""
        if not self.comes(seconds, holds):
            sent = "\n".join(" ".join(map(str, message)) for message in self.messages())
            self.fail(f"{what}: not after {seconds} s\nfiring: {self.alerts()}\nsent:\n{sent}")
