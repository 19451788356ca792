//! The API over HTTP, and passes over a server that fails, is restarted and gets runs meanwhile.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::*;
use crate::collect::{Collected, EndedRun, Experiment, Ledger, Progress, RunStatus};
use crate::http::tests::server::{Seen, Server, response};
use crate::http::{Auth, HttpConfig};
use crate::model::{Secret, SecretSource, Timestamp};

fn config(uri: &str) -> MlflowConfig {
    MlflowConfig {
        tracking_uri: Secret::new(uri),
        interval: Duration::from_secs(30),
        timeout: Duration::from_secs(5),
        http: HttpConfig::default(),
    }
}

fn info(id: &str, status: &str, end: Value) -> Value {
    json!({"info": {"run_id": id, "run_uuid": id, "experiment_id": "1", "status": status,
        "end_time": end, "lifecycle_stage": "active"}, "data": {"tags": []}})
}

/// What MLflow 3.17 answers to what it is asked.
fn mlflow(seen: &Seen) -> axum::response::Response {
    let question: Value = serde_json::from_str(&seen.body).unwrap();
    let answer = match (seen.uri.as_str(), question["page_token"].as_str()) {
        ("/base/api/2.0/mlflow/experiments/search", None) => {
            json!({"experiments": [{"experiment_id": "1", "name": "churn",
                "lifecycle_stage": "active"}], "next_page_token": "b"})
        }
        ("/base/api/2.0/mlflow/experiments/search", Some("b")) => json!({}),
        ("/base/api/2.0/mlflow/runs/search", None) => {
            json!({"runs": [info("r1", "FAILED", json!(5)), info("r2", "RUNNING", json!(6))],
                "next_page_token": "eyJvZmZzZXQiOiAyfQ=="})
        }
        ("/base/api/2.0/mlflow/runs/search", Some("eyJvZmZzZXQiOiAyfQ==")) => {
            json!({"runs": [info("r3", "KILLED", json!("7")), info("r4", "SCHEDULED", Value::Null)],
                "next_page_token": ""})
        }
        _ => return response(404, &[], "no such page"),
    };
    response(200, &[], answer.to_string())
}

#[tokio::test]
async fn the_questions_are_those_that_mlflow_understands() {
    let server = Server::start(mlflow).await;
    let client = MlflowClient::new(&config(&server.url("/base/"))).unwrap();
    let (experiments, next) = client.experiments(None).await.unwrap();
    assert_eq!(experiments, [Experiment { id: "1".into(), name: "churn".into() }]);
    let asked: Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!(asked, json!({"max_results": 1000, "view_type": "ACTIVE_ONLY"}));
    assert_eq!(client.experiments(next.as_deref()).await.unwrap(), (vec![], None));

    let ids = [Arc::from("1"), Arc::from("2")];
    let from = Timestamp::from_millis(1_700_000_000_123);
    let page = client.ended_runs(&ids, from, None).await.unwrap();
    let asked: Value = serde_json::from_str(&server.last().body).unwrap();
    let expected = json!({"experiment_ids": ["1", "2"], "max_results": 200,
        "filter": "attributes.end_time >= 1700000000123",
        "order_by": ["attributes.end_time ASC"], "run_view_type": "ACTIVE_ONLY"});
    assert_eq!(asked, expected);
    assert_eq!(server.last().method, "POST");
    let run = |id: &str, status, end| EndedRun {
        id: id.into(),
        experiment: "1".into(),
        status,
        ended_at: Timestamp::from_millis(end),
    };
    assert_eq!(page.runs, [run("r1", RunStatus::Failed, 5)], "one that was resumed has not ended");
    assert_eq!(page.last_end, Some(Timestamp::from_millis(6)));
    let page = client.ended_runs(&ids, from, page.next.as_deref()).await.unwrap();
    assert_eq!((page.runs, page.next), (vec![run("r3", RunStatus::Killed, 7)], None));
}

#[tokio::test]
async fn every_refusal_has_a_kind_and_no_secret() {
    let server = Server::start(|seen: &Seen| {
        match (seen.uri.split('/').nth(1).unwrap(), seen.header("authorization")) {
            ("401", Some(header)) => response(401, &[], format!("not {header}")),
            ("503", _) => response(503, &[], r#"{"error_code": "TEMPORARILY_UNAVAILABLE"}"#),
            ("html", _) => response(200, &[], "<html>sign in</html>"),
            _ => response(200, &[], r#"{"experiments": [{"experiment_id": "1"}]}"#),
        }
    })
    .await;
    let ask = async |path: &str| {
        let mut config = config(&server.url(path));
        let token = SecretSource::Inline(Secret::new("dapi-s3cr3t"));
        config.http.auth = Auth::Scheme { scheme: "Bearer".to_string(), credentials: Some(token) };
        let error = MlflowClient::new(&config).unwrap().experiments(None).await.unwrap_err();
        (error.same_as(), error.to_string())
    };
    let (kind, text) = ask("/401").await;
    assert_eq!(kind, ("status", 401));
    assert_eq!(server.last().header("authorization"), Some("Bearer dapi-s3cr3t"));
    assert!(!text.contains("s3cr3t"), "{text}");
    assert_eq!(ask("/503").await.0, ("status", 503));
    assert_eq!(ask("/html").await.0, ("decode", 0));
    assert_eq!(ask("/nameless").await.0, ("decode", 0));
    drop(server);
    let nowhere = MlflowClient::new(&config("http://127.0.0.1:9")).unwrap();
    assert_eq!(nowhere.experiments(None).await.unwrap_err().kind(), "connect");
}

#[tokio::test]
async fn a_server_that_is_slow_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let slow = MlflowConfig { timeout: Duration::from_millis(50), ..config(&origin) };
    let error = MlflowClient::new(&slow).unwrap().experiments(None).await.unwrap_err();
    assert_eq!(error.kind(), "timeout");
}

/// Numbers that look random and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % sides
    }
}

/// A server in memory, with small answers, which fails as the dice fall.
struct Stub {
    runs: Mutex<Vec<EndedRun>>,
    experiments: Mutex<Vec<Experiment>>,
    dice: Mutex<Dice>,
    fails_of_ten: u64,
}

impl Stub {
    fn maybe_fail(&self) -> Result<(), TrackingError> {
        match self.dice.lock().unwrap().roll(10) < self.fails_of_ten {
            true => Err(TrackingError::Decode("503".to_string())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Tracking for Stub {
    async fn experiments(
        &self,
        _: Option<&str>,
    ) -> Result<(Vec<Experiment>, Option<String>), TrackingError> {
        self.maybe_fail()?;
        Ok((self.experiments.lock().unwrap().clone(), None))
    }

    async fn ended_runs(
        &self,
        experiments: &[Arc<str>],
        from: Timestamp,
        page: Option<&str>,
    ) -> Result<RunPage, TrackingError> {
        self.maybe_fail()?;
        let runs = self.runs.lock().unwrap();
        let wanted =
            |run: &&EndedRun| run.ended_at >= from && experiments.contains(&run.experiment);
        let mut found: Vec<EndedRun> = runs.iter().filter(wanted).cloned().collect();
        found.sort_by_key(|run| run.ended_at);
        // Pages begin at a place in the list, as MLflow's do: what comes in between moves them.
        let start = page.map_or(0, |page| page.parse::<usize>().unwrap()).min(found.len());
        let end = (start + 10).min(found.len());
        let next = (end < found.len()).then(|| end.to_string());
        let runs = found[start..end].to_vec();
        Ok(RunPage { last_end: runs.iter().map(|run| run.ended_at).max(), runs, next })
    }
}

/// Hours of runs that end and become known late, passes that fail half way, commits that are lost,
/// deaths and experiments that are deleted and restored: in the end each run is counted once.
#[tokio::test]
async fn whatever_happens_each_run_is_counted_once() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let experiment =
            |id: u64| Experiment { id: id.to_string().into(), name: format!("e{id}").into() };
        let all: Vec<Experiment> = (0..3).map(experiment).collect();
        let stub = Stub {
            runs: Mutex::default(),
            experiments: Mutex::new(all.clone()),
            dice: Mutex::new(Dice(seed + 1_000)),
            fails_of_ten: 0,
        };
        let start = Timestamp::from_secs(1_000_000);
        let mut ledger = Ledger::new("s", None);
        let mut stored: Option<Collected> = None;
        poll(&stub, &mut ledger, start).await.unwrap();
        let mut stub = Stub { fails_of_ten: dice.roll(2), ..stub };
        let mut expected = [0_u64; 3];
        let (mut now, mut number) = (start, 0);
        for _ in 0..120 {
            now = now + Duration::from_secs(30 + dice.roll(120));
            for _ in 0..dice.roll(4) {
                let status = RunStatus::ALL[usize::try_from(dice.roll(3)).unwrap()];
                // Known up to 20 minutes late, many in one millisecond.
                let late = Duration::from_secs(60 * dice.roll(20));
                let end = Timestamp::from_secs((now - late).millis() / 60_000 * 60);
                let run = EndedRun {
                    id: number.to_string().into(),
                    experiment: dice.roll(3).to_string().into(),
                    status,
                    ended_at: end.max(start - Duration::from_secs(600)),
                };
                number += 1;
                expected[RunStatus::ALL.iter().position(|s| *s == status).unwrap()] += 1;
                stub.runs.lock().unwrap().push(run);
            }
            // One of the experiments is away for one pass.
            let away = dice.roll(12).to_string();
            *stub.experiments.lock().unwrap() =
                all.iter().filter(|e| *e.id != *away).cloned().collect();
            let _ = poll(&stub, &mut ledger, now).await;
            if dice.roll(4) != 0
                && let Some(change) = ledger.change()
            {
                change.apply(&mut stored);
                // The answer may be lost, so that the same is stored again.
                if dice.roll(4) != 0 {
                    ledger.stored();
                }
            }
            if dice.roll(10) == 0 && stored.is_some() {
                ledger = Ledger::new("s", stored.clone());
            }
        }
        // All is well again.
        *stub.experiments.lock().unwrap() = all.clone();
        stub.fails_of_ten = 0;
        for _ in 0..10 {
            poll(&stub, &mut ledger, now).await.unwrap();
        }
        let counted = ledger.shown().0.values().fold([0; 3], |mut sum, shown| {
            sum.iter_mut().zip(shown.counts).for_each(|(sum, count)| *sum += count);
            sum
        });
        assert_eq!(counted, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn a_pass_is_bounded() {
    let runs = (0..1_000).map(|n: i64| EndedRun {
        id: n.to_string().into(),
        experiment: "0".into(),
        status: RunStatus::Finished,
        ended_at: Timestamp::from_secs(1_000_000 + n),
    });
    let stub = Stub {
        runs: Mutex::default(),
        experiments: Mutex::new(vec![Experiment { id: "0".into(), name: "a".into() }]),
        dice: Mutex::new(Dice(0)),
        fails_of_ten: 0,
    };
    let mut ledger = Ledger::new("s", None);
    poll(&stub, &mut ledger, Timestamp::from_secs(1_000_000)).await.unwrap();
    *stub.runs.lock().unwrap() = runs.collect();
    let mut seen = BTreeSet::new();
    for pass in 0..20 {
        let now = Timestamp::from_secs(1_001_000 + pass);
        let (progress, left_out) = poll(&stub, &mut ledger, now).await.unwrap();
        assert!(!left_out);
        seen.insert(ledger.shown().0["a"].counts[0]);
        if progress == Progress::Whole {
            break;
        }
    }
    assert!(seen.len() > 1, "{seen:?}: not all in one pass");
    assert_eq!(seen.last(), Some(&1_000));
}
