//! An incident from its first sign to its end.

use crate::site::{Site, nodes};

/// `for` is long enough to be killed within. The interval makes a restart within four seconds one
/// that changes nothing.
#[test]
fn an_incident_goes_through_two_crashes_and_is_told_once() {
    let Some(site) = Site::new("lifecycle") else { return };
    site.write_rule("2s", "6s");
    site.write_config(&site.ops());
    let daemon = site.start();

    site.fail(&["a", "b"]);
    let pending = daemon.wait_for_alerts("pending", 2);
    daemon.wait_for_metric("watchbell_alerts", &["state=\"pending\""], 2.0);
    assert_eq!(site.taken("*").len(), 0, "nobody is told of a pending alert");
    daemon.crash();

    let daemon = site.start();
    let firing = daemon.wait_for_alerts("firing", 2);
    for (before, after) in pending.iter().zip(&firing) {
        assert_eq!(before["labels"], after["labels"]);
        assert_eq!(before["activeAt"], after["activeAt"], "the clock of `for` has not restarted");
    }
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(nodes(&told[0], "firing"), ["a", "b"], "one message for the group");
    daemon.wait_for_metric("watchbell_notifications_total", &["integration=\"webhook\""], 1.0);
    daemon.crash();

    let daemon = site.start();
    assert_eq!(daemon.alerts("firing").len(), 2, "it fires from the first moment");
    daemon.wait_for_rounds(2);
    assert_eq!(site.taken("*").len(), 1, "no second announcement");

    site.mend(&["a", "b"]);
    daemon.wait_for_alerts("firing", 0);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["a", "b"]);
    daemon.stop();
    assert_eq!(site.taken("*").len(), 2, "told once");
    site.assert_correct();
}
