"""What the tests of the peers share: starting one, faults, requests and waiting."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


def installed(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def http(method, url, value=None, headers=None, timeout=5):
    """(status, headers, body as JSON where it is JSON) of a request; connection errors are raised."""
    data = value.encode() if isinstance(value, str) else None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read().decode()
        try:
            return answer.status, answer.headers, json.loads(body)
        except ValueError:
            return answer.status, answer.headers, body


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("not in time")


class PeerTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="peers-")
        os.chmod(self.dir, 0o755)  # Postfix walks through it as its own user.
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def start(self, script, *options):
        command = [os.path.join(HERE, script), *options, "--until-eof"]
        if script.endswith(".py"):
            command.insert(0, sys.executable)
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.stop, child)
        ready = json.loads(child.stdout.readline() or "{}")
        self.assertTrue(ready.get("ready"), f"{script} did not start")
        if "control_port" in ready:
            self.control = f"http://127.0.0.1:{ready['control_port']}/_control"
        return ready, child

    def stop(self, child):
        if child.stdin:
            child.stdin.close()
        child.wait(20)
        child.stdout.close()

    def fault(self, **spec):
        status, _, answer = http("POST", f"{self.control}/faults", spec)
        self.assertEqual(status, 200, answer)

    def certs(self):
        subprocess.run([os.path.join(HERE, "certs.sh"), f"{self.dir}/certs"], check=True, stderr=subprocess.DEVNULL)
        return f"{self.dir}/certs"
