"""The manifests: they can be put together, are valid, and hold what is promised of them."""

import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

from parts import DEPLOY, ROOT, library, manifest, program, read, rendered, run, watchbell

OLDEST = 28


def pod_specs():
    for (kind, name, _), document in rendered().items():
        if kind in ("Deployment", "DaemonSet"):
            yield name, document["spec"]["template"]["spec"]


class Manifests(unittest.TestCase):
    def test_every_kubernetes_from_1_28_takes_them(self):
        validate = library("kubernetes_validate")
        newest = int(validate.latest_version().split(".")[1])
        self.assertGreaterEqual(newest, 37)
        manifests = list(rendered().values()) + [library("yaml").safe_load(read("deploy", "namespace.yaml"))]
        self.assertGreater(len(manifests), 25)
        for minor in range(OLDEST, newest + 1):
            for document in manifests:
                with self.subTest(minor=minor, name=document["metadata"]["name"], kind=document["kind"]):
                    validate.validate(document, f"1.{minor}", strict=True)

    def test_names_have_no_suffix_and_the_namespace_is_not_in_it(self):
        for kind, name, namespace in rendered():
            # The letters of kustomize's hashes.
            self.assertIsNone(re.search(r"-[2456789bcdfghkmt]{10}$", name), name)
            self.assertNotEqual(kind, "Namespace", "deleting the stack would delete MLflow")
            if not kind.startswith("ClusterRole"):
                expected = "default" if name == "mlflow-prometheus" else "mlflow-prod"
                self.assertEqual(namespace, expected, (kind, name))

    def test_rules_and_templates_are_those_of_the_repository(self):
        rules = {name: read("rules", name) for name in os.listdir(os.path.join(ROOT, "rules"))
                 if name.endswith(".yaml") and not name.endswith("_test.yaml")}
        self.assertEqual(manifest("ConfigMap", "watchbell-rules")["data"], rules)
        for kind in ("email", "pagerduty", "slack"):
            folder = os.path.join(ROOT, "notifiers", kind)
            templates = {name: read(folder, name) for name in os.listdir(folder)}
            self.assertEqual(manifest("ConfigMap", f"watchbell-notifiers-{kind}")["data"], templates)
        folders = [name for name in os.listdir(os.path.join(ROOT, "notifiers")) if "." not in name]
        self.assertEqual(sorted(folders), ["email", "pagerduty", "slack"])

    def test_containers_may_do_nothing_that_they_need_not(self):
        for name, pod in pod_specs():
            with self.subTest(name):
                self.assertTrue(pod["securityContext"]["runAsNonRoot"])
                self.assertGreater(pod["securityContext"]["runAsUser"], 0)
                self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                wants_api = name in ("prometheus", "kube-state-metrics")
                self.assertEqual(pod["automountServiceAccountToken"], wants_api)
                for container in pod["containers"]:
                    self.assertEqual(container["securityContext"], {
                        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]}})
                    self.assertEqual(set(container["resources"]), {"requests", "limits"})
                    self.assertIn("livenessProbe", container)
                    self.assertIn("readinessProbe", container)
                    self.assertRegex(container["image"], r":v?\d+\.\d+\.\d+$")

    def test_roles_only_read(self):
        for (kind, name, _), document in rendered().items():
            for rule in document.get("rules", []):
                if kind not in ("Role", "ClusterRole"):
                    continue
                self.assertLessEqual(set(rule["verbs"]), {"get", "list", "watch"}, name)
                touched = set(rule.get("resources", [])) | set(rule.get("nonResourceURLs", []))
                self.assertFalse(touched & {"*", "secrets", "nodes/proxy", "configmaps"}, name)

    def test_what_the_stack_promises_of_each_part(self):
        service = lambda name: manifest("Service", name)["spec"]["ports"][0]
        self.assertEqual(service("prometheus")["nodePort"], 30090)
        self.assertEqual(service("grafana")["nodePort"], 30300)
        pods = dict(pod_specs())
        probes = lambda name: {pods[name]["containers"][0][probe]["httpGet"]["path"]
                               for probe in ("livenessProbe", "readinessProbe")}
        self.assertEqual(probes("prometheus"), {"/-/healthy", "/-/ready"})
        self.assertEqual(probes("watchbell"), {"/-/healthy", "/-/ready"})
        self.assertEqual(probes("grafana"), {"/api/health"})
        self.assertEqual(pods["grafana"]["securityContext"]["runAsUser"], 472)
        self.assertIn("--storage.tsdb.retention.time=30d", pods["prometheus"]["containers"][0]["args"])
        for name in ("prometheus", "watchbell", "grafana"):
            self.assertEqual(manifest("Deployment", name)["spec"]["strategy"], {"type": "Recreate"})
        self.assertEqual({kind for kind, _, _ in rendered() if kind == "Secret"}, set(), "a password is in the repository")
        mlflow = library("yaml").safe_load(read("deploy", "watchbell.yaml"))["collectors"]["mlflow"]["tracking_uri"]
        out = {port["port"] for rule in manifest("NetworkPolicy", "watchbell")["spec"]["egress"] for port in rule["ports"]}
        self.assertIn(int(mlflow.rsplit(":", 1)[1]), out, "the collector cannot reach MLflow")

    def test_every_volume_names_something_that_is_there(self):
        secrets = {"grafana-admin", "watchbell-secrets"}  # made by monitoring.sh
        for name, pod in pod_specs():
            for volume in pod["volumes"] if "volumes" in pod else []:
                with self.subTest(name=name, volume=volume["name"]):
                    if "configMap" in volume:
                        data = manifest("ConfigMap", volume["configMap"]["name"])["data"]
                        self.assertLessEqual({i["key"] for i in volume["configMap"].get("items", [])}, set(data))
                    elif "persistentVolumeClaim" in volume:
                        manifest("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
                    elif "secret" in volume:
                        self.assertIn(volume["secret"]["secretName"], secrets)
            used = {m["name"] for c in pod["containers"] for m in c.get("volumeMounts", [])}
            self.assertEqual(used, {v["name"] for v in pod.get("volumes", [])}, name)

    def test_a_manifest_that_kubernetes_does_not_know_is_noticed(self):
        validate = library("kubernetes_validate")
        broken = {**manifest("Deployment", "watchbell"), "spce": {}}
        with self.assertRaises(validate.ValidationError):
            validate.validate(broken, f"1.{OLDEST}", strict=True)


class Mounted(unittest.TestCase):
    """The files as the kubelet lays them into Watchbell's container, below a folder of ours."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deploy-")
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.generation = 0
        pod = manifest("Deployment", "watchbell")["spec"]["template"]["spec"]
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        self.mounts = {}
        for mount in pod["containers"][0]["volumeMounts"]:
            volume = volumes[mount["name"]]
            path = os.path.join(self.root, mount["mountPath"].lstrip("/"))
            os.makedirs(path)
            if "configMap" in volume:
                self.mounts[volume["configMap"]["name"]] = path
                self.publish(volume["configMap"]["name"], manifest("ConfigMap", volume["configMap"]["name"])["data"])
        self.args = pod["containers"][0]["args"]
        config = next(e["value"] for e in pod["containers"][0]["env"] if e["name"] == "WATCHBELL_CONFIG")
        self.config = os.path.join(self.root, config.lstrip("/"))

    def publish(self, name, data):
        """Swaps the symbolic link `..data`, as the kubelet does."""
        path, self.generation = self.mounts[name], self.generation + 1
        fresh = os.path.join(path, f"..2026_{self.generation}")
        os.mkdir(fresh)
        for key, text in data.items():
            with open(os.path.join(fresh, key), "w", encoding="utf-8") as file:
                file.write(text)
            if not os.path.lexists(os.path.join(path, key)):
                os.symlink(os.path.join("..data", key), os.path.join(path, key))
        os.symlink(os.path.basename(fresh), os.path.join(path, "..data_tmp"))
        os.rename(os.path.join(path, "..data_tmp"), os.path.join(path, "..data"))

    def test_the_configuration_is_good_where_it_is_mounted(self):
        code, text = run(watchbell(), "check", "config", self.config)
        self.assertEqual(code, 0, text)
        self.assertIn("8 alerting rules in 2 groups", text)
        self.assertIn("no findings", text)

    def test_a_broken_template_is_noticed_where_it_is_mounted(self):
        self.publish("watchbell-notifiers-email", {"body.html.hbs": "{{#if"})
        code, text = run(watchbell(), "check", "config", self.config)
        self.assertEqual(code, 1, text)

    def test_a_changed_config_map_is_in_use_without_a_restart(self):
        # What the container may write is the volume alone.
        config = manifest("ConfigMap", "watchbell-config")["data"]["watchbell.yaml"]
        here = config.replace("/var/lib/watchbell", os.path.join(self.root, "var/lib/watchbell"))
        here = here.replace("http://prometheus:9090", "http://127.0.0.1:9")
        self.publish("watchbell-config", {"watchbell.yaml": here})
        args = [arg.replace("0.0.0.0:9093", "127.0.0.1:0") for arg in self.args]
        child = subprocess.Popen([watchbell(), *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env={**os.environ, "WATCHBELL_CONFIG": self.config})
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        address = next(m[1] for m in (re.search(r'"address":"([^"]+)"', line) for line in child.stdout) if m)
        metrics = lambda: urllib.request.urlopen(f"http://{address}/metrics", timeout=5).read().decode()
        rounds = lambda: set(re.findall(r'watchbell_rule_group_interval_seconds\{rule_group="([^"]+)"\} (\S+)', metrics()))
        wait_for(lambda: len(rounds()) >= 2, "the rules are evaluated")
        before = rounds()
        rules = manifest("ConfigMap", "watchbell-rules")["data"]
        self.assertIn("interval: 30s", rules["mlflow.yaml"])
        self.publish("watchbell-rules", {**rules, "mlflow.yaml": rules["mlflow.yaml"].replace("interval: 30s", "interval: 17s")})
        wait_for(lambda: any(float(seconds) == 17 for _, seconds in rounds()), f"the new interval, beside {before}")
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(30), 0)


def wait_for(condition, what):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not in time: {what}")


class Dockerfile(unittest.TestCase):
    def test_the_image_is_what_the_manifest_expects(self):
        text = read("deploy", "Dockerfile")
        user = manifest("Deployment", "watchbell")["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
        self.assertRegex(text, rf"(?m)^USER {user}:{user}$")
        self.assertRegex(text.split("FROM")[-1], r"^ scratch\n")
        version = re.search(r'(?m)^version = "(.*)"', read("Cargo.toml"))[1]
        image = manifest("Deployment", "watchbell")["spec"]["template"]["spec"]["containers"][0]["image"]
        self.assertEqual(image, f"watchbell:{version}")
        rust = re.search(r'(?m)^rust-version = "(.*)"', read("Cargo.toml"))[1]
        self.assertIn(f"FROM rust:{rust}-alpine AS build", text)
        kept = set(re.findall(r"(?m)^!(.+)$", read("deploy", "Dockerfile.dockerignore")))
        copied = {name for line in re.findall(r"(?m)^COPY (?!--)(.+) \S+$", text) for name in line.split()}
        self.assertEqual(copied, kept)
        for name in copied:
            self.assertTrue(os.path.exists(os.path.join(ROOT, name)), name)


class Shell(unittest.TestCase):
    def test_shellcheck_has_nothing_to_say(self):
        code, text = run(program("shellcheck"), "-x", os.path.join(DEPLOY, "monitoring.sh"))
        self.assertEqual(code, 0, text)
