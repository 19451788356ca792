//! Expressions that are compiled over and over: those of functions that run at every evaluation, and
//! of matchers, of which thousands of rules have the same.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;

use crate::model::MatcherError;
use crate::model::regexp::{compile_anchored, compile_unanchored};

/// How many expressions each thread keeps. Patterns that come from data are few at a time; what
/// does not fit is compiled again.
const MAX_KEPT: usize = 100;
/// A longer pattern is not kept, in bytes: what is kept is bounded.
const MAX_KEPT_BYTES: usize = 1000;

type Kept = RefCell<HashMap<String, Arc<Regex>>>;

thread_local! {
    static ANCHORED: Kept = RefCell::default();
    static UNANCHORED: Kept = RefCell::default();
}

/// What [`compile_anchored`] gives, kept for the next time.
///
/// # Errors
/// As there.
pub fn anchored(pattern: &str) -> Result<Arc<Regex>, MatcherError> {
    ANCHORED.with(|kept| kept_or(kept, pattern, compile_anchored))
}

/// What [`compile_unanchored`] gives, kept for the next time.
///
/// # Errors
/// As there.
pub fn unanchored(pattern: &str) -> Result<Arc<Regex>, MatcherError> {
    UNANCHORED.with(|kept| kept_or(kept, pattern, compile_unanchored))
}

fn kept_or(
    kept: &Kept,
    pattern: &str,
    compile: fn(&str) -> Result<Regex, MatcherError>,
) -> Result<Arc<Regex>, MatcherError> {
    if let Some(regex) = kept.borrow().get(pattern) {
        return Ok(Arc::clone(regex));
    }
    let regex = Arc::new(compile(pattern)?);
    if pattern.len() <= MAX_KEPT_BYTES {
        let mut kept = kept.borrow_mut();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(pattern.to_string(), Arc::clone(&regex));
    }
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_compiled_once_and_each_kind_by_itself() {
        let first = anchored("a+").unwrap();
        assert!(Arc::ptr_eq(&first, &anchored("a+").unwrap()));
        assert!(!first.is_match("baab") && unanchored("a+").unwrap().is_match("baab"));
        assert!(anchored("(").is_err());
        for n in 0..MAX_KEPT {
            anchored(&format!("x{n}")).unwrap();
        }
        assert!(ANCHORED.with(|kept| kept.borrow().len()) <= MAX_KEPT);
        let long = "a".repeat(MAX_KEPT_BYTES + 1);
        assert!(!Arc::ptr_eq(&anchored(&long).unwrap(), &anchored(&long).unwrap()));
    }
}
