//! Killed at random moments, over and over, while receivers fail at random.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::site::{Site, key, nodes};
use crate::support::wait_until;

const ROUNDS: u64 = 25;
const NODES: [&str; 10] = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"];

/// Numbers that look random (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn random_fault(random: &mut Random) -> Value {
    let path = ["/webhook/*", "/v2/*", "*"][random.below(3) as usize];
    match random.below(6) {
        0 => json!({"path": path, "action": "status", "status": 503, "count": 1}),
        1 => json!({"path": path, "action": "status", "status": 429, "retry_after": 1, "count": 1}),
        2 => json!({"path": path, "action": "hang", "seconds": 1, "count": 1}),
        3 => json!({"path": path, "action": "drop_after", "count": 1}),
        4 => json!({"path": path, "action": "drop_before", "count": 1}),
        _ => json!({"path": path, "action": "process_drop", "count": 1}),
    }
}

/// The accepted requests by node and status.
fn accepted(site: &Site) -> BTreeMap<(String, &'static str), Vec<Value>> {
    let mut found: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    for request in site.receivers.received("/webhook/*") {
        for status in ["firing", "resolved"] {
            if request["accepted"] == true {
                for node in nodes(&request["json"], status) {
                    found.entry((node, status)).or_default().push(request.clone());
                }
            }
        }
    }
    found
}

/// The accepted requests by what they say: a node's state to a webhook, an event to PagerDuty.
fn by_message(site: &Site) -> BTreeMap<String, Vec<Value>> {
    let name = |(node, status)| format!("{node} {status}");
    let mut found: BTreeMap<String, Vec<Value>> =
        accepted(site).into_iter().map(|(what, requests)| (name(what), requests)).collect();
    for request in site.receivers.received("/v2/*") {
        if request["accepted"] == true {
            let event = &request["json"];
            let what = format!("{} {}", event["event_action"], event["dedup_key"]);
            found.entry(what).or_default().push(request);
        }
    }
    found
}

fn wait_for_all(site: &Site, status: &'static str) {
    let told = || NODES.map(|node| accepted(site).contains_key(&(node.to_owned(), status)));
    wait_until(&format!("all nodes are told as {status}"), || {
        told().iter().all(|told| *told).then_some(())
    });
}

#[test]
fn whatever_kills_it_everything_is_told_and_only_the_unknown_is_repeated() {
    let Some(site) = Site::new("crashes") else { return };
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let mut random = Random(seed);
    site.write_rule("1s", "1s");
    let pagerduty = site.pagerduty("R000000000000000000000000000CRSH");
    let receivers = format!(
        "- {{name: ops, webhook_configs: [{}], pagerduty_configs: [{pagerduty}]}}",
        site.webhook("ops")
    );
    let config =
        site.write_routes("{receiver: ops, group_by: [alertname, node]}", "{}", &receivers);

    let mut kills = Vec::new();
    let mut mended = Vec::new();
    for round in 0..ROUNDS {
        if let Some(node) = NODES.get(round as usize / 2) {
            site.fail(&[node]);
        }
        for (node, _) in accepted(&site).into_keys().filter(|(_, status)| *status == "firing") {
            if !mended.contains(&node) && random.below(2) == 0 {
                site.mend(&[&node]);
                mended.push(node);
            }
        }
        site.receivers.fault(random_fault(&mut random));
        let mut process = Daemon::spawn(&config, &[]);
        // Not a wait for something: this is the random moment.
        std::thread::sleep(Duration::from_millis(50 + random.below(1500)));
        process.crash();
        kills.push(unix(SystemTime::now()));
        let said = process.whole_output();
        assert!(!said.contains("panicked"), "{said}");
    }

    let began = Instant::now();
    site.receivers.reset_faults();
    let daemon = site.start();
    wait_for_all(&site, "firing");
    site.mend(&NODES);
    wait_for_all(&site, "resolved");
    daemon.wait_for_alerts("firing", 0);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    daemon.stop();
    println!("settled after {:?}", began.elapsed());

    for (what, requests) in by_message(&site) {
        for pair in requests.windows(2) {
            let time = |request: &Value| request["time"].as_f64().unwrap();
            let (first, again) = (time(&pair[0]), time(&pair[1]));
            let never_learned = pair[0]["fault"] == "process_drop"
                || kills.iter().any(|kill| (first..again).contains(kill));
            assert!(never_learned, "{what} repeated without need: {pair:#?}");
            assert_eq!(key(&pair[0]), key(&pair[1]), "{what}: one key for one message");
        }
    }
    let incidents = site.receivers.state()["incidents"].as_array().expect("incidents").clone();
    assert_eq!(incidents.len(), NODES.len());
    for incident in incidents {
        assert_eq!((&incident["opened"], &incident["status"]), (&json!(1), &json!("resolved")));
        assert_eq!(incident["events"][0], "trigger");
    }
}
