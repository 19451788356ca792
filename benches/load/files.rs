//! The files that the measured programs read, and the size of the binary.

use std::fs;
use std::path::Path;

use crate::peers;
use crate::process::binary;
use crate::report::Figure;
use crate::stub;

/// Writes `watchbell.yaml` and `rules.yaml`: so many rules in each of 100 groups. Every alert of a
/// group and a node is told in one message.
pub fn watchbell(folder: &Path, rules: usize, interval: &str, datasource: &str, webhook: &str) {
    let routes = route("1s", "[alertname, node]", webhook);
    let config = format!(
        "datasource: {{url: '{datasource}'}}\nrule_files: [rules.yaml]\n\
         storage: {{path: data}}\nglobal: {{evaluation_interval: {interval}}}\n{routes}"
    );
    fs::write(folder.join("watchbell.yaml"), config).expect("a file");
    fs::write(folder.join("rules.yaml"), load_rules(rules)).expect("a file");
}

/// A route and a receiver, for Watchbell and for Alertmanager.
pub fn route(group_wait: &str, group_by: &str, webhook: &str) -> String {
    format!(
        "route: {{receiver: sink, group_by: {group_by}, group_wait: {group_wait}, \
         group_interval: 1m, repeat_interval: 4h}}\n\
         receivers: [{{name: sink, webhook_configs: [{{url: '{webhook}', send_resolved: true}}]}}]\n"
    )
}

/// The texts of an alert's annotations: name and template.
pub const ANNOTATIONS: [(&str, &str); 3] = [
    ("summary", "{{ $labels.pod }} needs {{ $value | humanizePercentage }} of its memory"),
    (
        "description",
        "The container {{ $labels.container }} on {{ $labels.node }} has been near its limit for \
         some time and may be ended by the kernel.",
    ),
    ("runbook_url", "https://runbooks.example.com/mlflow/memory-near-limit"),
];

/// So many rules in each of the groups. The stub knows them by the names of their metrics.
pub fn load_rules(rules: usize) -> String {
    let annotations: String =
        ANNOTATIONS.iter().map(|(name, text)| format!("      {name}: '{text}'\n")).collect();
    let rule = |group: usize, rule: usize| {
        format!(
            "  - alert: Load_{group}_{rule}\n    expr: load_{group}_{rule} > 0.9\n    \
             labels: {{severity: warning, service: mlflow}}\n    annotations:\n{annotations}"
        )
    };
    let group = |group: usize| {
        let rules: String = (0..rules).map(|number| rule(group, number)).collect();
        format!("- name: load-{group}\n  rules:\n{rules}")
    };
    format!("groups:\n{}", (0..stub::GROUPS).map(group).collect::<String>())
}

/// The size of the binary beside those of the peers.
pub fn size(_: Option<u64>) {
    let mebibytes = |path: &str| fs::metadata(path).ok().map(|file| file.len() as f64 / 1048576.0);
    let own = mebibytes(&binary()).expect("the binary");
    let sum = [peers::PROMETHEUS, peers::ALERTMANAGER].map(mebibytes);
    let sum = sum[0].zip(sum[1]).map(|(prometheus, alertmanager)| prometheus + alertmanager);
    Figure::new("binary", own, "MiB").target(25.0).peer("Prometheus + Alertmanager", sum).print();
}
