//! The program was away for a while, or the wall clock jumps.

use std::path::Path;

use crate::daemon::Daemon;
use crate::site::{Site, group, nodes, rule};
use crate::support::{skip, wait_until};

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// Makes the store look as if the program had been away for so many seconds more.
fn away_for(site: &Site, seconds: i64) {
    let db = rusqlite::Connection::open(site.dir.join("data/watchbell.db")).unwrap();
    let millis = seconds * 1000;
    db.execute_batch(&format!(
        "UPDATE heartbeat SET at = at - {millis};
         UPDATE alert SET active_at = active_at - {millis}, fired_at = fired_at - {millis};
         UPDATE aggregation_group SET next_flush = next_flush - {millis};"
    ))
    .unwrap();
}

fn seconds_ago(alert: &serde_json::Value) -> i64 {
    let at: jiff::Timestamp = alert["activeAt"].as_str().unwrap().parse().unwrap();
    jiff::Timestamp::now().as_second() - at.as_second()
}

/// What fires stays, and is not told again; what was pending goes on waiting, or begins anew.
#[test]
fn a_stop_of_seconds_minutes_and_hours_ends_nothing_and_repeats_nothing() {
    let Some(site) = Site::new("away") else { return };
    let rules = rule("NodeDown", "fault_away == 1", "0s") + &rule("Slow", "fault_away == 1", "30m");
    site.dir.write("rules/incident.yaml", &group("incident", "1s", &rules));
    site.write_apart();
    let daemon = site.start();
    site.fail(&["a"]);
    site.wait_for_taken("/webhook/ops", 1);
    let before = daemon.wait_for_alerts("pending", 1);
    daemon.crash();

    let daemon = site.start();
    daemon.wait_for_rounds(3);
    let after = daemon.wait_for_alerts("pending", 1);
    assert_eq!(after[0]["activeAt"], before[0]["activeAt"], "seconds: the clock has gone on");
    daemon.crash();
    // Nothing was measured in these stops: Prometheus' rule decides, and never lets it fire at once.
    for (away, firing) in [(600, 600), (7200, 7800)] {
        away_for(&site, away);
        let daemon = site.start();
        daemon.wait_for_rounds(3);
        let fires = daemon.wait_for_alerts("firing", 1);
        assert!(seconds_ago(&fires[0]) >= firing, "it has fired since then: {fires:?}");
        let waits = daemon.wait_for_alerts("pending", 1);
        assert!(seconds_ago(&waits[0]) <= 1800, "{away}: {waits:?}");
        assert_eq!(site.taken("/webhook/ops").len(), 1, "{away}: nothing is announced again");
        daemon.crash();
    }
    let daemon = site.start();
    site.mend(&["a"]);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["a"]);
    daemon.stop();
    site.assert_correct();
}

/// An hour forward, then two back: nothing fires early, nothing is told twice or an hour late.
#[test]
fn a_wall_clock_that_jumps_neither_silences_nor_floods() {
    let Some(site) = Site::new("jump") else { return };
    if !Path::new(FAKETIME).exists() {
        return skip("FAKETIME", "faketime is not installed, tests/run installs it");
    }
    // They hold whatever time the datasource is asked for.
    let rules = |count: usize| {
        let always = (0..count).map(|n| rule(&format!("Always{n}"), &format!("vector({n})"), "0s"));
        let slow = rule("Slow", "vector(9)", "30m");
        let text = group("incident", "1s", &(always.collect::<String>() + &slow));
        site.dir.write("rules/incident.yaml", &text);
    };
    rules(1);
    let config = site.write_apart();
    let clock = site.dir.write("clock", "+0s\n");
    let daemon = Daemon::start_in(
        &config,
        &[
            ("LD_PRELOAD", FAKETIME),
            ("FAKETIME_TIMESTAMP_FILE", &clock),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ],
    );
    site.wait_for_taken("/webhook/ops", 1);
    let alert = |body: &serde_json::Value| body["alerts"][0]["labels"]["alertname"].clone();
    for (jump, number) in [("+3600s\n", 1), ("-3600s\n", 2)] {
        let evaluated =
            || daemon.metric("watchbell_rule_group_last_evaluation_timestamp_seconds", &[]);
        let before = evaluated();
        site.dir.write("clock", jump);
        wait_until("it has seen the jump", || {
            ((evaluated() - before).abs() > 3000.0).then_some(())
        });
        daemon.wait_for_rounds(6);
        assert_eq!(site.taken("/webhook/ops").len(), number, "{jump}: nobody is told anything");
        assert_eq!(daemon.alerts("pending").len(), 1, "{jump}: half an hour has not passed");
        rules(number + 1);
        assert_eq!(daemon.reload().status, 200);
        let told = site.wait_for_taken("/webhook/ops", number + 1);
        assert_eq!(alert(&told[number]), format!("Always{number}"), "{jump}: told in time");
    }
    daemon.stop();
}
