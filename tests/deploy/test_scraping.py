"""The scrape configuration: Prometheus takes it, and every pod is in the job that it should be in, once."""

import os
import re
import tempfile
import unittest

from parts import DEPLOY, library, program, read, run

CONFIG = os.path.join(DEPLOY, "prometheus.yaml")


def config():
    return library("yaml").safe_load(read(CONFIG))


def relabel(rules, labels):
    """What Prometheus makes of a discovered target, as far as these rules go; None where it is dropped."""
    labels = dict(labels)
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule["source_labels"])
        found = re.fullmatch(rule.get("regex", "(.*)"), value, re.S)
        action = rule.get("action", "replace")
        if (action == "keep" and not found) or (action == "drop" and found):
            return None
        if action == "replace" and found:
            template = re.sub(r"\$(\d)", r"\\\1", rule.get("replacement", "$1"))
            labels[rule["target_label"]] = found.expand(template)
        elif action not in ("keep", "drop", "replace"):
            raise AssertionError(f"the test does not know the action {action}")
    return labels


def pod(ip, ports=(1234,), phase="Running", init=False, **more):
    """The targets that discovery makes of a pod: one for each port."""
    meta = {"__meta_kubernetes_pod_ip": ip, "__meta_kubernetes_pod_phase": phase, "__meta_kubernetes_pod_name": "p",
            "__meta_kubernetes_namespace": "mlflow-prod", "__meta_kubernetes_pod_node_name": "node-1"}
    meta |= {f"__meta_kubernetes_pod_{name}": value for name, value in more.items()}
    return [{**meta, "__address__": f"{ip}:{port}"} for port in ports]


def scraped(targets):
    """(job, address) of what is scraped of discovered pods."""
    found = []
    for job in config()["scrape_configs"]:
        if any(sd["role"] == "pod" for sd in job.get("kubernetes_sd_configs", [])):
            kept = [relabel(job["relabel_configs"], target) for target in targets]
            # Equal targets are one.
            found += sorted({(job["job_name"], target["__address__"]) for target in kept if target})
    return found


class Scraping(unittest.TestCase):
    def test_promtool_takes_it(self):
        code, text = run(program("promtool"), "check", "config", "--syntax-only", CONFIG)
        if "field kubernetes_sd_configs not found" in text:
            self.skipTest("promtool: this one was built without the discovery of Kubernetes")
        self.assertEqual(code, 0, text)

    def test_promtool_takes_it_but_for_discovery(self):
        yaml = library("yaml")
        loaded = config()
        for job in loaded["scrape_configs"]:
            job.pop("kubernetes_sd_configs", None)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(loaded, file)
            file.flush()
            code, text = run(program("promtool"), "check", "config", "--syntax-only", file.name)
        self.assertEqual(code, 0, text)

    def test_the_jobs_are_there_with_their_intervals(self):
        jobs = {job["job_name"]: job for job in config()["scrape_configs"]}
        self.assertEqual(set(jobs), {
            "prometheus", "mlflow-server", "model-server", "kubernetes-apiservers", "kubernetes-nodes",
            "kubernetes-cadvisor", "kubernetes-pods", "kube-state-metrics", "node-exporter", "watchbell"})
        intervals = {name: jobs[name]["scrape_interval"] for name in ("prometheus", "mlflow-server", "model-server")}
        self.assertEqual(intervals, {"prometheus": "15s", "mlflow-server": "10s", "model-server": "10s"})
        self.assertTrue(jobs["kube-state-metrics"]["honor_labels"])
        self.assertEqual(jobs["kubernetes-cadvisor"]["metrics_path"], "/metrics/cadvisor")
        self.assertNotIn("rule_files", config(), "Watchbell evaluates the rules")

    def test_mlflow_and_model_servers_are_found_by_any_of_three_labels(self):
        for label in ("label_app", "label_app_kubernetes_io_name", "label_app_kubernetes_io_component"):
            self.assertEqual(scraped(pod("10.0.0.1", **{label: "mlflow-server"})), [("mlflow-server", "10.0.0.1:5000")])
            self.assertEqual(scraped(pod("10.0.0.2", **{label: "model-server"})), [("model-server", "10.0.0.2:8000")])
            for other in ("not-mlflow-server", "model-server-2"):
                self.assertEqual(scraped(pod("10.0.0.3", **{label: other})), [])

    def test_the_annotation_has_the_port(self):
        mlserver = pod("10.0.0.1", ports=(8080, 8081, 8082), label_app="model-server", annotation_prometheus_io_port="8082")
        self.assertEqual(scraped(mlserver), [("model-server", "10.0.0.1:8082")])

    def test_a_pod_that_asks_to_be_scraped_is_scraped_once(self):
        asks = {"annotation_prometheus_io_scrape": "true"}
        self.assertEqual(scraped(pod("10.0.0.1", **asks)), [("kubernetes-pods", "10.0.0.1:1234")])
        self.assertEqual(scraped(pod("10.0.0.1")), [])
        self.assertEqual(scraped(pod("10.0.0.1", annotation_prometheus_io_scrape="false")), [])
        several = pod("10.0.0.1", ports=(1, 2), annotation_prometheus_io_port="9000", **asks)
        self.assertEqual(scraped(several), [("kubernetes-pods", "10.0.0.1:9000")])

    def test_no_pod_is_scraped_by_two_jobs(self):
        asks = {"annotation_prometheus_io_scrape": "true", "annotation_prometheus_io_port": "9100"}
        named = ["mlflow-server", "model-server", "node-exporter"]
        static = ["prometheus", "kube-state-metrics", "watchbell"]
        for name in named + static:
            for label in ("label_app_kubernetes_io_name",) + (("label_app",) if name.endswith("-server") else ()):
                found = scraped(pod("10.0.0.1", **{label: name}, **asks))
                self.assertEqual([job for job, _ in found], [name] if name in named else [], name)

    def test_a_pod_that_is_done_is_not_down(self):
        for phase in ("Succeeded", "Failed"):
            self.assertEqual(scraped(pod("10.0.0.1", phase=phase, label_app="mlflow-server")), [])

    def test_nodes_are_named_in_alerts(self):
        job = next(job for job in config()["scrape_configs"] if job["job_name"] == "node-exporter")
        target = relabel(job["relabel_configs"], pod("10.0.0.1", label_app_kubernetes_io_name="node-exporter")[0])
        self.assertEqual((target["instance"], target["__address__"]), ("node-1", "10.0.0.1:9100"))
