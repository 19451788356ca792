//! What promql-parser is asked, and its answer.
//!
//! It sees the structure only: each literal is handed over as its number, and each selector as one
//! and the same metric. So its own reading of numbers, durations, escapes and regular expressions,
//! which is not quite Prometheus', has no say. And thousands of rules have a few structures, whose trees are kept.

use std::fmt::Write;
use std::rc::Rc;

use promql_parser::parser::{self as upstream, Expr as Ast};

use crate::model::kept::Kept;
use crate::promql::outline::{Place, is_keyword};
use crate::promql::token::{Token, TokenKind};

/// How many trees each thread keeps.
const MAX_KEPT: usize = 200;
/// What stands for a selector.
const METRIC: &str = "x";

thread_local! {
    static KEPT: Kept<Rc<Ast>> = Kept::new(MAX_KEPT);
}

/// A tree with what its numbers stand for.
pub(super) struct Structure {
    pub(super) ast: Rc<Ast>,
    /// The index of the token that each number stands for, from 1.
    pub(super) literals: Vec<usize>,
}

/// Asks for the structure of a text whose places have been found.
///
/// # Errors
/// promql-parser's words for what it does not understand.
pub(super) fn structure(
    text: &str,
    tokens: &[Token],
    places: &[Place],
) -> Result<Structure, String> {
    let (asked, literals) = hand_over(text, tokens, places);
    let ast =
        KEPT.with(|kept| kept.or_make(&asked, |asked| upstream::parse(asked).map(Rc::new)))?;
    Ok(Structure { ast, literals })
}

/// The text to ask about, and the token of each literal in it.
fn hand_over(text: &str, tokens: &[Token], places: &[Place]) -> (String, Vec<usize>) {
    let mut out = String::with_capacity(text.len());
    let mut literals = Vec::new();
    let mut selectors: Vec<_> =
        places.iter().filter(|p| p.selector.is_some()).map(|p| p.detail).collect();
    selectors.sort_unstable();
    let mut selectors = selectors.into_iter().peekable();
    let mut behind = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.span.start < behind {
            continue;
        }
        let word = text.get(token.span.range()).unwrap_or_default();
        if let Some(selector) = selectors.next_if(|s| s.start == token.span.start) {
            behind = selector.end;
            // Whether a keyword can name a metric, promql-parser shall say.
            let is_plain = token.kind != TokenKind::Word || !is_keyword(word);
            out.push_str(if is_plain { METRIC } else { word });
        } else {
            literals.push(index);
            let number = literals.len();
            let _ = match &token.kind {
                TokenKind::Number(_) => write!(out, "{number}"),
                TokenKind::Duration(_) => write!(out, "{number}s"),
                TokenKind::String(_) => write!(out, "\"{number}\""),
                // Labels may have these names, which promql-parser does not take.
                TokenKind::Word if is_new_label(word) => write!(out, "\"{number}\""),
                _ => {
                    literals.pop();
                    out.write_str(word)
                }
            };
        }
        out.push(' ');
    }
    (out, literals)
}

fn is_new_label(word: &str) -> bool {
    word.eq_ignore_ascii_case("anchored")
        || word.eq_ignore_ascii_case("smoothed")
        || word.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::{outline, token};

    fn asked(text: &str) -> String {
        let tokens = token::tokens(text).unwrap();
        let places = outline::outline(text, &tokens).unwrap();
        hand_over(text, &tokens, &places).0
    }

    #[test]
    fn literals_and_selectors_are_left_out() {
        for (text, expected) in [
            (
                "sum by (job) (rate(a_total{b=\"c\", d=~\"e|f\"}[5m] offset 1h)) > 0.5",
                "sum by ( job ) ( rate ( x [ 1s ] offset 2s ) ) > 3 ",
            ),
            ("{\"a.b\", c!=\"\"} and on (anchored) d:e", "x and on ( \"1\" ) x "),
            (
                "label_replace(up, 'a', \"$1\", `b`, '(.*)')[1h:5m]",
                "label_replace ( x , \"1\" , \"2\" , \"3\" , \"4\" ) [ 5s : 6s ] ",
            ),
            ("-x @ 100 == unless", "- x @ 1 == unless "),
        ] {
            assert_eq!(asked(text), expected, "{text}");
        }
    }

    #[test]
    fn the_last_resort_is_promql_parser() {
        let tokens = token::tokens("1 2").unwrap();
        assert!(structure("1 2", &tokens, &[]).is_err());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        for n in 0..2 * MAX_KEPT {
            crate::promql::parse(&vec!["1"; n / 4 + 1].join(["+", "-", "*", "/"][n % 4])).unwrap();
        }
        assert!(KEPT.with(Kept::count) <= MAX_KEPT);
    }
}
