"""Half an hour of what stock servers export, in OpenMetrics' text: written by hand, with their names and labels, to
which tests/stack holds them.

MLflow 3.17 with prometheus-flask-exporter, MLServer with mlserver-mlflow, FastAPI with
prometheus-fastapi-instrumentator, node exporter, cAdvisor, kube-state-metrics; Watchbell's from docs/metrics.md.
"""

import json
import os
import re
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

from parts import free_port, program, read, run

STEP = 15
# How many of 100 requests get which status.
STATUS = {"200": 85, "404": 10, "500": 5}


def series():
    """(name, labels, value at the start, growth a second)."""
    yield "up", {"job": "mlflow-server", "instance": "mlflow-0:5000"}, 1, 0
    yield "up", {"job": "model-server", "instance": "mlserver:8082"}, 1, 0
    yield "up", {"job": "model-server", "instance": "fastapi:8000"}, 0, 0
    yield "up", {"job": "watchbell", "instance": "watchbell:9093"}, 1, 0
    mlflow = {"job": "mlflow-server", "instance": "mlflow-0:5000", "method": "GET"}
    mlserver = {"job": "model-server", "instance": "mlserver:8082"}
    fastapi = {"job": "model-server", "instance": "fastapi:8000", "method": "POST"}
    infer = {"path": "/v2/models/churn/infer", "method": "POST"}
    for status, share in STATUS.items():
        yield "mlflow_http_request_total", {**mlflow, "status": status}, 0, share / 10
        yield from buckets("mlflow_http_request_duration_seconds", {**mlflow, "status": status, "mlflow_version": "3.17.0"}, share / 10)
        yield "rest_server_requests_total", {**mlserver, **infer, "status_code": status}, 0, share / 50
        yield "http_requests_total", {**fastapi, "handler": "/predict", "status": status[0] + "xx"}, 0, share / 50
    yield "http_requests_total", {**fastapi, "method": "GET", "handler": "/metrics", "status": "2xx"}, 0, 7
    yield from buckets("rest_server_request_duration_seconds", {**mlserver, **infer}, 2)
    yield from buckets("http_request_duration_seconds", {**fastapi, "handler": "/predict"}, 2)
    for outcome in ("success", "failure"):
        yield f"model_infer_request_{outcome}_total", {**mlserver, "model": "churn", "version": "1"}, 0, 1
    for status in ("FINISHED", "FAILED"):
        yield "mlflow_runs_finished_total", {"status": status, "experiment": "churn"}, 0, 0.01
    yield "mlflow_last_failed_run_timestamp_seconds", {"experiment": "churn"}, 1764147600, 0
    for cpu in "01":
        yield "node_cpu_seconds_total", {"instance": "node-1", "cpu": cpu, "mode": "idle"}, 0, 0.75
    yield "node_memory_MemAvailable_bytes", {"instance": "node-1"}, 4e9, 0
    yield "node_memory_MemTotal_bytes", {"instance": "node-1"}, 8e9, 0
    disk = {"instance": "node-1", "device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/"}
    yield "node_filesystem_avail_bytes", disk, 4e10, -1e6
    yield "node_filesystem_size_bytes", disk, 1e11, 0
    pod = {"namespace": "mlflow-prod", "pod": "churn-0", "container": "model"}
    yield "container_memory_working_set_bytes", pod, 5e8, 0
    yield "kube_pod_container_resource_limits", {**pod, "resource": "memory"}, 1e9, 0
    yield "kube_pod_container_status_restarts_total", pod, 0, 0.01
    for name, kind, labels in re.findall(r"^\| `(watchbell_\w+)` \| (\w+) \| (.*?) \|", read("docs", "metrics.md"), re.M):
        known = {label: "firing" if label == "state" else "x" for label in re.findall(r"`(\w+)`", labels)}
        if kind == "histogram":
            yield from buckets(name, known, 1)
        else:
            yield name, known, 1, 1 if kind == "counter" else 0


def others():
    """What the servers of the local stack do not export: a kubelet's, Prometheus' own, and what it notes of each scrape."""
    yield "container_cpu_usage_seconds_total", {"namespace": "mlflow-prod", "pod": "churn-0", "container": "model"}, 0, 0.3
    server = {"job": "prometheus", "instance": "localhost:9090"}
    yield "prometheus_tsdb_head_series", server, 20000, 0
    yield "prometheus_tsdb_head_samples_appended_total", {**server, "type": "float"}, 0, 1500
    yield "prometheus_tsdb_storage_blocks_bytes", server, 3e9, 0
    yield "process_resident_memory_bytes", server, 4e8, 0
    for job in ("prometheus", "mlflow-server", "model-server"):
        target = {"job": job, "instance": f"{job}:1"}
        yield "scrape_duration_seconds", target, 0.1, 0
        yield "scrape_samples_scraped", target, 500, 0
        yield "scrape_samples_post_metric_relabeling", target, 500, 0


def everything():
    yield from series()
    yield from others()


def buckets(name, labels, rate):
    for bound, share in (("0.1", 0.5), ("0.5", 0.9), ("1.0", 0.97), ("+Inf", 1)):
        yield f"{name}_bucket", {**labels, "le": bound}, 0, rate * share
    yield f"{name}_count", labels, 0, rate
    yield f"{name}_sum", labels, 0, rate * 0.2


def page():
    """The same as the text of one /metrics page."""
    inside = lambda labels: ",".join(f'{label}="{value}"' for label, value in labels.items())
    return "\n".join(f"{name}{{{inside(labels)}}} {first}" for name, labels, first, _ in everything()) + "\n"


def openmetrics(start, end):
    lines = []
    for name, labels, first, growth in sorted(everything(), key=lambda s: s[0]):
        inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
        lines += [f"{name}{{{inside}}} {first + growth * (at - start)} {at}" for at in range(start, end + 1, STEP)]
    return "\n".join(lines) + "\n# EOF\n"


class StockedPrometheus(unittest.TestCase):
    """A Prometheus that holds half an hour of all this, which ends an hour ago."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deploy-")
        self.addCleanup(folder.cleanup)
        self.end = int(time.time()) // 60 * 60 - 3600
        metrics, data = os.path.join(folder.name, "metrics"), os.path.join(folder.name, "data")
        server = program("prometheus")
        with open(metrics, "w", encoding="utf-8") as file:
            file.write(openmetrics(self.end - 1800, self.end))
        code, text = run(program("promtool"), "tsdb", "create-blocks-from", "openmetrics", metrics, data)
        self.assertEqual(code, 0, text)
        config = os.path.join(folder.name, "prometheus.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("global: {}\n")
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        child = subprocess.Popen(
            [server, f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)
        deadline = time.monotonic() + 30
        while not self.ready():
            self.assertLess(time.monotonic(), deadline, "prometheus is not ready")
            time.sleep(0.05)

    def ready(self):
        try:
            return urllib.request.urlopen(f"{self.address}/-/ready", timeout=5).status == 200
        except urllib.error.URLError:
            return False

    def ask(self, expression):
        query = urllib.parse.urlencode({"query": expression, "time": self.end})
        answer = json.load(urllib.request.urlopen(f"{self.address}/api/v1/query?{query}", timeout=10))
        return answer["data"]["result"]
