"""Half an hour of what stock servers export, in OpenMetrics' text: written by hand, with their names and labels.

MLflow 3.17 with prometheus-flask-exporter, MLServer with mlserver-mlflow, FastAPI with
prometheus-fastapi-instrumentator, node exporter, cAdvisor, kube-state-metrics; Watchbell's from docs/metrics.md.
"""

import re

from parts import read

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


def buckets(name, labels, rate):
    for bound, share in (("0.1", 0.5), ("0.5", 0.9), ("1.0", 0.97), ("+Inf", 1)):
        yield f"{name}_bucket", {**labels, "le": bound}, 0, rate * share
    yield f"{name}_count", labels, 0, rate
    yield f"{name}_sum", labels, 0, rate * 0.2


def page():
    """The same as the text of one /metrics page."""
    inside = lambda labels: ",".join(f'{label}="{value}"' for label, value in labels.items())
    return "\n".join(f"{name}{{{inside(labels)}}} {first}" for name, labels, first, _ in series()) + "\n"


def openmetrics(start, end):
    lines = []
    for name, labels, first, growth in sorted(series(), key=lambda s: s[0]):
        inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
        lines += [f"{name}{{{inside}}} {first + growth * (at - start)} {at}" for at in range(start, end + 1, STEP)]
    return "\n".join(lines) + "\n# EOF\n"
