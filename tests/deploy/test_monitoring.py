"""monitoring.sh against a kubectl that notes what it is asked."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from parts import DEPLOY, free_port, rendered, rendered_text

SCRIPT = os.path.join(DEPLOY, "monitoring.sh")
FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_kubectl.py")
COMMANDS = ["deploy", "status", "logs", "port-forward", "prometheus-url", "grafana-url", "watchbell-url", "check-targets",
            "open-prometheus", "open-grafana", "open-watchbell", "test-alert", "cleanup", "help"]
NODES = [r"^get nodes .*ExternalIP", 0, ""], [r"^get nodes .*InternalIP", 0, "10.1.2.3 10.1.2.4"]
JOBS = ["prometheus", "mlflow-server", "model-server", "kubernetes-apiservers", "kubernetes-nodes", "kubernetes-cadvisor",
        "kube-state-metrics", "node-exporter", "watchbell"]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Monitoring(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deploy-")
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.bin = os.path.join(self.dir, "bin")
        os.mkdir(self.bin)
        self.program("kubectl", f'exec "{sys.executable}" -I -S "{FAKE}" "$@"')
        self.ports = {name: free_port() for name in ("PROMETHEUS_PORT", "GRAFANA_PORT", "WATCHBELL_PORT")}
        self.env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "FAKE_KUBECTL": self.dir,
                    "WATCHBELL_SECRETS": os.path.join(self.dir, "secrets"),
                    **{name: str(port) for name, port in self.ports.items()}}
        self.plan()

    def plan(self, *lines):
        with open(os.path.join(self.dir, "plan"), "w", encoding="utf-8") as file:
            json.dump(lines, file)

    def calls(self):
        path = os.path.join(self.dir, "calls")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def asked(self):
        return [" ".join(call["words"]) for call in self.calls()]

    def run_script(self, *words, given="", code=0):
        done = subprocess.run([SCRIPT, *words], input=given, env=self.env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def program(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)

    # What goes wrong before anything is done.

    def test_without_kubectl_every_command_that_needs_it_says_so(self):
        empty = os.path.join(self.dir, "empty")
        os.mkdir(empty)
        for name in ("bash", "dirname", "mktemp", "rm", "sed"):
            os.symlink(shutil.which(name), os.path.join(empty, name))
        self.env["PATH"] = empty
        for command in COMMANDS:
            if command in ("help", "watchbell-url"):
                self.run_script(command)
            else:
                self.assertIn("kubectl is not installed", self.run_script(command, code=1))

    def test_without_a_cluster_nothing_is_done(self):
        self.plan(["--raw /version", 1, "a line\nThe connection to the server was refused"])
        for command in COMMANDS:
            if command not in ("help", "watchbell-url"):
                text = self.run_script(command, code=1)
                self.assertIn("the cluster does not answer", text)
                self.assertIn("The connection to the server was refused", text)
        self.assertEqual(set(self.asked()), {"get --raw /version --request-timeout=10s"})

    def test_a_port_that_is_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.env["GRAFANA_PORT"] = str(port)
            text = self.run_script("port-forward", code=1)
        self.assertIn(f"port {port} is in use on this machine", text)
        self.assertIn("GRAFANA_PORT=PORT", text)
        self.assertNotIn("port-forward", " ".join(self.asked()))
        self.env["GRAFANA_PORT"] = "grafana"
        self.assertIn("GRAFANA_PORT is no port: grafana", self.run_script("port-forward", code=1))

    def test_unknown_words_are_refused(self):
        self.assertIn("there is no command frobnicate", self.run_script("frobnicate", code=2))
        self.assertIn("status takes no argument", self.run_script("status", "now", code=2))
        self.assertIn("no option --all", self.run_script("cleanup", "--all", code=2))
        self.assertIn("no component mlflow", self.run_script("logs", "mlflow", code=2))
        self.assertEqual(self.calls(), [])

    def test_help_names_every_command(self):
        text = self.run_script("help")
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command} ")
        self.assertEqual(self.run_script(), text)

    # Bringing it up and down.

    def write_secret(self, key):
        with open(os.path.join(self.env["WATCHBELL_SECRETS"], key), "w", encoding="utf-8") as file:
            file.write("hidden")

    def deployed(self, *plan, code=0):
        self.plan(*plan, ["^kustomize ", 0, rendered_text()])
        return self.run_script("deploy", code=code)

    def test_deploy_makes_what_is_missing_and_waits(self):
        os.mkdir(self.env["WATCHBELL_SECRETS"])
        for key in ("smtp-password", "slack-webhook-url", "slack-token", "ca.crt"):
            self.write_secret(key)
        # An editor's copies are no secrets.
        for key in ("smtp-password~", ".slack-token.swp"):
            self.write_secret(key)
        text = self.deployed(["get (namespace|secret)", 1, "not found"], ["create secret generic", 0, "a secret"],
                             ["^label --local", 0, "a labelled secret"])
        self.assertIn("everything runs", text)
        self.assertIn("no pagerduty-routing-key in ", text)
        asked = self.asked()
        self.assertIn(f"apply -f {DEPLOY}/namespace.yaml", asked)
        made = next(call["given"] for call in self.calls() if call["words"][2:] == ["create", "-f", "-"])
        password = re.search(r'admin-password: "([A-Za-z0-9_-]{32})"', made)[1]
        self.assertNotIn(password, text + " ".join(asked), "an argument can be seen by others")
        create = next(a for a in asked if "create secret generic watchbell-secrets" in a)
        self.assertIn("--dry-run=client", create)
        taken = re.findall(r"--from-file=\S*/(\S+)", create)
        self.assertEqual(sorted(taken), ["ca.crt", "slack-token", "slack-webhook-url", "smtp-password"])
        stored = [call["given"].strip() for call in self.calls() if "apply" in call["words"] and "-" in call["words"]]
        self.assertEqual(stored, ["a labelled secret", rendered_text().strip()])
        waited = [a.split()[4] for a in asked if "rollout status" in a]
        self.assertEqual(sorted(waited), ["daemonset/node-exporter", "deployment/grafana", "deployment/kube-state-metrics",
                                          "deployment/prometheus", "deployment/watchbell"])

    def test_deploy_refuses_a_file_that_cannot_be_a_key(self):
        os.mkdir(self.env["WATCHBELL_SECRETS"])
        self.write_secret("my token")
        text = self.deployed(code=1)
        self.assertIn("my token cannot be a key of a Secret", text)
        self.assertFalse([a for a in self.asked() if "apply --server-side" in a], "nothing is half done")

    def test_deploy_leaves_passwords_and_secrets_that_are_there(self):
        self.deployed()
        self.assertFalse([a for a in self.asked() if " create " in a or "namespace.yaml" in a])

    def test_deploy_takes_another_image(self):
        self.env["WATCHBELL_IMAGE"] = "registry.example.com/team/watchbell:1.2.3"
        self.deployed()
        applied = next(c["given"] for c in self.calls() if "apply" in c["words"])
        self.assertEqual(applied.count("image: registry.example.com/team/watchbell:1.2.3\n"), 1)
        self.assertNotIn("image: watchbell:", applied)
        self.env["WATCHBELL_IMAGE"] = "x|e id"
        self.assertIn("no name of an image", self.deployed(code=1))

    def test_deploy_names_what_does_not_come_up_and_what_is_refused(self):
        text = self.deployed(["rollout status deployment/grafana", 1, "timed out"], code=1)
        self.assertIn("not running: deployment/grafana.", text)
        text = self.deployed(["^apply --server-side", 1, "nodePort: already allocated"], code=1)
        self.assertIn("nodePort: already allocated", text)
        self.assertIn("the cluster has refused a part", text)

    def test_cleanup_takes_every_kind_down_but_volumes_secrets_and_the_namespace(self):
        text = self.run_script("cleanup")
        self.assertIn("volumes and secrets are still there", text)
        deleted = [a for a in self.asked() if "delete" in a]
        for call in deleted:
            self.assertIn("-l app.kubernetes.io/part-of=mlflow-monitoring", call)
        kinds = lambda start: set(next(a for a in deleted if a.startswith(start)).split("delete ")[1].split()[0].split(","))
        ours, default, cluster = kinds("--namespace mlflow-prod"), kinds("--namespace default"), kinds("delete")
        for kind, _, namespace in rendered():
            plural = "networkpolicies" if kind == "NetworkPolicy" else kind.lower() + "s"
            if kind != "PersistentVolumeClaim":
                self.assertIn(plural, {"mlflow-prod": ours, "default": default, None: cluster}[namespace])
        self.assertFalse((ours | default | cluster) & {"persistentvolumeclaims", "secrets", "namespaces", "all"})

    def test_cleanup_of_data_asks_first(self):
        for given in ("", "yes\n"):
            self.assertIn("nothing was deleted", self.run_script("cleanup", "--data", given=given, code=1))
        self.assertFalse([a for a in self.asked() if "delete" in a])
        self.run_script("cleanup", "--data", given="mlflow-prod\n")
        self.run_script("cleanup", "--data", "--yes")
        gone = [a for a in self.asked() if "delete persistentvolumeclaims,secrets -l" in a]
        self.assertEqual(len(gone), 2)

    # Looking at it.

    def test_status_fails_where_a_part_is_not_ready(self):
        ready = ["get deployment .*readyReplicas", 0, "1"], ["get daemonset", 0, "3/3"]
        self.plan(*ready)
        self.assertIn("everything is ready", self.run_script("status"))
        self.plan(["get deployment grafana", 0, ""], ["get daemonset", 0, "2/3"], *ready)
        self.assertIn("not ready: grafana node-exporter", self.run_script("status", code=1))
        self.plan(["get secret watchbell-secrets", 1, "not found"], *ready)
        self.assertIn("there is no Secret watchbell-secrets", self.run_script("status"))

    def test_logs_are_those_of_a_component(self):
        self.run_script("logs")
        self.run_script("logs", "node-exporter")
        found = [re.search(r"name=(\S+),", a)[1] for a in self.asked() if " logs --follow" in a]
        self.assertEqual(found, ["watchbell", "node-exporter"])

    def test_urls(self):
        self.plan(*NODES)
        self.assertEqual(self.run_script("prometheus-url"), "http://10.1.2.3:30090\n")
        text = self.run_script("grafana-url")
        self.assertIn("http://10.1.2.3:30300\n", text)
        self.assertIn("get secret grafana-admin", text)
        self.assertFalse([a for a in self.asked() if "secret" in a], "the password is shown to who asks for it alone")
        self.assertIn(f"http://127.0.0.1:{self.ports['WATCHBELL_PORT']}/alerts", self.run_script("watchbell-url"))
        self.plan(["ExternalIP", 0, "2001:db8::7"])
        self.assertEqual(self.run_script("prometheus-url"), "http://[2001:db8::7]:30090\n")
        self.plan(["get nodes", 1, "forbidden"])
        self.assertIn("cannot be listed", self.run_script("prometheus-url", code=1))

    def test_check_targets_counts_what_is_down_and_what_is_missing(self):
        lines = [f'{{job="{job}"}} => 20002 @[1764147600]' for job in JOBS]
        self.plan(["promtool query", 0, "\n".join(lines)])
        self.assertNotRegex(self.run_script("check-targets"), "(?m)^(down|none)")
        lines[1], lines[2] = '{job="mlflow-server"} => 10003 @[1764147600]', ""
        self.plan(["promtool query", 0, "\n".join(lines)])
        text = self.run_script("check-targets", code=1)
        self.assertIn("down  mlflow-server: 2 of 3\n", text)
        self.assertIn("none  model-server: ", text)
        self.assertIn("jobs with trouble: 2", text)
        self.plan(["promtool query", 1, "query error: refused"])
        self.assertIn("Prometheus does not answer: query error: refused", self.run_script("check-targets", code=1))
        self.plan(["get deployment prometheus", 1, "not found"])
        self.assertIn("`monitoring.sh deploy` brings it up", self.run_script("check-targets", code=1))

    def test_test_alert_asks_watchbell_itself(self):
        self.run_script("test-alert")
        self.run_script("test-alert", "mlflow-oncall")
        found = [a.split("-- ", 1)[1] for a in self.asked() if " exec " in a]
        self.assertEqual(found, ["/watchbell notify-test -- mlflow-team", "/watchbell notify-test -- mlflow-oncall"])
        self.plan(["notify-test", 1, "slack[0]: refused"])
        text = self.run_script("test-alert", code=1)
        self.assertIn("slack[0]: refused", text)
        self.assertIn("not everything was delivered to mlflow-team", text)

    # Forwards.

    def start(self, *words):
        child = subprocess.Popen([SCRIPT, *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        said = ""
        for line in child.stdout:
            said += line
            if "Ctrl-C ends it" in line:
                return child, said
        self.fail(said)

    def test_port_forward_ends_what_it_has_started_and_nothing_else(self):
        bystander = subprocess.Popen([os.path.join(self.bin, "kubectl"), "port-forward", f"{free_port()}:1"], env=self.env)
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        child, said = self.start("port-forward")
        for port in self.ports.values():
            self.assertIn(f"http://127.0.0.1:{port}", said)
            self.assertTrue(answers(port))
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(10), 143)
        for port in self.ports.values():
            self.assertFalse(answers(port))
        self.assertIsNone(bystander.poll(), "it has ended what it had not started")

    def test_a_forward_that_breaks_ends_the_others(self):
        self.start("port-forward")
        forward = next(c["pid"] for c in self.calls() if "service/grafana" in c["words"])
        os.kill(forward, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(map(answers, self.ports.values())):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_a_forward_that_does_not_begin_is_explained(self):
        self.plan(["service/grafana", 1, "error: unable to forward port because pod is not running"])
        text = self.run_script("port-forward", code=1)
        self.assertIn("the forward to grafana has ended: error: unable to forward port", text)
        self.assertFalse(any(map(answers, self.ports.values())))

    def test_a_browser_is_opened(self):
        self.program("xdg-open", f'echo "$1" >>{self.dir}/opened')
        self.plan(*NODES)
        self.run_script("open-prometheus")
        self.run_script("open-grafana")
        child, _ = self.start("open-watchbell")
        child.send_signal(signal.SIGTERM)
        child.wait(10)
        with open(os.path.join(self.dir, "opened"), encoding="utf-8") as file:
            self.assertEqual(file.read().split(), ["http://10.1.2.3:30090", "http://10.1.2.3:30300",
                                                   f"http://127.0.0.1:{self.ports['WATCHBELL_PORT']}/alerts"])
