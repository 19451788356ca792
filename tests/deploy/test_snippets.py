"""Every query, configuration and command of the guides is tried: a reader may paste them as they stand."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from documents import GUIDES, PAGES, blocks
from parts import ROOT, free_port, library, program, run, watchbell
from stock import StockedPrometheus, page

# Keys of the top level by which a configuration is known.
SETTINGS = {"page_within", "severities", "labels", "annotations", "scrape_interval", "evaluation_interval"}
PROMETHEUS = {"scrape_configs", "remote_write"}
# Where the pages take Prometheus and Watchbell to be.
ADDRESSES = {"prometheus": "http://localhost:9090", "watchbell": "http://127.0.0.1:9093"}
# What does not run on this machine, or sends for real.
ELSEWHERE = ("kubectl", "deploy/", "apt-get", "cargo", "docker")


def queries(guide):
    """(place, expression) of each query: those of a block stand apart by an empty line, or each begins a line anew."""
    for block in blocks(guide):
        if block.language == "promql":
            for text in re.split(r"\n\s*\n", block.text):
                yield from ((block.place, expression) for expression in parts_of(text))


def parts_of(text):
    """A query with its comment; lines that close no parenthesis and begin with a function are queries of their own."""
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()
    return re.split(r"\n(?=(?:sort_desc|topk)\()", code)


def configurations(kind, pages=tuple(GUIDES)):
    """The YAML blocks of a kind, with what they hold."""
    yaml = library("yaml")
    for guide in pages:
        for block in blocks(guide):
            if block.language == "yaml":
                loaded = yaml.safe_load(block.text)
                if kind_of(loaded) == kind:
                    yield block, loaded


def kind_of(loaded):
    keys = set(loaded)
    if "groups" in keys:
        return "rules"
    if "tests" in keys:
        return "tests"
    if keys & PROMETHEUS:
        return "prometheus"
    return "settings" if keys <= SETTINGS else "watchbell"


def completed(fragment):
    """A configuration of Watchbell out of a part of one: a route to each receiver, and receivers for each route."""
    whole = {"datasource": {"url": ADDRESSES["prometheus"]}, **fragment}
    if "receivers" not in whole:
        named = sorted(receivers_of(whole["route"])) if "route" in whole else ["team"]
        whole["receivers"] = [{"name": name, "webhook_configs": [{"url": "http://127.0.0.1:9094/"}]} for name in named]
    names = [receiver["name"] for receiver in whole["receivers"]]
    others = [{"receiver": name, "matchers": [f'receiver="{name}"']} for name in names[1:]]
    whole.setdefault("route", {"receiver": names[0], "routes": others})
    return whole


def receivers_of(route):
    below = (receivers_of(child) for child in route.get("routes", []))
    return {route["receiver"]}.union(*below)


class Workspace(unittest.TestCase):
    """A folder like the repository, with the files that a guide has its reader write."""

    def setUp(self):
        self.binary = watchbell()
        folder = tempfile.TemporaryDirectory(prefix="deploy-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name in ("rules", "notifiers", "deploy"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(self.folder, name))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def write_named(self, guide):
        return [self.write(block.name(), block.text) for block in blocks(guide) if block.name()]

    def good(self, place, *command):
        code, text = run(*command, cwd=self.folder)
        self.assertEqual(code, 0, f"{place}: {text}")
        return text


class Queries(Workspace):
    def findings(self, expressions):
        """What `watchbell check` finds amiss with alerts on these expressions, beside stock servers' metrics."""
        alerts = [{"alert": f"E{i}", "expr": expression, "labels": {"place": place}}
                  for i, (place, expression) in enumerate(expressions)]
        rules = self.write("queries.yaml", json.dumps({"groups": [{"name": "queries", "rules": alerts}]}))
        return [f for f in self.checked(rules) if f["id"].startswith(("schema/", "promql/"))]

    def checked(self, rules):
        schema = self.write("schema.txt", page())
        _, text = run(self.binary, "check", "--schema", schema, "--format", "json", rules)
        return json.loads(text)

    def test_watchbell_finds_nothing_amiss(self):
        for guide in GUIDES:
            found = list(queries(guide))
            if guide.endswith("monitoring.md"):
                self.assertGreater(len(found), 20)
            self.assertEqual(self.findings(found), [], guide)
        wrong = self.findings([("here", 'sum(rate(mlflow_http_request_total{path="/"}[5m]))')])
        self.assertEqual([f["id"] for f in wrong], ["schema/label"])


    def test_of_rules_too(self):
        for block, _ in configurations("rules"):
            rules = self.write("rules.yaml", block.text)
            self.assertEqual(self.checked(rules), [], block.place)
            self.good(block.place, program("promtool"), "check", "rules", rules)


class Answers(StockedPrometheus):
    def test_every_query_is_answered_with_a_number(self):
        for guide in GUIDES:
            for place, expression in queries(guide):
                with self.subTest(place, expression=expression):
                    found = self.ask(expression)
                    self.assertTrue(found, "nothing to show")
                    self.assertNotIn("NaN", [series["value"][1] for series in found])


class Configurations(Workspace):
    def test_every_one_is_tried(self):
        tried = {kind: len(list(configurations(kind))) for kind in ("watchbell", "rules", "tests", "prometheus", "settings")}
        self.assertEqual(sum(tried.values()), sum(b.language == "yaml" for guide in GUIDES for b in blocks(guide)))
        self.assertGreaterEqual(min(tried.values()), 2, tried)
        languages = {block.language for guide in GUIDES for block in blocks(guide)}
        self.assertLessEqual(languages, {"promql", "yaml", "sh", "text", "handlebars"})

    def test_watchbell_takes_them_without_a_warning(self):
        yaml = library("yaml")
        for block, loaded in configurations("watchbell"):
            file = self.write("config.yaml", yaml.safe_dump(completed(loaded), sort_keys=False))
            self.assertIn("no findings", self.good(block.place, self.binary, "check", "config", file), block.place)

    def test_watchbell_takes_those_of_other_pages(self):
        yaml, tried = library("yaml"), 0
        for block, loaded in configurations("watchbell", [page for page in PAGES if page not in GUIDES]):
            if set(loaded) & {"datasource", "route", "rule_policies", "collectors"}:
                file = self.write("config.yaml", yaml.safe_dump(completed(loaded), sort_keys=False))
                self.good(block.place, self.binary, "check", "config", file)
                tried += 1
        self.assertGreaterEqual(tried, 5)

    def test_prometheus_takes_them(self):
        for block, _ in configurations("prometheus"):
            file = self.write("prometheus.yaml", block.text)
            self.good(block.place, program("promtool"), "check", "config", "--syntax-only", file)

    def test_settings_hold_for_what_is_shipped(self):
        for block, _ in configurations("settings"):
            settings = self.write("settings.yaml", block.text)
            self.good(block.place, self.binary, "check", "--config", "deploy/watchbell.yaml", "--settings", settings,
                      "--fail-on", "warning")

    def test_the_template_is_what_is_sent(self):
        for guide in (g for g in GUIDES if g.endswith("notifications.md")):
            (template,) = [block for block in blocks(guide) if block.language == "handlebars"]
            self.write_named(guide)
            sent = self.good(template.place, self.binary, "notify-test", "--config", "deploy/watchbell.yaml",
                             "--dry-run", "--time", "2026-05-04T15:00:00Z", "--integration", "slack[0]", "mlflow-team")
            self.assertIn('"footer": "mlflow-team · 1 alerts · 12:00 -03"', sent)


class CommandLines(Workspace, StockedPrometheus):
    """Every command that can run on this machine runs as printed, but for the ports."""

    def setUp(self):
        Workspace.setUp(self)
        StockedPrometheus.setUp(self)
        port = free_port()
        self.moved = {ADDRESSES["prometheus"]: self.address, ADDRESSES["watchbell"]: f"http://127.0.0.1:{port}"}
        config = self.write("local.yaml", json.dumps({**completed({}), "storage": {"path": "data"}}))
        with open(os.path.join(self.folder, "log.txt"), "wb") as log:
            daemon = subprocess.Popen([self.binary, "run", "--config", config, "--listen", f"127.0.0.1:{port}"],
                                      stdout=log, stderr=log)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        deadline = time.monotonic() + 30
        while not self.healthy(f"http://127.0.0.1:{port}/-/healthy"):
            self.assertLess(time.monotonic(), deadline, "watchbell does not answer")
            time.sleep(0.05)

    def healthy(self, address):
        try:
            return urllib.request.urlopen(address, timeout=5).status == 200
        except urllib.error.URLError:
            return False

    def test_they_work_as_printed(self):
        ran = 0
        for guide in GUIDES:
            self.write_named(guide)
            for block in blocks(guide):
                for line in block.text.splitlines() if block.language == "sh" else []:
                    if not line.startswith(ELSEWHERE):
                        with self.subTest(block.place, line=line):
                            self.run_line(block.place, line)
                        ran += 1
        self.assertGreater(ran, 20)

    def run_line(self, place, line):
        words = shlex.split(line)
        words[0] = self.binary if words[0] == "watchbell" else program(words[0])
        words = [self.move(word) for word in words]
        code, text = run(*words, cwd=self.folder)
        # `explain` says with 1 that it knows no such alert.
        self.assertIn(code, (0, 1) if words[1] == "explain" else (0,), f"{place}: {line}: {text}")
        self.assertNotIn("cannot", text, place)

    def move(self, word):
        for before, after in self.moved.items():
            word = word.replace(before, after)
        return word


if __name__ == "__main__":
    unittest.main()
