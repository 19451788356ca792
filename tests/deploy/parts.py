"""What the tests of deploy/ share: the parts that they need, and the manifests put together."""

import functools
import glob
import json
import os
import shutil
import socket
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEPLOY = os.path.join(ROOT, "deploy")
DASHBOARDS = sorted(glob.glob(os.path.join(DEPLOY, "grafana", "dashboards", "*.json")))


def program(name):
    """Where a program is; the test that needs it is skipped where it is not installed."""
    why = os.environ.get("WATCHBELL_SKIP_" + name.upper())
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if why or not found:
        raise unittest.SkipTest(why or f"{name}: it is not installed")
    return found


def library(name):
    try:
        return __import__(name)
    except ImportError:
        raise unittest.SkipTest(f"{name}: it is not installed") from None


def run(*command, given=None, seconds=120, **options):
    """Runs to the end: (exit code, what it printed)."""
    done = subprocess.run(
        command, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, **options
    )
    return done.returncode, done.stdout


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@functools.cache
def rendered_text():
    """What `kubectl kustomize deploy` prints."""
    try:
        command = [program("kubectl"), "kustomize"]
    except unittest.SkipTest:
        command = [program("kustomize"), "build"]
    code, text = run(*command, DEPLOY)
    if code:
        raise AssertionError(text)
    return text


@functools.cache
def rendered():
    """All manifests of `kubectl kustomize deploy`, by (kind, name)."""
    yaml = library("yaml")
    documents = list(yaml.safe_load_all(rendered_text()))
    found = {(d["kind"], d["metadata"]["name"], d["metadata"].get("namespace")): d for d in documents}
    assert len(found) == len(documents), "two manifests have one name"
    return found


def manifest(kind, name, namespace="mlflow-prod"):
    return rendered()[kind, name, namespace]


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def dashboards():
    return {os.path.basename(path): json.loads(read(path)) for path in DASHBOARDS}


def watchbell():
    """The program as the Rust tests have built it."""
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    path = os.environ.get("WATCHBELL_BINARY", os.path.join(ROOT, target, "debug", "watchbell"))
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest(f"watchbell: there is no {path}")
    return path
