#!/usr/bin/env python3
"""Takes what Watchbell sends in the local stack, and keeps it in files: mail, Slack, PagerDuty and webhooks.

  inbox.py --folder DIR --mail PORT --web PORT
  inbox.py --folder DIR                            one line for each message that is there

Each message is a file of its own, numbered in the order of their coming: 0001-mail.eml, 0002-slack.json,
0003-pagerduty.json, 0004-webhook.json. It is no check of what is sent: real services are stricter.
"""

import argparse
import email
import email.policy
import itertools
import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer



class Inbox:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        taken = [int(name[:4]) for name in os.listdir(folder) if name[:4].isdigit()]
        self.folder, self.numbers, self.lock = folder, itertools.count(max(taken, default=0) + 1), threading.Lock()

    def keep(self, name, data):
        """Writes a message; whoever looks sees whole files only."""
        with self.lock:
            path = os.path.join(self.folder, f"{next(self.numbers):04}-{name}")
            with open(path + ".part", "wb") as file:
                file.write(data)
            os.rename(path + ".part", path)

    async def handle_DATA(self, _server, _session, envelope):
        self.keep("mail.eml", envelope.content)
        return "250 OK"


class Handler(BaseHTTPRequestHandler):
    inbox = None

    def log_message(self, *args):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, text, name = 200, "ok", "webhook.json"
        if self.path.startswith("/slack"):
            name = "slack.json"
        elif self.path == "/v2/enqueue":
            status, name = 202, "pagerduty.json"
            key = json.loads(body).get("dedup_key", "")
            text = json.dumps({"status": "success", "message": "Event processed", "dedup_key": key})
        self.inbox.keep(name, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


def subject(path):
    """What a message is about, in one line."""
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".eml"):
        return " ".join(str(email.message_from_bytes(data, policy=email.policy.default)["Subject"]).split())
    body = json.loads(data)
    if path.endswith("-slack.json"):
        return "; ".join(part.get("fallback", "") for part in body.get("attachments", [])) or body.get("text", "")
    if path.endswith("-pagerduty.json"):
        return f"{body['event_action']} {body.get('payload', {}).get('summary', body.get('dedup_key'))}"
    return f"{body.get('status', '')} {body.get('groupLabels', '')}"


def show(folder):
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        if not name.endswith(".part"):
            print(f"{name}: {subject(os.path.join(folder, name))}")
    if not names:
        print("nothing has been sent yet")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--mail", type=int)
    parser.add_argument("--web", type=int)
    options = parser.parse_args()
    if not options.mail or not options.web:
        return show(options.folder)
    serve(options)


def serve(options):
    from aiosmtpd.controller import Controller

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Handler.inbox = Inbox(options.folder)
    Controller(Handler.inbox, hostname="127.0.0.1", port=options.mail).start()
    threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", options.web), Handler).serve_forever, daemon=True).start()
    stop.wait()
    os._exit(0)


if __name__ == "__main__":
    main()
