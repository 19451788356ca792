//! Rules with policies, in groups on schedule.

use super::*;
use crate::alerting::AlertState;

const RULES: &str = "  - alert: Down\n    expr: up == 0\n    for: 1m\n    labels: {team: ml}\n";
/// What tells whether there is data.
const PROBE: &str = "up == bool 0";

impl Bench {
    async fn apply_policy(&mut self, policies: &str) {
        let document = load(&Arc::new(SourceFile::new("c.yaml", policies))).unwrap();
        let mut reader = Reader::new(&document);
        let policies = RulePolicies::read(&mut reader, &document.root);
        assert!(reader.into_diagnostics().is_empty());
        let fingerprint = format!("{:?}", policies.effect());
        let settings = RuleSettings { policies, fingerprint, ..self.settings() };
        self.rules.apply(groups(RULES), &settings, None).await;
    }

    /// What happened to alerts of a name: the new state and the reason.
    async fn told_of(&self, name: &str) -> Vec<(&'static str, &'static str)> {
        let history = self.store.history(&HistoryFilter::default()).await.unwrap();
        let of_name = history.transitions.iter().filter(|recorded| recorded.rule.rule == name);
        of_name.map(|r| (r.transition.to.as_str(), r.transition.reason.as_str())).collect()
    }
}

const BEGINNING: [(&str, &str); 2] = [("pending", "became_active"), ("firing", "held_for")];

#[tokio::test(start_paused = true)]
async fn an_alert_without_data_ends_as_in_prometheus_unless_a_policy_keeps_it() {
    for (policy, end) in [
        ("[]", ("inactive", "absent")),
        ("[{no_data: resolve}]", ("inactive", "absent")),
        ("[{matchers: [team=web], no_data: keep}]", ("inactive", "absent")),
        ("[{matchers: [team=ml], no_data: keep}]", ("firing", "kept_no_data")),
        ("[{matchers: [alertname=Down], no_data: alert}]", ("firing", "kept_no_data")),
    ] {
        let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
        bench.apply_policy(policy).await;
        bench.datasource.set("up == 0", true);
        bench.wait(120).await;
        bench.datasource.set("up == 0", false);
        bench.wait(7200).await;
        let mut expected = BEGINNING.to_vec();
        expected.push(end);
        assert_eq!(bench.told_of("Down").await, expected, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn data_that_returns_decides() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply_policy("[{no_data: keep}]").await;
    bench.datasource.set("up == 0", true);
    bench.wait(120).await;
    for holds in [true, false] {
        bench.datasource.set("up == 0", false);
        bench.datasource.set(PROBE, false);
        bench.wait(60).await;
        bench.datasource.set("up == 0", holds);
        bench.datasource.set(PROBE, true);
        bench.wait(60).await;
    }
    let mut expected = BEGINNING.to_vec();
    expected.extend([("firing", "kept_no_data"), ("firing", "data_returned")]);
    expected.extend([("firing", "kept_no_data"), ("inactive", "absent")]);
    assert_eq!(bench.told_of("Down").await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_pending_alert_without_data_waits() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply_policy("[{no_data: keep}]").await;
    bench.datasource.set("up == 0", true);
    bench.wait(31).await;
    bench.datasource.set("up == 0", false);
    bench.wait(600).await;
    let mut expected = vec![("pending", "became_active"), ("pending", "kept_no_data")];
    assert_eq!(bench.told_of("Down").await, expected, "nobody is paged on a guess");
    bench.datasource.set("up == 0", true);
    bench.wait(31).await;
    expected.push(("firing", "held_for"));
    expected.push(("firing", "data_returned"));
    assert_eq!(bench.told_of("Down").await, expected);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_missing_ends_nothing() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply_policy("[{no_data: keep}]").await;
    bench.datasource.set("up == 0", true);
    bench.wait(120).await;
    bench.datasource.set("up == 0", false);
    *bench.datasource.refuses.lock().unwrap() = PROBE.to_string();
    bench.wait(300).await;
    assert_eq!(bench.told_of("Down").await, BEGINNING, "it is not known whether there is data");
    let group = bench.rules.board().groups().remove(0);
    assert!(group.rules[0].warnings[0].contains("no such thing"), "{:?}", group.rules[0].warnings);
    bench.datasource.refuses.lock().unwrap().clear();
    bench.datasource.set(PROBE, true);
    bench.wait(31).await;
    assert_eq!(bench.told_of("Down").await.last(), Some(&("inactive", "absent")));
}

#[tokio::test(start_paused = true)]
async fn missing_data_is_told_after_five_minutes_and_goes_through_a_restart() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply_policy("[{no_data: alert}]").await;
    bench.datasource.set("up == 0", true);
    bench.wait(120).await;
    bench.datasource.set("up == 0", false);
    bench.wait(400).await;
    let mut expected = BEGINNING.to_vec();
    assert_eq!(bench.told_of("WatchbellRuleNoData").await, expected);
    // A reload that changes the group knows of it as well.
    bench.apply_policy("[{no_data: alert, on_error: alert}]").await;
    bench.wait(120).await;
    assert_eq!(bench.told_of("WatchbellRuleNoData").await, expected);
    bench.datasource.set(PROBE, true);
    bench.wait(60).await;
    expected.push(("inactive", "absent"));
    assert_eq!(bench.told_of("WatchbellRuleNoData").await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_fails_is_told_where_its_policy_says_so() {
    for (policy, expected) in
        [("[]", &[][..]), ("[{on_error: keep}]", &[]), ("[{on_error: alert}]", &BEGINNING)]
    {
        let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
        bench.apply_policy(policy).await;
        bench.datasource.set("up == 0", true);
        bench.wait(120).await;
        *bench.datasource.refuses.lock().unwrap() = "up == 0".to_string();
        bench.wait(400).await;
        assert_eq!(bench.told_of("WatchbellRuleEvaluationFailed").await, expected, "{policy}");
        assert_eq!(bench.told_of("Down").await, BEGINNING, "its alerts stay as they are");
        let group = bench.rules.board().groups().remove(0);
        assert_eq!(group.rules[0].alerts.count(AlertState::Firing), 1);
        bench.datasource.refuses.lock().unwrap().clear();
        bench.wait(60).await;
        let told = bench.told_of("WatchbellRuleEvaluationFailed").await;
        assert_eq!(told.len(), if expected.is_empty() { 0 } else { 3 }, "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_is_taken_away_ends_what_it_kept() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply_policy("[{no_data: keep}]").await;
    bench.datasource.set("up == 0", true);
    bench.wait(120).await;
    bench.datasource.set("up == 0", false);
    bench.wait(60).await;
    bench.apply_policy("[]").await;
    bench.wait(31).await;
    let mut expected = BEGINNING.to_vec();
    expected.extend([("firing", "kept_no_data"), ("inactive", "absent")]);
    assert_eq!(bench.told_of("Down").await, expected);
}
