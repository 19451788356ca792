#!/usr/bin/env python3
"""A metrics exporter whose series a test sets while it runs.

  GET    /metrics            the series, for Prometheus
  PUT    /series             replace all series by the Prometheus text in the body
  POST   /series             add the body's series, replacing those with the same name and labels
  DELETE /series[?name=N]    remove all series, or those of one metric

`/series` is served on the control port too. Faults and `/_control/listen` are those of peer.py: give the
path `/metrics` to make a scrape hang or fail, stop listening to have connections refused.
"""

import re
from urllib.parse import parse_qs, urlsplit

import peer

SAMPLE = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*",?)*\})?)\s+(\S+)(?:\s+(-?\d+))?'
)


def parse(text):
    """The series of a Prometheus text, by name and labels; comments are kept with their own text as key."""
    series = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        match = SAMPLE.fullmatch(line)
        if match:
            float(match[2])
            series[match[1]] = line
        elif line.startswith("#"):
            series[line] = line
        elif line:
            raise ValueError(f"line {number} is no sample: {line}")
    return series


class Handler(peer.Handler):
    series = {}

    def handle_request(self, path):
        # The test's own requests meet no fault and are not recorded.
        if path != "/series":
            return super().handle_request(path)
        body = self.read_body()
        with self.peer.lock:
            try:
                self.change(parse(body.decode()))
            except ValueError as error:
                return self.send(400, f"{error}\n", "text/plain")
        return self.send(204, b"")

    def change(self, given):
        name = parse_qs(urlsplit(self.path).query).get("name", [None])[0]
        if self.command == "PUT":
            Handler.series = given
        elif self.command == "POST":
            Handler.series.update(given)
        elif self.command == "DELETE":
            Handler.series = {k: v for k, v in Handler.series.items() if name and re.match(r"[\w:]*", k)[0] != name}
        else:
            raise ValueError("PUT, POST or DELETE")

    def answer(self, path, body, entry):
        if path != "/metrics":
            return super().answer(path, body, entry)
        return 200, "".join(line + "\n" for line in Handler.series.values()), "text/plain; version=0.0.4", {}


def main():
    parser = peer.arguments(__doc__)
    parser.add_argument("--series", help="a file with the first series")
    options = parser.parse_args()
    if options.series:
        with open(options.series, encoding="utf-8") as file:
            Handler.series = parse(file.read())
    Handler.peer = peer.Peer("exporter", log=options.log)
    listener = peer.Listener(options.port, Handler, peer.tls_context(options))
    Handler.peer.set_listening = listener.set_listening
    control = peer.Listener(options.control_port, Handler)
    peer.run(options, port=listener.port, control_port=control.port)


if __name__ == "__main__":
    main()
