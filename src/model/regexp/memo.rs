//! Expressions that are compiled over and over: those of functions that run at every evaluation, and
//! of matchers, of which thousands of rules have the same.

use std::sync::Arc;

use regex::Regex;

use crate::model::MatcherError;
use crate::model::kept::Kept;
use crate::model::regexp::{compile_anchored, compile_unanchored};

/// How many expressions each thread keeps. Patterns that come from data are few at a time; what
/// does not fit is compiled again.
const MAX_KEPT: usize = 100;

thread_local! {
    static ANCHORED: Kept<Arc<Regex>> = Kept::new(MAX_KEPT);
    static UNANCHORED: Kept<Arc<Regex>> = Kept::new(MAX_KEPT);
}

/// What [`compile_anchored`] gives, kept for the next time.
///
/// # Errors
/// As there.
pub fn anchored(pattern: &str) -> Result<Arc<Regex>, MatcherError> {
    ANCHORED.with(|kept| kept.or_make(pattern, |pattern| compile_anchored(pattern).map(Arc::new)))
}

/// What [`compile_unanchored`] gives, kept for the next time.
///
/// # Errors
/// As there.
pub fn unanchored(pattern: &str) -> Result<Arc<Regex>, MatcherError> {
    UNANCHORED
        .with(|kept| kept.or_make(pattern, |pattern| compile_unanchored(pattern).map(Arc::new)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kept::MAX_KEPT_BYTES;

    #[test]
    fn an_expression_is_compiled_once_and_each_kind_by_itself() {
        let first = anchored("a+").unwrap();
        assert!(Arc::ptr_eq(&first, &anchored("a+").unwrap()));
        assert!(!first.is_match("baab") && unanchored("a+").unwrap().is_match("baab"));
        assert!(anchored("(").is_err());
        for n in 0..MAX_KEPT {
            anchored(&format!("x{n}")).unwrap();
        }
        assert!(ANCHORED.with(Kept::count) <= MAX_KEPT);
        let long = "a".repeat(MAX_KEPT_BYTES + 1);
        assert!(!Arc::ptr_eq(&anchored(&long).unwrap(), &anchored(&long).unwrap()));
    }
}
