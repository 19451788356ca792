//! Prometheus' own scripts. They lie beside the repository; where they are missing, the test says so.

// What is skipped, and what came out, is told to whoever runs the test.
#![allow(clippy::print_stderr)]

use std::path::{Path, PathBuf};

use crate::ruletest::script::{Verdict, options, run};

fn corpus() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Worktrees lie one folder deeper.
    let folders = ["../shared/corpus/promqltest", "../../shared/corpus/promqltest"];
    folders.into_iter().map(|folder| here.join(folder)).find(|folder| folder.is_dir())
}

/// How many evaluations of each script pass, at least.
const PASSED: &[(&str, usize)] = &[
    ("aggregators.test", 140),
    ("at_modifier.test", 52),
    ("collision.test", 1),
    ("duration_expression.test", 2),
    ("extended_vectors.test", 24),
    ("fill-modifier.test", 28),
    ("functions.test", 242),
    ("histograms.test", 3),
    ("info.test", 18),
    ("literals.test", 25),
    ("name_label_dropping.test", 23),
    ("native_histograms.test", 280),
    ("operators.test", 175),
    ("range_queries.test", 15),
    ("selectors.test", 21),
    ("start_timestamps.test", 20),
    ("subquery.test", 11),
    ("type_and_unit.test", 29),
];

#[test]
fn prometheus_own_scripts_pass() {
    let Some(folder) = corpus() else {
        eprintln!("skipped: ../shared/corpus/promqltest is not there");
        return;
    };
    let (mut fewer, mut sums) = (Vec::new(), [0; 3]);
    for (name, least) in PASSED {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        let results = run(&text, &options()).unwrap_or_else(|e| panic!("{name}: {e} {:?}", e.span));
        let count = |is: fn(&Verdict) -> bool| results.iter().filter(|r| is(&r.verdict)).count();
        let passed = count(|v| *v == Verdict::Passed);
        let failed = count(|v| matches!(v, Verdict::Failed(_)));
        let not_parsed = count(|v| matches!(v, Verdict::NotParsed(_)));
        eprintln!("{name}: {passed} passed, {failed} failed, {not_parsed} not parsed");
        for result in &results {
            if let Verdict::Failed(reason) = &result.verdict {
                eprintln!("  {name}:{}: {}\n    {reason}", result.line, result.expression);
            }
        }
        sums = [sums[0] + passed, sums[1] + failed, sums[2] + not_parsed];
        if passed < *least {
            fewer.push(format!("{name}: {passed} passed, {least} did"));
        }
    }
    eprintln!("in all {} passed, {} failed, {} not parsed", sums[0], sums[1], sums[2]);
    assert!(fewer.is_empty(), "{}", fewer.join("\n"));
}
