#!/usr/bin/env python3
"""Stands in for kubectl: notes every call in FAKE_KUBECTL/calls, one JSON line each, and answers by FAKE_KUBECTL/plan.

The plan is a list of [regular expression, exit code, text]: the first that is found in the call gives the answer. A
call that no line is about succeeds without a word, but for a port-forward, which listens until it is ended.
"""

import json
import os
import re
import socket
import sys
import time

folder = os.environ["FAKE_KUBECTL"]
words = sys.argv[1:]
given = sys.stdin.read() if "-" in words else ""
with open(os.path.join(folder, "calls"), "a", encoding="utf-8") as calls:
    calls.write(json.dumps({"words": words, "given": given, "pid": os.getpid()}) + "\n")
with open(os.path.join(folder, "plan"), encoding="utf-8") as plan:
    for pattern, code, text in json.load(plan):
        if re.search(pattern, " ".join(words)):
            print(text, file=sys.stderr if code else sys.stdout)
            sys.exit(code)
if "port-forward" in words:
    listener = socket.create_server(("127.0.0.1", int(words[-1].split(":")[0])))
    while True:
        time.sleep(60)
