//! What one test owns: a folder, receivers, a metric of the shared exporter, a configuration.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::support::{Part, Peer, TempDir, http, require, wait_until};

/// Prometheus and the exporter that it scrapes every second. They end with the test program.
struct World {
    prometheus: Peer,
    exporter: Peer,
}

impl World {
    fn shared() -> Option<&'static Self> {
        static WORLD: OnceLock<World> = OnceLock::new();
        let (prometheus, exporter) = (require(Part::Prometheus)?, require(Part::Exporter)?);
        Some(WORLD.get_or_init(|| {
            let exporter = exporter.start(&[]);
            let target = format!("127.0.0.1:{}", exporter.port());
            // Not a folder of this process, which has no end at which to remove it.
            let dir = std::env::temp_dir().join(format!("watchbell-world-{}", std::process::id()));
            let dir = dir.to_str().expect("paths are UTF-8");
            let options = ["--dir", dir, "--throw-away", "--target", &target];
            World { prometheus: prometheus.start(&options), exporter }
        }))
    }
}

/// One test's part of the world.
pub struct Site {
    pub dir: TempDir,
    /// Slack, PagerDuty and webhooks.
    pub receivers: Peer,
    world: &'static World,
    name: &'static str,
}

impl Site {
    /// A site with its rule file, or nothing where a part is missing. `name` is a word that no
    /// other test uses.
    pub fn new(name: &'static str) -> Option<Self> {
        let world = World::shared()?;
        let receivers = require(Part::Receivers)?.start(&[]);
        let site = Self { dir: TempDir::new(name), receivers, world, name };
        site.write_rule("1s", "0s");
        Some(site)
    }

    /// The URL of the shared Prometheus.
    pub fn prometheus(&self) -> String {
        self.world.prometheus.url("")
    }

    /// A Prometheus of this test alone, which can be ended and started again with its data.
    pub fn own_prometheus(&self, port: u16) -> Peer {
        let target = format!("127.0.0.1:{}", self.world.exporter.port());
        let (dir, port) = (self.dir.join("prometheus"), port.to_string());
        Part::Prometheus.start(&["--dir", &dir, "--port", &port, "--target", &target])
    }

    /// The expression that gives the nodes at fault.
    pub fn expression(&self) -> String {
        format!("fault_{} == 1", self.name)
    }

    /// Writes the rule file: `NodeDown` fires for every node at fault.
    pub fn write_rule(&self, interval: &str, for_duration: &str) {
        let rule = rule("NodeDown", &self.expression(), for_duration);
        self.dir.write("rules/incident.yaml", &group("incident", interval, &rule));
    }

    /// Writes the configuration with the given receivers, which are YAML; the first, `ops`, gets
    /// everything.
    pub fn write_config(&self, receivers: &str) -> String {
        self.write_routes("{receiver: ops, group_by: [alertname]}", "{}", receivers)
    }

    /// The same with a route, to which short timers are added, and with a section `global`.
    pub fn write_routes(&self, route: &str, global: &str, receivers: &str) -> String {
        self.write_all(&self.prometheus(), route, global, receivers)
    }

    /// The same with a datasource.
    pub fn write_all(&self, url: &str, route: &str, global: &str, receivers: &str) -> String {
        let timers = "group_wait: 1s, group_interval: 1s, repeat_interval: 1h";
        let route = route.replacen('{', &format!("{{{timers}, "), 1);
        let comma = if global == "{}" { "" } else { ", " };
        let global = global.replacen('{', &format!("{{evaluation_interval: 1s{comma}"), 1);
        let config = format!(
            "datasource: {{url: '{url}'}}\n\
             rule_files: [rules/*.yaml]\n\
             storage: {{path: data}}\n\
             global: {global}\n\
             route: {route}\n\
             receivers:\n{receivers}\n"
        );
        self.dir.write("watchbell.yaml", &config)
    }

    /// The configuration that was written last.
    pub fn config(&self) -> String {
        std::fs::read_to_string(self.dir.join("watchbell.yaml")).expect("it was written")
    }

    /// Adds a section to it.
    pub fn append(&self, section: &str) {
        self.dir.write("watchbell.yaml", &format!("{}{section}\n", self.config()));
    }

    /// Starts a daemon on the configuration that was written last.
    pub fn start(&self) -> Daemon {
        Daemon::start(&self.dir.join("watchbell.yaml"))
    }

    /// A webhook's item; its path under `/webhook/` is the name.
    pub fn webhook(&self, name: &str) -> String {
        let url = self.receivers.url(&format!("/webhook/{name}"));
        format!("{{url: '{url}', send_resolved: true, timeout: 3s}}")
    }

    /// A PagerDuty item with a routing key of 32 characters.
    pub fn pagerduty(&self, routing_key: &str) -> String {
        let url = self.receivers.url("/v2/enqueue");
        format!("{{routing_key: {routing_key}, url: '{url}', send_resolved: true}}")
    }

    /// A Slack item that posts to an incoming webhook.
    pub fn slack_webhook(&self, path: &str) -> String {
        let url = self.receivers.url(path);
        format!("{{api_url: '{url}', channel: '#alerts', send_resolved: true}}")
    }

    /// A Slack item that posts as an app, with a bot token.
    pub fn slack_app(&self, token: &str) -> String {
        let url = self.receivers.url("/api/chat.postMessage");
        format!("{{app_token: {token}, app_url: '{url}', channel: '#alerts', send_resolved: true}}")
    }

    /// The receiver `ops` with one webhook.
    pub fn ops(&self) -> String {
        format!("- {{name: ops, webhook_configs: [{}]}}", self.webhook("ops"))
    }

    /// Puts nodes at fault, all in one scrape.
    pub fn fail(&self, nodes: &[&str]) {
        self.set(nodes, 1);
    }

    /// Ends the fault of nodes.
    pub fn mend(&self, nodes: &[&str]) {
        self.set(nodes, 0);
    }

    /// Takes all series of this site away.
    pub fn vanish(&self) {
        let url = self.world.exporter.url(&format!("/series?name=fault_{}", self.name));
        let done = http::request("DELETE", &url, &[], "").unwrap();
        assert_eq!(done.status, 204, "{}", done.body);
    }

    fn set(&self, nodes: &[&str], value: u8) {
        let line = |node: &&str| format!("fault_{}{{node=\"{node}\"}} {value}\n", self.name);
        let text: String = nodes.iter().map(line).collect();
        let done = http::request("POST", &self.world.exporter.url("/series"), &[], &text).unwrap();
        assert_eq!(done.status, 204, "{}", done.body);
    }

    /// What a path has taken, oldest first: the bodies.
    pub fn taken(&self, path: &str) -> Vec<Value> {
        let requests = self.receivers.received(path).into_iter();
        requests.filter(|r| r["accepted"] == true).map(|r| r["json"].clone()).collect()
    }

    /// Waits until a path has taken that many messages.
    pub fn wait_for_taken(&self, path: &str, count: usize) -> Vec<Value> {
        wait_until(&format!("{path} has taken {count} messages"), || {
            Some(self.taken(path)).filter(|taken| taken.len() >= count)
        })
    }

    /// Fails where a receiver refused a message by its own rules, or saw what no correct sender
    /// does. Answers that the test asked for are none of this.
    pub fn assert_correct(&self) {
        let refused: Vec<Value> = self.receivers.received("*");
        let refused: Vec<&Value> = refused.iter().filter(|r| !r["problems"].is_null()).collect();
        assert_eq!(refused, Vec::<&Value>::new(), "refused messages");
        assert_eq!(self.receivers.state()["anomalies"], json!([]));
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let url = self.world.exporter.url(&format!("/series?name=fault_{}", self.name));
        let _gone_anyway = http::request("DELETE", &url, &[], "");
    }
}

/// An alerting rule, in YAML, to be put into a [`group`].
pub fn rule(alert: &str, expr: &str, for_duration: &str) -> String {
    format!(
        "  - alert: {alert}\n    expr: {expr}\n    for: {for_duration}\n    \
         labels: {{severity: critical}}\n    \
         annotations: {{summary: '{{{{ $labels.node }}}} is down', \
         runbook_url: 'https://runbooks.example.com/node-down'}}\n"
    )
}

/// A rule file with one group.
pub fn group(name: &str, interval: &str, rules: &str) -> String {
    format!("groups:\n- name: {name}\n  interval: {interval}\n  rules:\n{rules}")
}

/// The nodes that a webhook's body names with a status.
pub fn nodes(body: &Value, status: &str) -> Vec<String> {
    let alerts = body["alerts"].as_array().expect("alerts").iter();
    let named = alerts.filter(|alert| alert["status"] == status);
    let mut nodes: Vec<String> =
        named.map(|a| a["labels"]["node"].as_str().unwrap().to_owned()).collect();
    nodes.sort();
    nodes
}

/// The idempotency key of a webhook's request; for PagerDuty, that is the dedup key.
pub fn key(request: &Value) -> String {
    let headers = request["headers"].as_object().expect("headers");
    let key = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("idempotency-key"));
    let key = key.map_or(&request["json"]["dedup_key"], |(_, value)| value);
    key.as_str().expect("an idempotency key").to_owned()
}
