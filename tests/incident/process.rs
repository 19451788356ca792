//! Start, stop and what lies between two of them.

use std::time::Instant;

use serde_json::json;

use crate::daemon::Daemon;
use crate::site::{Site, nodes};
use crate::support::{say, wait_until};

#[test]
fn a_folder_has_one_owner_and_is_free_at_once_after_a_crash() {
    let Some(site) = Site::new("owner") else { return };
    let config = site.write_config(&site.ops());
    let daemon = site.start();
    let began = Instant::now();
    let mut second = Daemon::spawn(&config, &[]);
    let status = second.wait();
    let said = second.whole_output();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("data"), "it names the folder: {said}");
    assert!(began.elapsed().as_secs() < 5, "it does not wait: {:?}", began.elapsed());
    daemon.get("/-/ready");

    let first = daemon.ready_after;
    daemon.crash();
    let daemon = site.start();
    say(&format!("ready {:?} after start, {:?} after kill -9", first, daemon.ready_after));
    assert!(daemon.ready_after.as_secs() < 5, "{:?}", daemon.ready_after);
    daemon.stop();
}

/// SIGTERM lets a slow delivery finish, says meanwhile that it is not ready, and exits with 0.
#[test]
fn a_stop_finishes_what_is_in_flight() {
    let Some(site) = Site::new("drain") else { return };
    site.write_config(&site.ops());
    site.receivers.fault(json!({"path": "*", "action": "delay", "seconds": 2, "count": 1}));
    let daemon = site.start();
    site.fail(&["a"]);
    wait_until("the delivery has begun", || (site.receivers.faults_left() == 0).then_some(()));
    assert_eq!(site.taken("*").len(), 0, "it is in flight");
    let log = daemon.stop();
    assert_eq!(site.taken("*").len(), 1, "it was finished: {log}");
    assert!(log.contains("notification delivered") && log.contains("stopped"), "{log}");

    let daemon = site.start();
    daemon.wait_for_rounds(3);
    let told = site.taken("/webhook/ops");
    assert_eq!(told.len(), 1, "and is not repeated");
    assert_eq!(nodes(&told[0], "firing"), ["a"]);
    daemon.stop();
}

/// SIGTERM at any moment of a start ends it in order.
#[test]
fn a_stop_during_the_start_is_not_lost() {
    let Some(site) = Site::new("early") else { return };
    let config = site.write_config(&site.ops());
    for millis in [0, 5, 20, 50, 100, 200] {
        let mut process = Daemon::spawn(&config, &[]);
        let began = Instant::now();
        // Not a wait for something: the moment of the signal is what varies.
        while began.elapsed().as_millis() < millis {
            std::hint::spin_loop();
        }
        process.signal("TERM");
        let status = process.wait();
        let died_before_main = status.code().is_none();
        let said = process.whole_output();
        assert!(status.code() == Some(0) || died_before_main, "{status}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    site.start().stop();
}
