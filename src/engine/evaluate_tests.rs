//! Evaluation against answers that a test chooses.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use crate::alerting::{AlertState, NoData, RuleAlerts};
use crate::diag::SourceFile;
use crate::engine::{Away, EvalError, Evaluator, Past};
use crate::model::{LabelSet, Sample, Timestamp};
use crate::query::{Querier, QueryError, QueryResult, QueryValue, RangeResult, Series};
use crate::rule::{AlertingRule, Rule, check};

/// Answers by the text of the query, and remembers what was asked and for when.
#[derive(Default)]
struct Answers {
    instant: HashMap<String, QueryValue>,
    range: HashMap<String, Vec<Series>>,
    asked: Mutex<Vec<(String, Timestamp)>>,
}

#[async_trait]
impl Querier for Answers {
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError> {
        self.asked.lock().unwrap().push((query.to_string(), at));
        let value = self.instant.get(query).cloned().unwrap_or(QueryValue::Vector(Vec::new()));
        Ok(QueryResult { value, warnings: vec!["partial".to_string()], infos: Vec::new() })
    }

    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        _end: Timestamp,
        _step: Duration,
    ) -> Result<RangeResult, QueryError> {
        self.asked.lock().unwrap().push((query.to_string(), start));
        let series = self.range.get(query).cloned().unwrap_or_default();
        Ok(RangeResult { series, ..RangeResult::default() })
    }
}

const TS: Timestamp = Timestamp::from_secs(1_000_000);

fn rule(extra: &str) -> AlertingRule {
    let text = format!("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up == 0\n{extra}");
    let (groups, findings) = check(&Arc::new(SourceFile::new("r.yaml", text)));
    assert!(findings.is_empty(), "{findings:?}");
    match groups.into_iter().next().unwrap().rules.into_iter().next().unwrap() {
        Rule::Alerting(rule) => rule,
        Rule::Recording(_) => panic!("an alerting rule"),
    }
}

fn sample(labels: &[(&str, &str)], value: f64) -> Sample {
    let labels: LabelSet = labels.iter().copied().collect();
    Sample { labels, timestamp: TS, value }
}

fn evaluator(answers: Answers) -> (Evaluator, Arc<Answers>) {
    let answers = Arc::new(answers);
    let evaluator = Evaluator {
        querier: Arc::clone(&answers) as Arc<dyn Querier>,
        external_labels: LabelSet::from([("cluster", "c1")]),
        external_url: "https://prom.example/base/".to_string(),
    };
    (evaluator, answers)
}

fn vector(samples: Vec<Sample>) -> Answers {
    let instant = HashMap::from([("up == 0".to_string(), QueryValue::Vector(samples))]);
    Answers { instant, ..Answers::default() }
}

#[tokio::test]
async fn templates_see_the_samples_labels_and_queries_run_at_the_evaluations_time() {
    let rule = rule(
        "    labels: {where: '{{ $labels.__name__ }}/{{ $labels.host }}', gone: '{{ $labels.x }}'}\n    \
         annotations: {summary: '{{ $value }} of {{ with query \"count(up)\" }}{{ . | first | value }}{{ end }} in {{ $externalLabels.cluster }}'}\n",
    );
    let mut answers =
        vector(vec![sample(&[("__name__", "up"), ("host", "a"), ("gone", "y")], 0.0)]);
    let count = QueryValue::Vector(vec![sample(&[], 7.0)]);
    answers.instant.insert("count(up)".to_string(), count);
    let (evaluator, answers) = evaluator(answers);
    let mut alerts = RuleAlerts::default();
    let query_at = TS - Duration::from_secs(60);
    let evaluated = evaluator.evaluate(&rule, 0, &mut alerts, TS, query_at).await.unwrap();
    assert_eq!(evaluated.warnings, ["partial"]);
    let (_, alert) = alerts.active().next().unwrap();
    // __name__ is dropped after the templates saw it; a label that expands to "" is removed.
    let labels = LabelSet::from([("alertname", "A"), ("host", "a"), ("where", "up/a")]);
    assert_eq!(alert.labels, labels);
    assert_eq!(alert.annotations, LabelSet::from([("summary", "0 of 7 in c1")]));
    assert_eq!(alert.state, AlertState::Firing);
    let asked = answers.asked.lock().unwrap().clone();
    // The expression at the offset, the template's query without it.
    assert_eq!(asked, [("up == 0".to_string(), query_at), ("count(up)".to_string(), TS)]);
}

#[tokio::test]
async fn a_template_that_fails_says_so_in_its_place_and_the_alert_goes_on() {
    let rule = rule("    annotations: {bad: '{{ humanizeTimestamp \"x\" }}', good: fine}\n");
    let (evaluator, _) = evaluator(vector(vec![sample(&[("host", "a")], 0.0)]));
    let mut alerts = RuleAlerts::default();
    evaluator.evaluate(&rule, 0, &mut alerts, TS, TS).await.unwrap();
    let (_, alert) = alerts.active().next().unwrap();
    assert!(alert.annotations.value("bad").starts_with("<error expanding template: "), "{alert:?}");
    assert_eq!(alert.annotations.value("good"), "fine");
}

#[tokio::test]
async fn a_scalar_is_one_sample_and_a_text_is_refused() {
    let rule = rule("");
    let scalar = HashMap::from([("up == 0".to_string(), QueryValue::Scalar(3.0))]);
    let (evaluator_of_scalar, _) = evaluator(Answers { instant: scalar, ..Answers::default() });
    let mut alerts = RuleAlerts::default();
    evaluator_of_scalar.evaluate(&rule, 0, &mut alerts, TS, TS).await.unwrap();
    let (_, alert) = alerts.active().next().unwrap();
    assert_eq!((alert.labels.to_string(), alert.value), ("{alertname=\"A\"}".to_string(), 3.0));

    let text = HashMap::from([("up == 0".to_string(), QueryValue::String("x".to_string()))]);
    let (evaluator, _) = evaluator(Answers { instant: text, ..Answers::default() });
    let before = alerts.clone();
    let error = evaluator.evaluate(&rule, 0, &mut alerts, TS, TS).await.unwrap_err();
    assert!(matches!(error, EvalError::NotVector("string")), "{error}");
    assert_eq!(alerts, before, "a failed evaluation freezes the state");
}

#[tokio::test]
async fn what_the_datasource_saw_becomes_evidence_by_alert() {
    let rule = rule("    labels: {host: '{{ $labels.host }}-x'}\n");
    let at = |secs| Timestamp::from_secs(secs);
    let series = |labels: &[(&str, &str)], times: &[i64]| Series {
        labels: labels.iter().copied().collect(),
        samples: times.iter().map(|t| (at(*t), 0.0)).collect(),
    };
    let range = HashMap::from([
        ("count(up)".to_string(), vec![series(&[], &[100, 130, 160])]),
        ("up == 0".to_string(), vec![series(&[("host", "a")], &[130, 160])]),
    ]);
    let (evaluator, answers) = evaluator(Answers { range, ..Answers::default() });
    let (step, offset) = (Duration::from_secs(30), Duration::from_secs(10));
    let evidence = evaluator.evidence(&rule, at(110), at(170), step, offset).await.unwrap();
    // Looked at 10 s earlier, as an evaluation with this offset would.
    assert!(answers.asked.lock().unwrap().iter().all(|(_, start)| *start == at(100)));
    assert_eq!(evidence.observed.into_iter().collect::<Vec<_>>(), [at(110), at(140), at(170)]);
    let id = LabelSet::from([("alertname", "A"), ("host", "a-x")]).fingerprint();
    let active: Vec<Timestamp> = evidence.active[&id].iter().copied().collect();
    assert_eq!(active, [at(140), at(170)]);
}

#[test]
fn the_link_to_the_graph_is_prometheus_own() {
    let (evaluator, _) = evaluator(Answers::default());
    let url = evaluator.generator_url("rate(x[5m]) > 0.5 and y{a=~\"b.*\"}");
    assert_eq!(
        url,
        "https://prom.example/base/graph?g0.expr=\
         rate%28x%5B5m%5D%29+%3E+0.5+and+y%7Ba%3D~%22b.%2A%22%7D&g0.tab=1"
    );
}

/// One evaluation that finds nothing, after the datasource was away since `last_answer` and then
/// returned `seen` times what fired; whether the alert goes on.
async fn goes_on(
    for_: &str,
    targets: Option<f64>,
    last_answer: Option<Timestamp>,
    seen: u32,
) -> bool {
    let rule = rule(&format!("    for: {for_}\n"));
    let mut alerts = RuleAlerts::default();
    let (before, _) = evaluator(vector(vec![sample(&[("host", "a")], 0.0)]));
    before.evaluate(&rule, 0, &mut alerts, TS, TS).await.unwrap();
    let mut away = Some(Away::since(last_answer, &alerts));
    for _ in 0..seen {
        let past = Past { away: away.as_ref(), ..Past::default() };
        let evaluated = before.evaluate_after(&past, &rule, 0, &mut alerts, TS, TS).await;
        away = away.and_then(|away| away.answered(TS, evaluated.unwrap().doubted));
    }
    let mut answers = vector(Vec::new());
    if let Some(targets) = targets {
        let count = QueryValue::Vector(vec![sample(&[], targets)]);
        answers.instant.insert("count(up)".to_string(), count);
    }
    let (evaluator, _) = evaluator(answers);
    let at = TS + Duration::from_secs(30);
    let past = Past { away: away.as_ref(), ..Past::default() };
    evaluator.evaluate_after(&past, &rule, 0, &mut alerts, at, at).await.unwrap();
    alerts.active().count() > 0
}

#[tokio::test]
async fn what_a_datasource_that_was_away_does_not_return_is_not_over_at_once() {
    assert!(goes_on("0s", None, Some(TS), 0).await, "it knows of no target");
    assert!(!goes_on("0s", Some(3.0), Some(TS), 0).await, "it knows of all");
    assert!(goes_on("0s", Some(3.0), None, 0).await, "it knows of three of how many?");
    assert!(!goes_on("0s", None, Some(TS), 1).await, "it has returned the alert since");
    assert!(!goes_on("1m", None, Some(TS), 0).await, "no `for` runs on a guess");
}

#[test]
fn doubt_ends_five_minutes_after_the_datasource_is_back() {
    let at = |secs| TS + Duration::from_secs(secs);
    let unseen = || std::iter::once(LabelSet::new().fingerprint()).collect();
    let away = || Away::since(None, &RuleAlerts::default()).answered(TS, unseen()).unwrap();
    assert!(away().answered(at(299), unseen()).is_some());
    assert!(away().answered(at(300), unseen()).is_none());
    let again = away().goes_on(&RuleAlerts::default()).answered(at(200), unseen()).unwrap();
    assert!(again.answered(at(499), unseen()).is_some(), "a second time away begins anew");
    let mut jumped = away();
    jumped.clock_jumped(-3_600_000);
    let an_hour_before = |at: Timestamp| Timestamp::from_millis(at.millis() - 3_600_000);
    assert!(jumped.clone().answered(an_hour_before(at(299)), unseen()).is_some());
    assert!(jumped.answered(an_hour_before(at(300)), unseen()).is_none(), "the clock went back");
}

/// The queries of one evaluation that finds `found`, after one that found hosts a and b, with the
/// hosts that have no data afterwards.
async fn without_data(found: &[&str], has_data: &[&str]) -> (Vec<String>, Vec<String>) {
    let rule = rule("");
    let mut alerts = RuleAlerts::default();
    let host = |host: &&str| sample(&[("host", *host)], 0.0);
    let (before, _) = evaluator(vector(vec![host(&"a"), host(&"b")]));
    before.evaluate(&rule, 0, &mut alerts, TS, TS).await.unwrap();
    let mut answers = vector(found.iter().map(host).collect());
    let data = QueryValue::Vector(has_data.iter().map(host).collect());
    answers.instant.insert("up == bool 0".to_string(), data);
    let (evaluator, asked) = evaluator(answers);
    let past = Past { no_data: NoData::Keep, ..Past::default() };
    let done = evaluator.evaluate_after(&past, &rule, 0, &mut alerts, TS, TS).await.unwrap();
    let of = |fingerprint| alerts.get(fingerprint).unwrap().labels.value("host").to_string();
    let asked = asked.asked.lock().unwrap().iter().map(|(query, _)| query.clone()).collect();
    (asked, done.without_data.into_iter().map(of).collect())
}

#[tokio::test]
async fn whether_there_is_data_is_asked_only_where_an_alert_is_missing() {
    let (asked, none) = without_data(&["a", "b"], &[]).await;
    assert_eq!((asked, none), (vec!["up == 0".to_string()], Vec::new()));
    let both = ["up == 0", "up == bool 0"].map(str::to_string);
    let (asked, found) = without_data(&["a"], &["a", "b"]).await;
    assert_eq!((asked, found), (both.to_vec(), Vec::new()));
    let (asked, found) = without_data(&["a"], &["a"]).await;
    assert_eq!((asked, found), (both.to_vec(), vec!["b".to_string()]));
    assert_eq!(without_data(&[], &[]).await.1.len(), 2);
}
