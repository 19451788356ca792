//! The table of checks as a whole.

use std::time::Duration;

use crate::lint::testing::{file, routes, run};
use crate::lint::{CHECKS, Project, REFUSALS, Required, Schema, Settings, pages};

/// The project of a page's example: rules, and behind comments a schema or a
/// configuration.
fn example(text: &str) -> Project {
    let (rules, config) = match text.split_once("# watchbell.yaml\n") {
        Some((rules, config)) => (rules, Some(config)),
        None => (text, None),
    };
    let (rules, schema) = match rules.split_once("# schema\n") {
        Some((rules, schema)) => (rules, Some(Schema::read(schema).unwrap())),
        None => (rules, None),
    };
    let rules: Vec<&str> = rules.split("---\n").collect();
    let settings = Settings {
        evaluation_interval: Some(Duration::from_secs(60)),
        page_within: Some(Duration::from_secs(300)),
        required: vec![Required { is_label: false, name: "runbook_url".into(), pattern: None }],
        ..Settings::default()
    };
    let mut project = Project::new(vec![file(&rules)], settings);
    project.schema = schema;
    match config {
        Some(config) => project.with_routes(routes(config)),
        None => project,
    }
}

#[test]
fn the_examples_of_every_page_hold() {
    for check in CHECKS {
        let about = check.about();
        let bad = run(*check, &example(about.bad));
        assert!(!bad.is_empty(), "{}: nothing is found in its bad example", about.id);
        assert_eq!(bad[0].severity, about.severity, "{}", about.id);
        let good = run(*check, &example(about.good));
        assert!(good.is_empty(), "{}: {} in its good example", about.id, good[0]);
    }
}

#[test]
fn ids_are_sorted_unique_and_have_an_area() {
    let ids: Vec<&str> = CHECKS.iter().map(|check| check.about().id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let refused: Vec<&str> = REFUSALS.iter().map(|refusal| refusal.id).collect();
    assert!(refused.is_sorted_by(|a, b| a < b), "{refused:?}");
    let pages = pages();
    let mut all: Vec<&str> = pages.iter().map(|page| page.id).collect();
    all.dedup();
    // Two more: the comments that disable a check, and what is told of the past.
    assert_eq!(all.len(), CHECKS.len() + REFUSALS.len() + 2);
    for page in &pages {
        assert!(page.id.split('/').count() == 2, "{}", page.id);
        assert!(!page.title.ends_with('.') && page.title.len() < 90, "{}", page.title);
    }
}
