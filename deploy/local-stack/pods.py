#!/usr/bin/env python3
"""Stands in for Kubernetes in the local stack: keeps its servers running and says what Kubernetes' exporters would.

The servers are real, each a process of its own. What has ended by itself is started again after a pause that doubles,
as a kubelet does it.

  GET  /metrics             restarts and limits by the names of kube-state-metrics, memory by cAdvisor's
  GET  /pods                what runs, as JSON
  POST /pods/NAME/stop      end it and leave it so
  POST /pods/NAME/start     run it as it should be; one that runs so already goes on
  POST /pods/NAME/spoil     run it with a setting that makes it end by itself, again and again
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAMESPACE = "mlflow-prod"
MIB = 1024 * 1024
# Seconds between two restarts: the first pause, the longest, and how long it must run to begin anew.
FIRST_PAUSE, LONGEST_PAUSE, SOUND = 10, 300, 600


class Pod:
    """A server that is wanted or not, and its process while it has one."""

    def __init__(self, name, container, limit, command, spoilt=None, environment=None):
        self.name, self.container, self.limit = name, container, limit
        self.command, self.spoilt = command, spoilt
        self.environment = {**os.environ, **(environment or {})}
        self.wanted, self.restarts, self.process = command, 0, None
        self.started = self.next_start = 0.0
        self.pause = None

    def tend(self, now, log, hurry):
        """Starts what should run and does not."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            end_group(self.process)
            self.process = None
            if self.wanted:
                self.restarts += 1
                fresh = self.pause is None or now - self.started > SOUND / hurry
                self.pause = FIRST_PAUSE / hurry if fresh else min(2 * self.pause, LONGEST_PAUSE / hurry)
                self.next_start = now + self.pause
        if self.wanted and now >= self.next_start:
            with open(log, "ab") as output:
                self.process = subprocess.Popen(
                    self.wanted, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    env=self.environment, start_new_session=True)
            self.started = now

    def want(self, command):
        """Runs it by this command from now on, or not at all."""
        if command == self.wanted:
            return
        self.wanted, self.next_start, self.pause = command, 0.0, None
        if self.process is not None:
            end_group(self.process)
            self.process = None

    def memory(self):
        """Bytes of memory that its processes have for themselves."""
        return sum(resident(pid) for pid in members(self.process.pid)) if self.process else 0

    def running(self):
        return self.process is not None and self.process.poll() is None


def members(group):
    """The processes of a process group."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getpgid(int(entry)) == group:
                    yield int(entry)
            except ProcessLookupError:
                pass


def resident(pid):
    """Pages of its own, without files that others may share."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def end_group(process):
    """Ends a process with all that it has started."""
    for number, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and (process.poll() is None or any(members(process.pid))):
            time.sleep(0.05)
    process.wait()


def pods(options, ports):
    """The pods of the stack."""
    here, state, python = os.path.dirname(os.path.abspath(__file__)), options.state, sys.executable
    tool = lambda name: os.path.join(os.path.dirname(python), name)
    at = lambda part: f"http://127.0.0.1:{ports[part]}"
    mlflow = [tool("mlflow"), "server", "--host", "127.0.0.1", "--port", ports["mlflow"], "--workers", "1",
              "--backend-store-uri", f"sqlite:///{state}/mlflow/mlflow.db",
              "--artifacts-destination", f"{state}/mlflow/artifacts", "--expose-prometheus", f"{state}/mlflow/metrics"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    model = {"STACK_STATE": state, "PYTHONPATH": here}
    mlserver = {"MLSERVER_HOST": "127.0.0.1", "MLSERVER_HTTP_PORT": ports["mlserver"],
                "MLSERVER_GRPC_PORT": ports["mlserver-grpc"], "MLSERVER_METRICS_PORT": ports["mlserver-metrics"],
                "MLSERVER_METRICS_DIR": f"{state}/mlserver-metrics", "MLSERVER_PARALLEL_WORKERS": "0"}
    traffic = lambda wait, server: [python, os.path.join(here, "traffic.py"), wait, server, at("mlserver"), at("mlflow")]
    return {pod.name: pod for pod in [
        Pod("mlflow-0", "mlflow", 2048 * MIB, mlflow, environment=quiet),
        Pod("churn-fastapi-0", "model", 512 * MIB,
            [tool("uvicorn"), "fastapi_model:app", "--host", "127.0.0.1", "--port", ports["fastapi"],
             "--log-level", "warning"], environment=model),
        Pod("churn-mlserver-0", "model", 1024 * MIB, [tool("mlserver"), "start", os.path.join(here, "mlserver_model")],
            environment={**model, **mlserver}),
        # Port 9 is for discarding: nobody listens there.
        Pod("churn-client-0", "client", 256 * MIB, traffic("120", at("fastapi")),
            spoilt=traffic("1", "http://127.0.0.1:9")),
    ]}


class Handler(BaseHTTPRequestHandler):
    pods, lock = {}, threading.Lock()

    def log_message(self, *args):
        pass

    def answer(self, status, text, kind="application/json"):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/metrics":
            return self.answer(200, page(self.pods.values()), "text/plain; version=0.0.4")
        if self.path == "/pods":
            shown = {pod.name: {"running": pod.running(), "restarts": pod.restarts} for pod in self.pods.values()}
            return self.answer(200, json.dumps(shown) + "\n")
        return self.answer(404, "{}")

    def do_POST(self):
        parts = self.path.split("/")
        pod = self.pods.get(parts[2]) if len(parts) == 4 and parts[1] == "pods" else None
        commands = {"stop": None, "start": pod.command, "spoil": pod.spoilt} if pod else {}
        if parts[-1] not in commands or (parts[-1] == "spoil" and not pod.spoilt):
            return self.answer(404, "{}")
        with self.lock:
            pod.want(commands[parts[-1]])
        return self.answer(200, "{}\n")


def page(pods):
    lines = []
    for name, kind, labels, value in [
        ("kube_pod_container_status_restarts_total", "counter", "", lambda pod: pod.restarts),
        ("kube_pod_container_resource_limits", "gauge", ',resource="memory",unit="byte",node="local"',
         lambda pod: pod.limit),
        ("container_memory_working_set_bytes", "gauge", "", lambda pod: pod.memory()),
    ]:
        lines.append(f"# TYPE {name} {kind}")
        for pod in pods:
            of = f'namespace="{NAMESPACE}",pod="{pod.name}",container="{pod.container}"'
            lines.append(f"{name}{{{of}{labels}}} {value(pod)}")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", required=True, help="the stack's folder, with its file `ports`")
    parser.add_argument("--hurry", type=float, default=1, help="divide the pauses between restarts by this")
    options = parser.parse_args()
    with open(os.path.join(options.state, "ports"), encoding="ascii") as file:
        ports = dict(line.strip().split("=") for line in file)
    for folder in ("mlflow", "mlserver-metrics"):
        os.makedirs(os.path.join(options.state, folder), exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Handler.pods = pods(options, ports)
    server = ThreadingHTTPServer(("127.0.0.1", int(ports["pods"])), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    while not stop.wait(0.1):
        with Handler.lock:
            for pod in Handler.pods.values():
                pod.tend(time.monotonic(), os.path.join(options.state, "logs", f"{pod.name}.txt"), options.hurry)
    with Handler.lock:
        for pod in Handler.pods.values():
            pod.want(None)


if __name__ == "__main__":
    main()
