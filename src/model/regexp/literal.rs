//! How the matches of an expression begin, so that many expressions can be looked up by a text.

use regex_syntax::hir::literal::Extractor;

use crate::model::regexp::translated;

/// A text that a match begins with, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leading {
    /// Its bytes; a character may be cut.
    pub bytes: Vec<u8>,
    /// Whether nothing follows it.
    pub whole: bool,
}

/// The texts of which one begins whatever an anchored expression matches. `None` where any text
/// may, or too many, or where the expression is not valid.
pub fn leading_literals(pattern: &str) -> Option<Vec<Leading>> {
    let hir = regex_syntax::parse(&format!("(?s:{})", translated(pattern).ok()?)).ok()?;
    let found = Extractor::new().extract(&hir);
    let literals = found
        .literals()?
        .iter()
        .map(|literal| Leading { bytes: literal.as_bytes().to_vec(), whole: literal.is_exact() });
    let literals: Vec<Leading> = literals.collect();
    let any = literals.iter().any(|literal| literal.bytes.is_empty());
    (!any).then_some(literals)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::regexp::compile_anchored;

    fn found(pattern: &str) -> Option<Vec<String>> {
        let words = leading_literals(pattern)?.into_iter().map(|leading| {
            let text = String::from_utf8(leading.bytes).unwrap();
            format!("{text}{}", if leading.whole { "" } else { "…" })
        });
        Some(words.collect())
    }

    #[test]
    fn literals_lead_and_wildcards_do_not() {
        let list = |words: &[&str]| Some(words.iter().map(|w| w.to_string()).collect::<Vec<_>>());
        assert_eq!(found("a|bc"), list(&["a", "bc"]));
        assert_eq!(found("api-.*"), list(&["api-…"]));
        assert_eq!(found("api-[12]"), list(&["api-1", "api-2"]));
        assert_eq!(found("^x$"), list(&["x"]));
        for any in [".*", "a?", "a|", ".*b", "("] {
            assert_eq!(found(any), None, "{any}");
        }
    }

    proptest! {
        #[test]
        fn every_match_begins_with_one_of_them(
            pattern in "[ab.|]{1,5}[*+?]?(\\(a\\|b\\))?[ab]{0,2}",
            text in "[ab]{0,6}",
        ) {
            let (Ok(regex), Some(leading)) = (compile_anchored(&pattern), leading_literals(&pattern))
            else { return Ok(()) };
            let leads = |l: &Leading| {
                if l.whole { text.as_bytes() == l.bytes } else { text.as_bytes().starts_with(&l.bytes) }
            };
            prop_assert!(!regex.is_match(&text) || leading.iter().any(leads), "{pattern} {text}");
        }
    }
}
