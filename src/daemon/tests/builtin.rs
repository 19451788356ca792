//! The alerts about the program itself, over reload and restart.

use super::*;
use crate::alerting::Facts;
use crate::model::{IntegrationId, Monotonic};

/// Nothing to evaluate but the built-in rules.
const QUIET: &str = "  - alert: Never\n    expr: never\n";

impl Bench {
    /// A reload with the section `builtin_alerts`.
    async fn apply_section(&mut self, section: &str) {
        let document = load(&Arc::new(SourceFile::new("c.yaml", section))).unwrap();
        let mut reader = Reader::new(&document);
        let builtin = BuiltinConfig::read(&mut reader, &document.root).group;
        assert!(reader.into_diagnostics().is_empty());
        let settings = RuleSettings { builtin, ..self.settings() };
        self.rules.apply(groups(QUIET), &settings, None).await;
    }

    /// A restart: what is in memory is lost.
    async fn restart(&mut self) {
        self.rules.stop().await;
        self.facts.with(|facts| *facts = Facts::default());
        let snapshot = self.store.load().await.unwrap();
        let leftover = Leftover { alerts: snapshot.alerts, last_alive: self.clock.now().wall };
        let settings = self.settings();
        self.rules.apply(groups(QUIET), &settings, Some(leftover)).await;
    }

    /// What happened to built-in alerts: the rule, the new state, the reason.
    async fn told(&self) -> Vec<(String, &'static str, &'static str)> {
        let history = self.store.history(&HistoryFilter::default()).await.unwrap();
        let entry = |recorded: &crate::storage::RecordedTransition| {
            let t = &recorded.transition;
            (recorded.rule.to_string(), t.to.as_str(), t.reason.as_str())
        };
        history.transitions.iter().map(entry).collect()
    }
}

fn entry(
    rule: &str,
    state: &'static str,
    reason: &'static str,
) -> (String, &'static str, &'static str) {
    (format!("(built-in);watchbell;{rule}"), state, reason)
}

fn ops() -> IntegrationId {
    IntegrationId { receiver: "ops".into(), kind: "webhook".into(), index: 0 }
}

#[tokio::test(start_paused = true)]
async fn a_built_in_alert_goes_through_a_restart_without_a_second_word() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply(QUIET).await;
    bench.facts.with(|facts| facts.refused(&ops(), "g", "400", Monotonic::from_millis(0)));
    bench.wait(30).await;
    let fires = entry("WatchbellNotificationFailed", "firing", "became_active");
    assert_eq!(bench.told().await, std::slice::from_ref(&fires));
    bench.restart().await;
    bench.wait(600).await;
    let told = bench.told().await;
    assert_eq!(told, std::slice::from_ref(&fires), "neither resolved nor told again");
    bench.facts.with(|facts| facts.delivered(&ops(), "g"));
    bench.wait(16).await;
    let ends = entry("WatchbellNotificationFailed", "inactive", "absent");
    assert_eq!(bench.told().await, [fires, ends]);
}

#[tokio::test(start_paused = true)]
async fn what_mended_while_the_program_was_down_resolves_after_the_start() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply(QUIET).await;
    bench.facts.with(|facts| facts.reload_refused("line 3"));
    bench.wait(90).await;
    bench.restart().await;
    bench.wait(16).await;
    let reload = |state, reason| entry("WatchbellReloadFailed", state, reason);
    let expected = [
        reload("pending", "became_active"),
        reload("firing", "held_for"),
        reload("inactive", "absent"),
    ];
    assert_eq!(bench.told().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_reload_keeps_what_is_equal_and_ends_what_is_not() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply_section("{heartbeat: true}").await;
    bench.wait(60).await;
    bench.apply_section("{heartbeat: true, disable: [WatchbellReloadFailed]}").await;
    bench.wait(60).await;
    let beats = |state, reason| entry("Watchdog", state, reason);
    let mut expected = vec![beats("firing", "became_active")];
    assert_eq!(bench.told().await, expected, "it goes on");
    // With another label it is another alert.
    bench.apply_section("{heartbeat: true, labels: {team: sre}}").await;
    bench.wait(60).await;
    expected.extend([beats("inactive", "rule_removed"), beats("firing", "became_active")]);
    assert_eq!(bench.told().await, expected);
    bench.apply_section("{}").await;
    bench.wait(60).await;
    expected.push(beats("inactive", "rule_removed"));
    assert_eq!(bench.told().await, expected);
    let groups = bench.rules.board().groups();
    let last = groups.last().unwrap();
    assert_eq!((groups.len(), last.group.file.as_str()), (2, "(built-in)"));
}

#[tokio::test(start_paused = true)]
async fn groups_that_overrun_their_interval_are_told_of_once() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    *bench.datasource.slow.lock().unwrap() = Duration::from_secs(70);
    bench.apply(QUIET).await;
    bench.wait(600).await;
    let missed = |state, reason| entry("WatchbellEvaluationsMissed", state, reason);
    assert_eq!(bench.told().await, [missed("firing", "became_active")]);
    *bench.datasource.slow.lock().unwrap() = Duration::ZERO;
    bench.wait(720).await;
    let expected = [missed("firing", "became_active"), missed("inactive", "absent")];
    assert_eq!(bench.told().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_wall_clock_fires_nothing_early() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.apply(QUIET).await;
    bench.facts.with(|facts| facts.reload_refused("line 3"));
    bench.wait(20).await;
    bench.clock.jump_wall(3_600_000);
    bench.wait(30).await;
    let pending = entry("WatchbellReloadFailed", "pending", "became_active");
    let moved = entry("WatchbellReloadFailed", "pending", "clock_jumped");
    assert_eq!(bench.told().await, [pending.clone(), moved.clone()]);
    bench.wait(60).await;
    let firing = entry("WatchbellReloadFailed", "firing", "held_for");
    assert_eq!(bench.told().await, [pending, moved, firing]);
}
