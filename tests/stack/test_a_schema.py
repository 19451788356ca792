"""Rules and dashboards against what the real servers export.

What only Kubernetes has (kube-state-metrics, cAdvisor) is named by hand, in deploy/local-stack/pods.py.
"""

import json
import os
import re
import tempfile
import unittest

from stack import ROOT, Stack, get, run, script, watchbell
from stock import series
from documents import GUIDES
from test_dashboards import expressions
from test_snippets import queries

PAGES = {"mlflow-server": "mlflow", "fastapi": "fastapi", "mlserver": "mlserver-metrics", "node": "node-exporter",
         "watchbell": "watchbell", "pods": "pods"}


def shown():
    """The dashboards' expressions, but for what exists only once a query to Prometheus has failed."""
    return [(panel, expression) for panel, expression in expressions() if "watchbell_query_failures_total" not in expression]


class Schema(Stack):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Every status that a rule or panel names: requests that fail, and one run of each kind.
        script(cls.state, "break.sh", "run")
        script(cls.state, "break.sh", "mend", "run")
        cls.folder = tempfile.mkdtemp(prefix="schema-", dir=cls.state)
        stack = cls("wait")
        stack.wait("two runs in Prometheus", 60, lambda: {
            s["metric"]["status"]: s["value"][1] for s in stack.query("mlflow_runs_finished_total > 0")
        } == {"FAILED": "1", "FINISHED": "1"})
        with stack.without_database():
            failing = 'mlflow_http_request_total{status=~"5.."}'
            stack.wait("requests that MLflow fails on", 60, lambda: stack.query(failing))
        wanted = ['rest_server_requests_total{status_code=~"4.."}', 'rest_server_requests_total{status_code=~"5.."}',
                  'http_requests_total{status="4xx"}', 'http_requests_total{status="5xx"}',
                  'mlflow_http_request_total{status=~"4.."}', "model_infer_request_failure_total > 0"]
        for failing in wanted:
            # A rate needs two samples.
            twice = f"rate({failing.split(' ')[0]}[15s])"
            stack.wait(failing, 120, lambda: stack.query(failing) and stack.query(twice))
        cls.captured = os.path.join(cls.folder, "schema.json")
        code, text = run(watchbell(), "schema", "--prometheus", stack.at("prometheus"), "-o", cls.captured)
        assert code == 0, text

    def findings(self, *paths):
        """What `watchbell check` finds amiss with the metrics and labels that these files ask for."""
        code, text = run(watchbell(), "check", "--schema", self.captured, "--format", "json", *paths)
        self.assertIn(code, (0, 1), text)
        return [f for f in json.loads(text) if f["id"].startswith(("schema/", "promql/"))]

    def test_every_metric_and_label_of_the_rules_is_there(self):
        self.assertEqual(self.findings(os.path.join(ROOT, "rules")), [])

    def test_every_metric_and_label_of_the_dashboards_is_there(self):
        alerts = [{"alert": f"E{i}", "expr": expression, "labels": {"panel": panel}}
                  for i, (panel, expression) in enumerate(shown())]
        alerts.append({"alert": "Wrong", "expr": 'mlflow_http_request_total{path="/"} > 0'})
        path = os.path.join(self.folder, "dashboards.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"groups": [{"name": "dashboards", "rules": alerts}]}, file)
        found = self.findings(path)
        self.assertEqual([f["id"] for f in found], ["promql/counter-raw", "schema/label"], found)

    def test_every_metric_and_label_of_the_guides_is_there(self):
        # The CPU time of a container is known to a kubelet alone.
        asked = [(place, expression) for guide in GUIDES for place, expression in queries(guide)
                 if "container_cpu_usage_seconds_total" not in expression]
        self.assertGreater(len(asked), 50)
        alerts = [{"alert": f"E{i}", "expr": expression, "labels": {"place": place}}
                  for i, (place, expression) in enumerate(asked)]
        alerts.append({"alert": "Wrong", "expr": 'sum(rate(mlflow_http_request_total{path="/"}[5m]))'})
        path = os.path.join(self.folder, "guides.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"groups": [{"name": "guides", "rules": alerts}]}, file)
        found = self.findings(path)
        self.assertEqual([f["id"] for f in found], ["schema/label"], found)

    def test_every_panel_about_these_servers_shows_a_number(self):
        for panel, expression in shown():
            with self.subTest(panel, expression=expression):
                self.assertTrue(self.query(expression.replace("1m", "15s")), "nothing to show")

    def test_what_the_other_tests_take_for_stock_servers_is_what_these_export(self):
        text = "\n".join(get(f"{self.at(part)}/metrics") for part in PAGES.values())
        exported = {}
        for name, labels in re.findall(r"(?m)^([a-z_A-Z]\w*)(?:\{(.*)\})? \S+", text):
            exported.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
        # Of histograms without a request there is nothing.
        quiet = ("watchbell_notification", "watchbell_query_failures", "watchbell_collector_failures")
        for name, labels, _, _ in series():
            if name == "up" or name.startswith(quiet):
                continue
            self.assertIn(name, exported)
            self.assertLessEqual(set(labels) - {"job", "instance"}, exported[name], name)


if __name__ == "__main__":
    unittest.main()
