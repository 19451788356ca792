//! The table of checks as a whole.

use crate::lint::testing::{file, run};
use crate::lint::{CHECKS, Project, REFUSALS, Settings, pages};

/// The rules of a page's example.
fn example(text: &str) -> Vec<&str> {
    text.split("---\n").collect()
}

#[test]
fn the_examples_of_every_page_hold() {
    for check in CHECKS {
        let about = check.about();
        let found = |text: &str| {
            let project = Project::new(vec![file(&example(text))], Settings::default());
            run(*check, &project)
        };
        let bad = found(about.bad);
        assert!(!bad.is_empty(), "{}: nothing is found in its bad example", about.id);
        assert_eq!(bad[0].severity, about.severity, "{}", about.id);
        let good = found(about.good);
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
    assert_eq!(all.len(), CHECKS.len() + REFUSALS.len());
    for page in &pages {
        assert!(page.id.split('/').count() == 2, "{}", page.id);
        assert!(!page.title.ends_with('.') && page.title.len() < 90, "{}", page.title);
    }
}
