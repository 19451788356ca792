#!/usr/bin/env python3
"""Users of the local stack: predictions of both model servers and looks at MLflow, a few a second.

  traffic.py WAIT FASTAPI MLSERVER MLFLOW

It ends where nobody listens at the address of FASTAPI within WAIT seconds; later on, servers that are down are waited
for.
"""

import json
import random
import socket
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

PAUSE = 0.4
THREADS = 4


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def features():
    """Of one customer in fifty they are so large that the model fails on them."""
    return [random.gauss(0, 1) if random.random() > 0.02 else -1000.0 for _ in range(3)]


def is_wrong():
    """One request in fifty is, as in life."""
    return random.random() < 0.02


def ask_fastapi(base):
    post(base + "/predict", {"features": "?" if is_wrong() else features()})


def ask_mlserver(base):
    tensor = {"name": "features", "shape": [1, 3], "datatype": "FP64", "data": features()}
    post(base + f"/v2/models/{'shurn' if is_wrong() else 'churn'}/infer", {"inputs": [tensor]})


def ask_mlflow(base):
    post(base + "/api/2.0/mlflow/experiments/search", {"max_results": "?" if is_wrong() else 10})


def keep_asking(ask, base, pause):
    while True:
        try:
            ask(base)
        except (OSError, urllib.error.HTTPError):
            pass
        time.sleep(random.uniform(0.5, 1.5) * pause)


def main():
    wait, fastapi, mlserver, mlflow = sys.argv[1:]
    address = urllib.parse.urlsplit(fastapi)
    deadline = time.monotonic() + float(wait)
    while True:
        try:
            socket.create_connection((address.hostname, address.port), timeout=5).close()
            break
        except OSError as error:
            if time.monotonic() >= deadline:
                sys.exit(f"the model server {fastapi} cannot be reached: {error}")
            time.sleep(0.5)
    for ask, base, pause, threads in [
        (ask_fastapi, fastapi, PAUSE, THREADS), (ask_mlserver, mlserver, PAUSE, THREADS), (ask_mlflow, mlflow, 1, 1),
    ]:
        for _ in range(threads):
            threading.Thread(target=keep_asking, args=(ask, base, pause), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
