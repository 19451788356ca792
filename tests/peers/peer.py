"""What the test peers share: the ready line, faults on demand, a record of what came in, control over HTTP.

A peer serves on `--port` (0 picks a free one), prints one JSON line when it is ready, and stops
on SIGTERM or, with `--until-eof`, when its standard input ends. So no peer outlives its test.

Control API, on the peer's own port where that speaks HTTP and always on the control port:
  GET    /_control/received[?path=GLOB][&secrets=1]   every request so far
  DELETE /_control/received                           forget them
  POST   /_control/faults {path, action, …}           add a fault, see `Fault`
  GET    /_control/faults, DELETE /_control/faults    list them, end them all
  POST   /_control/listen {"listening": false}        end and refuse connections; true accepts again
  GET    /_control/state                              what the service made of the requests
"""

import argparse
import fnmatch
import json
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# The largest body that is read; a larger one is answered with 413.
MAX_BODY = 16 * 1024 * 1024


class Fault:
    """One way to misbehave, for the next `count` requests (all of them without a count).

    Actions: `status` (answer `status`, with `retry_after` and `body`), `hang` (read, wait
    `seconds`, close), `delay` (wait `seconds`, then go on as usual), `drop_before` (reset before
    the body is read), `drop_after` (close after reading, nothing is processed), `process_drop`
    (process, then close without an answer: the outcome is unknown to the sender). SMTP has more.
    """

    FIELDS = {"path", "action", "status", "retry_after", "body", "seconds", "count", "stage", "to", "text"}

    def __init__(self, spec, actions):
        unknown = set(spec) - self.FIELDS
        if unknown or spec.get("action") not in actions:
            raise ValueError(f"a fault has fields {sorted(self.FIELDS)} and an action of {sorted(actions)}")
        self.spec = spec
        self.left = spec.get("count")

    def get(self, key, default=None):
        return self.spec.get(key, default)

    def matches(self, path):
        return self.left != 0 and fnmatch.fnmatchcase(path, self.get("path", "*"))

    def as_json(self):
        return {**self.spec, "left": self.left}


HTTP_ACTIONS = {"status", "hang", "delay", "drop_before", "drop_after", "process_drop"}


class Peer:
    """State shared by the threads of one peer: what came in, and which faults are on."""

    def __init__(self, name, actions=HTTP_ACTIONS, log=None):
        self.name, self.actions, self.lock = name, set(actions), threading.RLock()
        self.received, self.faults, self.sequence = [], [], 0
        self.wake = threading.Event()
        self.log = open(log, "a", encoding="utf-8", buffering=1) if log else None
        self.set_listening = None

    def record(self, entry):
        """Keeps a request. The log file and the plain list never show `Authorization`."""
        with self.lock:
            self.sequence += 1
            entry = {"seq": self.sequence, "time": time.time(), **entry}
            self.received.append(entry)
            if self.log:
                self.log.write(json.dumps(redacted(entry)) + "\n")
        return entry

    def take_fault(self, matches):
        """The first fault for which `matches` holds; counts it down."""
        with self.lock:
            for fault in self.faults:
                if fault.left != 0 and matches(fault):
                    fault.left = fault.left and fault.left - 1
                    return fault
        return None

    def wait(self, seconds):
        """Waits, but no longer than until the faults are reset."""
        with self.lock:
            wake = self.wake
        wake.wait(seconds)

    def state(self):
        return {}

    def configure(self, what, spec):
        raise ValueError(f"nothing to configure under {what}")

    def control(self, method, path, query, body):
        """Answers a control request as (status, JSON value)."""
        what = path.removeprefix("/_control/")
        if (method, what) == ("GET", "received"):
            glob = query.get("path", ["*"])[0]
            with self.lock:
                found = [r for r in self.received if fnmatch.fnmatchcase(r.get("path", ""), glob)]
                return 200, found if "secrets" in query else [redacted(r) for r in found]
        if (method, what) == ("DELETE", "received"):
            with self.lock:
                self.received.clear()
            return 200, {}
        if what == "faults" and method in ("GET", "POST", "DELETE"):
            with self.lock:
                if method == "POST":
                    self.faults.append(Fault(json.loads(body), self.actions))
                elif method == "DELETE":
                    self.faults.clear()
                    self.wake.set()
                    self.wake = threading.Event()
                return 200, [fault.as_json() for fault in self.faults]
        if (method, what) == ("GET", "state"):
            with self.lock:
                return 200, self.state()
        if (method, what) == ("POST", "listen"):
            self.set_listening(bool(json.loads(body)["listening"]))
            return 200, {}
        if method == "POST":
            with self.lock:
                return 200, self.configure(what, json.loads(body)) or {}
        return 404, {"error": f"no control {method} {path}"}


def redacted(entry):
    headers = entry.get("headers")
    if not headers:
        return entry
    hide = ("authorization", "proxy-authorization", "cookie")
    shown = {k: v.split(" ")[0] + " [redacted]" if k.lower() in hide else v for k, v in headers.items()}
    return {**entry, "headers": shown}


class Handler(BaseHTTPRequestHandler):
    """Control requests, faults and the record; a peer's subclass adds `answer`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    peer = None

    def log_message(self, *args):
        pass

    def version_string(self):
        return "test-peer"

    def parts(self):
        url = urlsplit(self.path)
        return url.path, parse_qs(url.query, keep_blank_values=True)

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
                if len(body) > MAX_BODY:
                    raise ValueError("body too large")
            while self.rfile.readline().strip():
                pass
            return body
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            raise ValueError("body too large")
        return self.rfile.read(length)

    def send(self, status, body, content_type="application/json", headers=None):
        data = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for key, value in (headers or {}).items():
            self.send_header(key, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def drop(self, reset=False):
        """Ends the connection without an answer, with a reset or an ordinary close."""
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        try:
            if not reset:
                self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
        except OSError:
            pass

    def handle_one(self):
        path, query = self.parts()
        try:
            if path.startswith("/_control/"):
                return self.handle_control(path, query)
            return self.handle_request(path)
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def handle_control(self, path, query):
        body = self.read_body()
        try:
            status, value = self.peer.control(self.command, path, query, body)
        except (ValueError, KeyError, TypeError) as error:
            status, value = 400, {"error": str(error)}
        self.send(status, json.dumps(value))

    def handle_request(self, path):
        fault = self.peer.take_fault(lambda f: f.matches(path))
        action = fault.get("action") if fault else None
        entry = {"method": self.command, "path": path, "query": urlsplit(self.path).query,
                 "headers": dict(self.headers.items()), "fault": action, "accepted": False}
        if action == "drop_before":
            self.peer.record(entry)
            return self.drop(reset=True)
        try:
            body = self.read_body()
        except ValueError:
            self.close_connection = True
            return self.send(413, "too large", "text/plain")
        entry["body"] = body.decode("utf-8", "replace")
        try:
            entry["json"] = json.loads(body)
        except ValueError:
            entry["json"] = None
        if action in ("hang", "drop_after", "status"):
            self.peer.record(entry)
            if action == "hang":
                self.peer.wait(fault.get("seconds", 3600))
            if action != "status":
                return self.drop()
            headers = {"Retry-After": fault.get("retry_after")} if fault.get("retry_after") is not None else {}
            text = fault.get("body") or self.fault_body(path, fault.get("status", 500))
            return self.send(fault.get("status", 500), text, "text/plain", headers)
        if action == "delay":
            self.peer.wait(fault.get("seconds", 1))
        with self.peer.lock:
            status, text, content_type, headers = self.answer(path, body, entry)
            entry["status"], entry["answer"] = status, text
            entry["accepted"] = entry.pop("ok", 200 <= status < 300)
            self.peer.record(entry)
        if action == "process_drop":
            return self.drop()
        return self.send(status, text, content_type, headers)

    def fault_body(self, _path, status):
        return f"fault {status}"

    def answer(self, path, _body, _entry):
        """The service itself: (status, text, content type, headers)."""
        return 404, f"nothing at {path}", "text/plain", {}

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_one


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128
    tls = None

    def __init__(self, *args):
        self.open, self.open_lock = set(), threading.Lock()
        super().__init__(*args)

    def finish_request(self, request, client_address):
        if self.tls:
            request.settimeout(10)
            request = self.tls.wrap_socket(request, server_side=True)
            request.settimeout(None)
        with self.open_lock:
            self.open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self.open_lock:
                self.open.discard(request)

    def end_connections(self):
        """Ends what is still open, kept-alive connections too, as the end of the process would."""
        with self.open_lock:
            for request in self.open:
                try:
                    request.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, OSError, ValueError)):
            super().handle_error(request, client_address)


class Listener:
    """An HTTP server that can stop listening and come back on the same port."""

    def __init__(self, port, handler, tls=None):
        self.handler, self.tls, self.server = handler, tls, None
        self.port = port
        self.set_listening(True)

    def set_listening(self, listening):
        if listening and self.server is None:
            self.server = Server(("127.0.0.1", self.port), self.handler)
            self.server.tls = self.tls
            self.port = self.server.server_address[1]
            threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        elif not listening and self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server.end_connections()
            self.server = None


def arguments(description):
    """The options that every peer has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="port to serve on; 0 picks a free one")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--log", help="append what comes in to this JSONL file")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    parser.add_argument("--tls-cert", help="serve TLS with this certificate")
    parser.add_argument("--tls-key")
    parser.add_argument("--tls-client-ca", help="demand a client certificate signed by this CA")
    return parser


def tls_context(options):
    if not options.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    if options.tls_client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.tls_client_ca)
    return context


def run(options, **ready):
    """Says that the peer is ready and stays until it is told to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if options.until_eof:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), stop.set()), daemon=True).start()
    print(json.dumps({"ready": True, **ready}), flush=True)
    stop.wait()
    os._exit(0)
