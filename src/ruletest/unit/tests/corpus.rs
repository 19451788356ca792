//! Real files of unit tests, where the corpus is there.

// Whoever runs the tests without the corpus has to see it.
#![allow(clippy::print_stderr)]

use std::path::Path;

use crate::ruletest::{find_files, run_files};

/// Tests that Prometheus 2.42 passes and that cannot pass where the lookback does not take in its
/// beginning, as in Prometheus 3: a series with one sample at 0 is looked at after exactly 5m.
const LEFT_OPEN: &[&str] = &[
    "team-collaboration-services/vrts_test.yaml",
    "team-data-engineering/hadoop-hdfs_test.yaml",
    "team-data-engineering/mw-content-history-reconcile-enrich_test.yaml",
    "team-data-platform/airflow-k8s_test.yaml",
    "team-data-platform/cloudnative-pg_test.yaml",
    "team-data-platform/growthbook_test.yaml",
    "team-data-platform/hadoop-yarn_test.yaml",
    "team-data-platform/spark-history-availability_test.yaml",
    "team-data-platform/superset-availability_test.yaml",
    "team-o11y/global_test.yaml",
    "team-sre/pingthing_test.yaml",
    "team-sre/swagger_test.yaml",
];

/// Those that take minutes where nothing is optimised.
const SLOW: &[&str] = &[
    "team-wmcs/openstack_apis_response_test.yaml",
    "team-netops/interfaces_test.yaml",
    "team-wikidata-platform/blazegraph_test.yaml",
    "team-sre/puppet-agent_test.yaml",
    "team-perf/navigation_timing_test.yaml",
    "team-o11y/global_test.yaml",
];

#[test]
fn real_files_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = root.ancestors().map(|a| a.join("shared/corpus/wikimedia-alerts"));
    let Some(folder) = folders.into_iter().find(|folder| folder.is_dir()) else {
        eprintln!("skipped: no folder shared/corpus/wikimedia-alerts");
        return;
    };
    let mut files = find_files(std::slice::from_ref(&folder)).unwrap();
    assert_eq!(files.len(), 108);
    files.retain(|file| !SLOW.iter().any(|slow| file.ends_with(slow)));
    let reports = run_files(&files, &[], 2, |_| {});
    for report in &reports {
        let path = Path::new(&report.path).strip_prefix(&folder).unwrap();
        let fails = LEFT_OPEN.iter().any(|name| path.ends_with(name));
        let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
        let failures = report.cases.iter().flat_map(|case| &case.failures);
        let failures: Vec<&str> = failures.map(|failure| failure.message.as_str()).collect();
        assert_eq!(report.counts().1 > 0, fails, "{path:?}: {findings:?} {failures:?}");
    }
}
