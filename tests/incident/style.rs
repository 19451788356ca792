//! Alertmanager's configurations, in the style of its own examples: taken as they stand, or
//! refused with the name of what does not work.

use std::fs;

use crate::daemon::Daemon;
use crate::site::Site;
use crate::support::{TempDir, process::Process, root};

fn old_style() -> String {
    fs::read_to_string(root().join("tests/fixtures/incident/alertmanager.yml")).unwrap()
}

/// `watchbell check config`: the exit code and what it says.
fn check(text: &str) -> (Option<i32>, String) {
    let dir = TempDir::new("style");
    let file = dir.write("alertmanager.yml", text);
    let mut process = Process::watchbell(&["check", "config", &file]);
    let status = process.wait();
    (status.code(), process.whole_output())
}

#[test]
fn an_old_alertmanager_configuration_is_taken_as_it_stands() {
    let (code, said) = check(&old_style());
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn what_does_not_work_is_refused_by_name() {
    let changes = [
        ("slack_configs:\n  - channel", "telegram_configs:\n  - channel", "telegram_configs"),
        ("  group_wait: 30s", "  group_wait: 30s\n  labels: {a: b}", "labels"),
        ("global:", "tracing: {endpoint: x}\nglobal:", "tracing"),
        ("    send_resolved: true", "    payload: {a: b}", "payload"),
        ("  resolve_timeout: 5m", "  opsgenie_api_key: x", "opsgenie_api_key"),
        ("match:\n        severity: page", "matches:\n        severity: page", "matches"),
        ("receiver: team-DB-pager\n", "receiver: team-Z-pager\n", "team-Z-pager"),
        ("mute_time_intervals: [offhours]", "mute_time_intervals: [nights]", "nights"),
        ("{{ .GroupLabels.alertname }}", "{{ .GroupLabels.alertname", "title"),
        ("template \"email.default.html\"", "template \"mine.html\"", "mine.html"),
    ];
    for (from, to, name) in changes {
        let text = old_style().replacen(from, to, 1);
        assert_ne!(text, old_style(), "{from} is not there");
        let (code, said) = check(&text);
        assert_eq!(code, Some(1), "{to}: {said}");
        assert!(said.contains(name) && said.contains("alertmanager.yml:"), "{to}: {said}");
    }
}

/// The same file with what rules need runs, and routes by the old matchers.
#[test]
fn an_old_configuration_runs_with_a_datasource() {
    let Some(site) = Site::new("style") else { return };
    let added =
        format!("datasource: {{url: '{}'}}\nrule_files: [rules/*.yaml]\n", site.prometheus());
    let hook = site.receivers.url("/webhook/db");
    let text = old_style()
        .replace("http://127.0.0.1:5001/", &hook)
        .replace("service: database", "severity: critical")
        .replace("group_wait: 30s", "group_wait: 1s");
    let config = site.dir.write("alertmanager.yml", &(added + &text));
    let daemon = Daemon::start(&config);
    site.fail(&["a"]);
    let told = site.wait_for_taken("/webhook/db", 1);
    assert_eq!(told[0]["receiver"], "team-DB-pager");
    daemon.stop();
    site.assert_correct();
}
