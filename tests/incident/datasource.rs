//! The datasource goes away and comes back.

use crate::daemon::Daemon;
use crate::site::Site;
use crate::support::{free_port, http, wait_until};

/// The datasource is away: what is known stays as it is, nobody is told anything, and what it
/// says when it is back goes on from there.
#[test]
fn without_prometheus_the_state_is_frozen() {
    let Some(site) = Site::new("frozen") else { return };
    let port = free_port();
    let prometheus = site.own_prometheus(port);
    let route = "{receiver: ops, group_by: [alertname]}";
    site.write_all(&prometheus.url(""), route, "{}", &site.ops());
    let mut daemon = site.start();
    site.fail(&["a"]);
    site.wait_for_taken("/webhook/ops", 1);
    let before = daemon.wait_for_alerts("firing", 1);

    drop(prometheus);
    let health = |daemon: &Daemon| {
        let rules = daemon.get("/api/v1/rules").json();
        let rule = rules.pointer("/data/groups/0/rules/0").expect("the rule").clone();
        (rule["health"].as_str().unwrap().to_owned(), rule["lastError"].as_str().map(str::to_owned))
    };
    wait_until("health err", || (health(&daemon).0 == "err").then_some(()));
    assert!(!health(&daemon).1.unwrap_or_default().is_empty(), "the rule says why");
    daemon.wait_for_log("evaluation failed");
    daemon.wait_for_rounds(3);
    assert_eq!(daemon.alerts("firing")[0]["activeAt"], before[0]["activeAt"]);
    assert!(daemon.metric("watchbell_rule_evaluation_failures_total", &[]) >= 3.0);
    assert_eq!(daemon.get("/-/healthy").status, 200, "this is not the daemon's own illness");
    daemon.crash();
    let mut daemon = site.start();
    daemon.wait_for_rounds(2);
    assert_eq!(daemon.alerts("firing")[0]["activeAt"], before[0]["activeAt"], "after a crash too");

    let prometheus = site.own_prometheus(port);
    daemon.wait_for_log("the rule evaluates again");
    daemon.wait_for_rounds(2);
    assert_eq!(daemon.alerts("firing")[0]["activeAt"], before[0]["activeAt"]);
    assert_eq!(site.taken("*").len(), 1, "neither resolved nor announced again");
    site.mend(&["a"]);
    site.wait_for_taken("/webhook/ops", 2);
    daemon.stop();
    site.assert_correct();
    drop(prometheus);
}

/// A Prometheus that comes back without its data knows of no fault, which is not the end of one.
#[test]
fn a_prometheus_that_lost_its_data_ends_no_alert() {
    let Some(site) = Site::new("amnesia") else { return };
    let port = free_port();
    let prometheus = site.own_prometheus(port);
    let route = "{receiver: ops, group_by: [alertname]}";
    site.write_all(&prometheus.url(""), route, "{}", &site.ops());
    let mut daemon = site.start();
    site.fail(&["a"]);
    site.wait_for_taken("/webhook/ops", 1);
    drop(prometheus);
    daemon.wait_for_log("evaluation failed");
    std::fs::remove_dir_all(site.dir.join("prometheus/data")).unwrap();
    let prometheus = site.own_prometheus(port);
    let fault = format!("{}/api/v1/query?query=fault_amnesia", prometheus.url(""));
    wait_until("it knows of the fault again", || {
        let found = http::get(&fault).unwrap().json();
        found.pointer("/data/result/0").map(|_| ())
    });
    daemon.wait_for_rounds(2);
    assert_eq!(daemon.alerts("firing").len(), 1);
    assert_eq!(site.taken("*").len(), 1, "neither resolved nor announced again");
    daemon.stop();
}
