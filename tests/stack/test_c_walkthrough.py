"""The walk-through runs from its first cell to its last."""

import os
import re
import tempfile
import unittest

from stack import ROOT, STACK as FOLDER, environment, prepare, run
from parts import library

NOTEBOOK = os.path.join(ROOT, "docs", "alerting-walkthrough.ipynb")
STACK = os.path.join(FOLDER, "stack.sh")
# One cell brings everything up; the machine may be busy with other tests.
SECONDS_A_CELL = 300


class Walkthrough(unittest.TestCase):
    def setUp(self):
        self.nbformat, self.nbclient = library("nbformat"), library("nbclient")
        library("ipykernel")
        folder = tempfile.TemporaryDirectory(prefix="notebook-")
        self.addCleanup(folder.cleanup)
        self.state = os.path.join(folder.name, "state")
        prepare(self.state)
        # The kernel has the environment of this process.
        wanted = environment(self.state)
        for name in ("STACK_STATE", "WATCHBELL_BINARY"):
            self.addCleanup(self.restore, name, os.environ.get(name))
            os.environ[name] = wanted[name]

    @staticmethod
    def restore(name, value):
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value

    def down(self):
        """Whatever has gone wrong, nothing goes on running."""
        code, text = run(STACK, "down")
        self.assertEqual(code, 0, text)

    def executed(self):
        """What each code cell has printed, in their order."""
        notebook = self.nbformat.read(NOTEBOOK, as_version=4)
        self.nbformat.validate(notebook)
        self.addCleanup(self.down)
        place = {"metadata": {"path": os.path.join(ROOT, "docs")}}
        self.nbclient.NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name="python3", resources=place).execute()
        return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]

    def assert_in_order(self, text, *parts):
        self.assertRegex(text, re.compile(".*".join(map(re.escape, parts)), re.S))

    def test_it_shows_an_alert_from_the_first_bad_sample_to_its_end(self):
        _, up, targets, queries, good, wrong, tested, route, fired, inbox, told, mended, over, notifications, down = self.executed()
        self.assertIn("everything is up", up)
        self.assertEqual(sorted(re.findall(r"(?m)^up +([\w-]+)", targets)), [
            "kube-state-metrics", "mlflow-server", "model-server", "model-server", "node-exporter", "prometheus", "watchbell"])
        self.assertEqual(len(queries.splitlines()), 4, queries)
        self.assertIn("no findings", good)
        self.assertIn("did you mean `mlflow_http_request_total`?", wrong)
        self.assertRegex(tested, r"\n\d\d passed, 0 failed\n")
        self.assertIn("integrations     pagerduty[0], slack[0], email[0]", route)
        self.assert_in_order(fired, "pending", "firing", "delivered")
        self.assertEqual(sorted(re.findall(r"delivered: \d+-(\w+)", fired)), ["mail", "pagerduty", "slack"])
        self.assertIn("trigger ModelServerDown: Model server down", inbox)
        self.assert_in_order(told, "[became_active]", "[held_for]", "[first_notification]", "[delivered]", "Was someone told? Yes")
        self.assertIn("inactive", mended)
        self.assertEqual(sorted(re.findall(r"delivered: \d+-(\w+)", mended)), ["mail", "pagerduty", "slack"])
        self.assertRegex(over, r"Was someone told\? Yes: .*email\[0\] was told at [\d:]+ that it fired and at [\d:]+ that it is over")
        self.assertEqual(notifications.count("delivered"), 6, notifications)
        self.assertEqual(down, "everything is down\n")
        self.assertEqual(os.listdir(os.path.join(self.state, "pids")), [])


if __name__ == "__main__":
    unittest.main()
