//! Killed at random moments, over and over, while receivers fail at random.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::site::{Site, key, nodes};
use crate::support::say;

const KILLS: usize = 200;
/// How many nodes fail, one after the other; each is a group of its own.
const NODES: usize = 24;

fn node(number: usize) -> String {
    format!("node{number:02}x")
}

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
    let path = ["/webhook/*", "/v2/*", "/services/*", "*"][random.below(4) as usize];
    match random.below(6) {
        0 => json!({"path": path, "action": "status", "status": 503, "count": 1}),
        1 => json!({"path": path, "action": "status", "status": 429, "retry_after": 1, "count": 1}),
        2 => json!({"path": path, "action": "hang", "seconds": 1, "count": 1}),
        3 => json!({"path": path, "action": "drop_after", "count": 1}),
        4 => json!({"path": path, "action": "drop_before", "count": 1}),
        _ => json!({"path": path, "action": "process_drop", "count": 1}),
    }
}

/// What an accepted request says: which node, to whom, that it fails or no longer does.
fn said(request: &Value) -> Vec<String> {
    let body = &request["json"];
    let path = request["path"].as_str().unwrap_or_default();
    if path.starts_with("/webhook/") {
        let of =
            |status| nodes(body, status).into_iter().map(move |n| format!("webhook {status} {n}"));
        return of("firing").chain(of("resolved")).collect();
    }
    let text = body.to_string();
    let Some(at) = named(&text) else { return Vec::new() };
    if path.starts_with("/services/") {
        let status = if text.contains("[FIRING") { "firing" } else { "resolved" };
        return vec![format!("slack {status} {at}")];
    }
    let status = if body["event_action"] == "trigger" { "firing" } else { "resolved" };
    vec![format!("pagerduty {status} {at}")]
}

/// The node that a text names.
fn named(text: &str) -> Option<String> {
    (0..NODES).map(node).find(|node| text.contains(node))
}

/// The accepted requests by what they say, oldest first.
fn by_message(site: &Site) -> BTreeMap<String, Vec<Value>> {
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    // PagerDuty's resolve has no words: its key tells whose end it is.
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    for request in site.receivers.received("*") {
        if request["accepted"] != true {
            continue;
        }
        let mut messages = said(&request);
        if let Some(key) = request["json"]["dedup_key"].as_str() {
            match messages.first() {
                Some(message) => {
                    let node = message.rsplit(' ').next().unwrap_or_default();
                    keys.insert(key.to_owned(), node.to_owned());
                }
                None => {
                    messages.extend(keys.get(key).map(|node| format!("pagerduty resolved {node}")))
                }
            }
        }
        for message in messages {
            found.entry(message).or_default().push(request.clone());
        }
    }
    found
}

/// Which of all messages nobody has taken yet.
fn missing(site: &Site, status: &str) -> Vec<String> {
    let told = by_message(site);
    let all = (0..NODES).flat_map(|number| {
        ["webhook", "slack", "pagerduty"].map(|to| format!("{to} {status} {}", node(number)))
    });
    all.filter(|message| !told.contains_key(message)).collect()
}

fn wait_for_all(site: &Site, status: &str) {
    let started = Instant::now();
    loop {
        let missing = missing(site, status);
        if missing.is_empty() {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(90), "lost: {missing:?}");
        // Each look reads everything that came in.
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Kills it once, at a random moment of its start, its work or a reload.
fn kill_once(config: &str, reloads: &[String; 2], round: usize, random: &mut Random) -> f64 {
    let mut process = Daemon::spawn(config, &[]);
    // Not waits for something: these are the random moments.
    let pause = |millis| std::thread::sleep(Duration::from_millis(millis));
    match random.below(8) {
        0 => pause(random.below(300)),
        1 => {
            process.wait_for_line("listening");
            std::fs::write(config, &reloads[round % 2]).unwrap();
            process.signal("HUP");
            pause(random.below(120));
        }
        _ => {
            process.wait_for_line("listening");
            pause(random.below(600));
        }
    }
    process.crash();
    let at = unix(SystemTime::now());
    let said = process.whole_output();
    assert!(!said.contains("panicked"), "{said}");
    at
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
        "- {{name: ops, webhook_configs: [{}], pagerduty_configs: [{pagerduty}], slack_configs: [{}]}}",
        site.webhook("ops"),
        site.slack_webhook("/services/T000000/B000000/crashes"),
    );
    let route = "{receiver: ops, group_by: [alertname, node]}";
    let config = site.write_routes(route, "{}", &receivers);
    let plain = std::fs::read_to_string(&config).unwrap();
    let reloads = [format!("{plain}- {{name: unused}}\n"), plain];

    let began = Instant::now();
    let mut kills = Vec::new();
    let mut mended = BTreeSet::new();
    for round in 0..KILLS {
        let failing = round * NODES / KILLS;
        site.fail(&[&node(failing)]);
        if round % 8 == 7 {
            let told = by_message(&site);
            let knows = |to, number| told.contains_key(&format!("{to} firing {}", node(number)));
            for number in 0..failing {
                let known = ["webhook", "slack", "pagerduty"].iter().all(|to| knows(to, number));
                if known && random.below(2) == 0 && mended.insert(number) {
                    site.mend(&[&node(number)]);
                }
            }
        }
        site.receivers.fault(random_fault(&mut random));
        kills.push(kill_once(&config, &reloads, round, &mut random));
    }
    let killing = began.elapsed();

    site.receivers.reset_faults();
    let daemon = site.start();
    wait_for_all(&site, "firing");
    (0..NODES).for_each(|number| site.mend(&[&node(number)]));
    wait_for_all(&site, "resolved");
    daemon.wait_for_alerts("firing", 0);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    daemon.stop();

    let (mut messages, mut by_kill, mut by_silence) = (0, 0, 0);
    for (what, requests) in by_message(&site) {
        messages += 1;
        for pair in requests.windows(2) {
            let time = |request: &Value| request["time"].as_f64().unwrap();
            let (first, again) = (time(&pair[0]), time(&pair[1]));
            let unanswered = pair[0]["fault"] == "process_drop";
            // What was sent before a kill may be read by a busy receiver a moment after it.
            let killed = kills.iter().any(|kill| (first - 0.5..again).contains(kill));
            assert!(unanswered || killed, "{what} repeated without need: {kills:?} {pair:#?}");
            if !what.starts_with("slack") {
                assert_eq!(key(&pair[0]), key(&pair[1]), "{what}: one key for one message");
            }
            if unanswered { by_silence += 1 } else { by_kill += 1 }
        }
    }
    let incidents = site.receivers.state()["incidents"].as_array().expect("incidents").clone();
    assert_eq!(incidents.len(), NODES);
    for incident in incidents {
        assert_eq!((&incident["opened"], &incident["status"]), (&json!(1), &json!("resolved")));
        assert_eq!(incident["events"][0], "trigger");
    }
    let requests = site.receivers.received("*").len();
    let unlearned = requests.saturating_sub(attempts(&site));
    say(&format!(
        "{KILLS} kills in {killing:?} (settled after {:?}), {messages} messages in {requests} attempts, \
         {unlearned} attempts in flight when killed, repeats: {by_kill} of those, {by_silence} where \
         the receiver took it and did not answer; lost: 0",
        began.elapsed() - killing
    ));
    assert!(unlearned >= 5, "the kills hit attempts in flight: {unlearned}");
    assert!(by_kill <= KILLS, "at most one repeat for each kill: {by_kill}");
}

/// How many attempts the store knows the outcome of.
fn attempts(site: &Site) -> usize {
    let db = rusqlite::Connection::open(site.dir.join("data/watchbell.db")).unwrap();
    let count: i64 = db.query_row("SELECT count(*) FROM attempt", [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}
