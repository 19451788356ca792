//! `watchbell test` on the shipped unit tests, and the demo from its first sample to its end.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

use std::path::Path;
use std::process::Command;

/// The seven alerts.
const ALERTS: [&str; 7] = [
    "MLflowServerDown",
    "ModelServerDown",
    "HighCPUUsage",
    "HighMemoryUsage",
    "PodCrashLooping",
    "HighModelLatency",
    "MLflowExperimentFailure",
];

/// What the program says, and its exit code.
fn watchbell(arguments: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchbell"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let done = command.args(arguments).current_dir(root).output().expect("it runs");
    let text = String::from_utf8(done.stdout).expect("text");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(errors.is_empty(), "{errors}");
    (text, done.status.code())
}

#[test]
fn the_shipped_tests_pass_and_make_every_rule_fire() {
    for folder in ["rules", "src/cli/demo"] {
        let (text, code) = watchbell(&["test", folder, "--require-coverage"]);
        assert_eq!(code, Some(0), "{text}");
        let last = text.lines().last().unwrap();
        assert!(last.ends_with(" passed, 0 failed") && !last.starts_with('0'), "{text}");
    }
}

#[test]
fn the_demo_plays_from_the_first_bad_sample_to_the_end() {
    let arguments = ["demo", "--speed", "300", "--listen", "127.0.0.1:0", "--exit"];
    let (text, code) = watchbell(&arguments);
    assert_eq!(code, Some(0), "{text}");
    for alert in ALERTS {
        for word in ["firing  ", "resolved"] {
            let told = format!("{word}  {alert} ");
            assert!(text.lines().any(|line| line.contains(&told)), "{told}: {text}");
        }
        let subject = format!("│ [FIRING:1] {alert} ");
        assert!(text.contains(&subject), "{subject}: {text}");
    }
    let held = text.lines().find(|line| line.contains("held      HighModelLatency"));
    assert!(held.is_some_and(|line| line.contains("inhibited")), "{text}");
    for receiver in ["mlflow-team/email[0]", "mlflow-team/slack[0]", "mlflow-oncall/pagerduty[0]"] {
        assert!(text.contains(receiver), "{receiver}: {text}");
    }
    assert!(text.trim_end().ends_with("would have been sent."), "{text}");
}
