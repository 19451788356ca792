"""The dashboards: Grafana's own types fit, and every panel shows something of what stock servers export."""

import json
import os
import re
import tempfile
import unittest

from parts import ROOT, dashboards, library, program, read, run, watchbell
from stock import StockedPrometheus, page

PANELS = {
    "mlflow.json": ["MLflow server status", "Model server status", "MLflow request latency p95 and p99",
                    "Model server request rate", "MLflow error rate 4xx and 5xx", "Model server error rate"],
    "watchbell.json": ["Rules evaluated", "Attempts to deliver", "Failed attempts", "Queue"],
}

# Grafana's types as JSON has them: the text of an enum instead of the enum.
TYPES = """
import type { Dashboard, Panel, GraphFieldConfig } from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as PieOptions } from '@grafana/schema/dist/esm/raw/composable/piechart/panelcfg/x/PieChartPanelCfg_types.gen';
import type { Options as LineOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends (infer E)[] ? Plain<E>[] : { [K in keyof T]: Plain<T[K]> };
type Query = { refId: string; datasource: { type: 'prometheus'; uid: string }; expr: string; legendFormat: string; instant?: true; range?: false };
"""
OPTIONS = {"stat": "StatOptions", "piechart": "PieOptions", "timeseries": "LineOptions"}


def typed(dashboard):
    """The dashboard as a program that TypeScript accepts only where it is one of Grafana's."""
    lines = [TYPES]
    declare = lambda kind, value: lines.append(f"export const c{len(lines)}: {kind} = {json.dumps(value)};")
    declare("Plain<Omit<Dashboard, 'panels'>>", {k: v for k, v in dashboard.items() if k != "panels"})
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        declare("Plain<Omit<Panel, 'options' | 'fieldConfig' | 'targets'>>",
                {k: v for k, v in panel.items() if k not in ("options", "fieldConfig", "targets")})
        defaults = dict(panel["fieldConfig"]["defaults"])
        declare("Plain<GraphFieldConfig>", defaults.pop("custom", {}))
        declare("Plain<Panel['fieldConfig']>", {**panel["fieldConfig"], "defaults": defaults})
        declare(f"Plain<{OPTIONS[panel['type']]}>", panel["options"])
        declare("Query[]", panel["targets"])
    return "\n".join(lines)


def expressions():
    for file, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                yield f"{file}: {panel['title']}", target["expr"].replace("$__rate_interval", "1m")


class Dashboards(unittest.TestCase):
    def test_the_panels_are_there(self):
        found = dashboards()
        self.assertEqual(set(found), set(PANELS))
        self.assertEqual(found["mlflow.json"]["title"], "MLflow & Model Server Monitoring")
        for file, panels in PANELS.items():
            titles = [panel["title"] for panel in found[file]["panels"]]
            self.assertEqual(len(titles), len(set(titles)))
            self.assertLessEqual(set(panels), set(titles))
            self.assertIn("piechart", {panel["type"] for panel in found[file]["panels"]})

    def test_they_ask_the_data_source_that_is_provisioned(self):
        sources = library("yaml").safe_load(read("deploy", "grafana", "datasources.yaml"))["datasources"]
        for dashboard in dashboards().values():
            for panel in dashboard["panels"]:
                for part in [panel, *panel.get("targets", [])] if panel["type"] != "row" else []:
                    self.assertEqual(part["datasource"]["uid"], sources[0]["uid"])

    def test_no_two_panels_lie_on_each_other(self):
        for file, dashboard in dashboards().items():
            taken = {}
            for panel in dashboard["panels"]:
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24)
                for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
                    self.assertIsNone(taken.get(cell), f"{file}: {panel['title']}")
                    taken[cell] = panel["title"]

    def test_promtool_can_read_every_expression(self):
        found = list(expressions())
        self.assertGreater(len(found), 40)
        rules = [{"record": f"e{i}", "expr": expression} for i, (_, expression) in enumerate(found)]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
            file.flush()
            code, text = run(program("promtool"), "check", "rules", file.name)
        self.assertEqual(code, 0, text)

    def test_watchbells_metrics_are_those_that_it_documents(self):
        documented = re.findall(r"^\| `(\w+)` \| (\w+) \|", read("docs", "metrics.md"), re.M)
        known = {name + end for name, kind in documented
                 for end in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))}
        used = {name for _, expression in expressions() for name in re.findall(r"\bwatchbell_\w+", expression)}
        self.assertGreater(len(used), 15)
        self.assertEqual(used - known, set())

    def schema_findings(self, *paths):
        """What `watchbell check` finds amiss with the metrics and labels that these files ask for."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as schema:
            schema.write(page())
            schema.flush()
            code, text = run(watchbell(), "check", "--schema", schema.name, "--format", "json", *paths)
        self.assertIn(code, (0, 1), text)
        return [f for f in json.loads(text) if f["id"].startswith(("schema/", "promql/"))]

    def test_watchbell_finds_every_metric_and_label_on_stock_servers(self):
        self.assertEqual(self.schema_findings(os.path.join(ROOT, "rules")), [])
        alerts = [{"alert": f"E{i}", "expr": expression, "labels": {"panel": panel}}
                  for i, (panel, expression) in enumerate(expressions())]
        alerts.append({"alert": "Wrong", "expr": 'mlflow_http_request_total{path="/"} > 0'})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump({"groups": [{"name": "dashboards", "rules": alerts}]}, file)
            file.flush()
            found = self.schema_findings(file.name)
        self.assertEqual([f["id"] for f in found], ["promql/counter-raw", "schema/label"], found)

    def test_grafana_s_own_types_fit(self):
        node, modules = program("node"), os.path.join(os.environ.get("WATCHBELL_NODE", "node"), "node_modules")
        compiler = os.path.join(modules, "typescript", "bin", "tsc")
        if not os.path.isdir(os.path.join(modules, "@grafana", "schema")):
            self.skipTest(f"@grafana/schema: it is not installed in {modules}")
        with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
            os.symlink(os.path.abspath(modules), os.path.join(folder, "node_modules"))
            files = []
            for name, dashboard in dashboards().items():
                files.append(os.path.join(folder, name.replace(".json", ".ts")))
                with open(files[-1], "w", encoding="utf-8") as file:
                    file.write(typed(dashboard))
            options = ["--strict", "--noEmit", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
            code, text = run(node, compiler, *options, *files, cwd=folder)
        self.assertEqual(code, 0, text)


class Panels(StockedPrometheus):
    """Every expression asked of a Prometheus that holds half an hour of what stock servers export."""

    def test_every_panel_shows_a_number(self):
        for panel, expression in expressions():
            with self.subTest(panel, expression=expression):
                found = self.ask(expression)
                self.assertTrue(found, "nothing to show")
                self.assertNotIn("NaN", [series["value"][1] for series in found])

    def test_the_numbers_are_right(self):
        expected = {
            # The figures of stock.py: 5 of 100 requests fail with 5xx and 10 with 4xx.
            "mlflow.json: MLflow error rate 4xx and 5xx": [{0.10}, {0.05}],
            "mlflow.json: Model server error rate": [{0.10}, {0.05}],
            # Two requests a second each, scrapes of FastAPI's /metrics not counted.
            "mlflow.json: Model server request rate": [{2.0}],
            "mlflow.json: MLflow server status": [{1.0}],
            "mlflow.json: Model server status": [{1.0, 0.0}],
            "mlflow.json: CPU of nodes": [{0.25}],
            "mlflow.json: Memory of containers against their limits": [{0.5}],
        }
        found = {}
        for panel, expression in expressions():
            numbers = {round(float(series["value"][1]), 3) for series in self.ask(expression)}
            found.setdefault(panel, []).append(numbers)
        for panel, numbers in expected.items():
            self.assertEqual(found[panel], numbers, panel)
        self.assertEqual({len(s) for s in found["mlflow.json: MLflow request latency p95 and p99"]}, {1})

    def test_a_server_that_is_gone_is_shown_as_down(self):
        expression = next(e for panel, e in expressions() if panel.endswith("MLflow server status"))
        gone = self.ask(expression.replace("mlflow-server", "no-such-job"))
        self.assertEqual([series["value"][1] for series in gone], ["0"])
