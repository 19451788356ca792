"""The local stack's files and scripts, without bringing it up."""

import os
import re
import sys
import tempfile
import unittest

from parts import DEPLOY, ROOT, library, read, run

STACK = os.path.join(DEPLOY, "local-stack")
sys.path.insert(0, STACK)

from hasten import hasten  # noqa: E402  lies beside the scripts that use it

RULES = ["mlflow.yaml", "mlflow_training.yaml"]
TIME = re.compile(r"\d+ms|\d+[smhd]\b|(?<=time\(\) - )[\d.]+")


def seconds(text):
    """Every time that a text has, in seconds."""
    scale = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}
    return [float(number) * scale[unit] for number, unit in
            (re.fullmatch(r"([\d.]+)([a-z]*)", found).groups() for found in TIME.findall(text))]


def script(name, *words, state):
    return run(os.path.join(STACK, name), *words, env={**os.environ, "STACK_STATE": state})


class Hastened(unittest.TestCase):
    def test_every_time_of_a_rule_is_divided_and_nothing_else_changes(self):
        yaml = library("yaml")
        for file in RULES:
            groups = [yaml.safe_load(text)["groups"] for text in (read("rules", file), hasten(read("rules", file), 20))]
            for before, after in zip(*groups, strict=True):
                self.assertEqual(seconds(after["interval"]), [seconds(before["interval"])[0] / 20])
                for rule, fast in zip(before["rules"], after["rules"], strict=True):
                    self.assertEqual(TIME.sub("T", rule["expr"]), TIME.sub("T", fast["expr"]))
                    for key in ("expr", "for", "keep_firing_for"):
                        divided = [time / 20 for time in seconds(rule.get(key, ""))]
                        self.assertEqual(seconds(fast.get(key, "")), divided, rule["alert"])
                    rest = [{k: v for k, v in r.items() if k not in ("expr", "for", "keep_firing_for")} for r in (rule, fast)]
                    self.assertEqual(*rest)

    def test_comments_and_thresholds_stay(self):
        self.assertEqual(hasten("# for: 5m\n", 20), "# for: 5m\n")
        self.assertEqual(hasten("  - for: 1h30m\n", 20), "  - for: 270000ms\n")
        self.assertEqual(hasten("expr: a[5m:1m] offset 1h > 300 and b < time() - 1800\n", 20),
                         "expr: a[15000ms:1m] offset 180000ms > 300 and b < time() - 90\n")


class Scripts(unittest.TestCase):
    def test_they_say_what_is_wrong(self):
        with tempfile.TemporaryDirectory() as state:
            for words, code, says in [
                (("stack.sh", "fly"), 2, "there is no command fly"),
                (("stack.sh", "up", "--slow"), 2, "up has no option --slow"),
                (("stack.sh", "up", "--ports"), 2, "--ports needs a value"),
                (("stack.sh", "up", "--config", "/nowhere"), 1, "there is no /nowhere"),
                (("stack.sh", "down", "--everything"), 2, "down takes --data or nothing"),
                (("break.sh", "rain"), 2, "there is no way rain: mlflow model cpu"),
                (("break.sh", "mend"), 2, "name one way"),
                (("break.sh", "model"), 1, "the stack is not up"),
            ]:
                found, text = script(*words, state=state)
                self.assertEqual(found, code, text)
                self.assertIn(says, text)
            code, text = script("stack.sh", "status", state=state)
            self.assertEqual(code, 1, text)
            self.assertIn("not running: node-exporter inbox pods prometheus watchbell", text)
            self.assertEqual(script("stack.sh", "inbox", state=state), (0, "nothing has been sent yet\n"))
            self.assertEqual(script("stack.sh", "down", state=state), (0, "everything is down\n"))

    def test_the_configurations_use_the_ports_that_the_script_gives_out(self):
        names = re.search(r"port_names=\((.*?)\)", read("deploy", "local-stack", "stack.sh"))[1].split()
        known = {str(19090 + i) for i in range(len(names))}
        for file in ("prometheus.yaml", "watchbell.yaml"):
            used = set(re.findall(r"127\.0\.0\.1:(\d+)", read("deploy", "local-stack", file)))
            self.assertGreaterEqual(len(used), 4)
            self.assertLessEqual(used, known)
        jobs = library("yaml").safe_load(read("deploy", "local-stack", "prometheus.yaml"))["scrape_configs"]
        cluster = library("yaml").safe_load(read("deploy", "prometheus.yaml"))["scrape_configs"]
        self.assertLess({job["job_name"] for job in jobs}, {job["job_name"] for job in cluster})

    def test_every_alert_of_the_rules_has_its_way(self):
        alerts = {alert for file in RULES for alert in re.findall(r"- alert: (\w+)", read("rules", file))}
        _, usage = script("break.sh", "help", state=ROOT)
        ways = dict(re.findall(r"(?m)^  ([a-z-]+) +([A-Z]\w*[a-z]\w*) ", usage))
        self.assertEqual(set(ways.values()), alerts)
        listed = re.search(r"(?m)^ways=\((.*)\)", read("deploy", "local-stack", "break.sh"))[1].split()
        self.assertEqual(list(ways), listed)


if __name__ == "__main__":
    unittest.main()
