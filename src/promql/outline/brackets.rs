//! Whether every bracket has its partner.

use crate::promql::token::{Token, TokenKind};
use crate::promql::{MAX_NESTING, SyntaxError};

/// Finds the first bracket without a partner, or a nesting that is too deep. Linear in time, so
/// that what follows can rely on both.
pub(super) fn check(tokens: &[Token]) -> Result<(), SyntaxError> {
    let mut open: Vec<(&str, &Token)> = Vec::new();
    for token in tokens {
        let TokenKind::Sign(sign) = token.kind else { continue };
        match sign {
            "(" | "{" | "[" => open.push((sign, token)),
            ")" | "}" | "]" => close(&mut open, sign, token)?,
            _ => {}
        }
        if open.len() > MAX_NESTING {
            let message = format!("nested deeper than {MAX_NESTING} levels");
            return Err(SyntaxError::new(token.span, message));
        }
    }
    open.last().map_or(Ok(()), |(sign, token)| Err(unclosed(sign, token)))
}

fn close<'a>(
    open: &mut Vec<(&'a str, &'a Token)>,
    sign: &str,
    token: &Token,
) -> Result<(), SyntaxError> {
    if !open.iter().any(|(opening, _)| partner(opening) == sign) {
        return Err(SyntaxError::new(token.span, format!("`{sign}` closes nothing")));
    }
    match open.pop() {
        Some((opening, _)) if partner(opening) == sign => Ok(()),
        Some((opening, at)) => Err(unclosed(opening, at)),
        None => Ok(()),
    }
}

fn partner(opening: &str) -> &'static str {
    match opening {
        "(" => ")",
        "{" => "}",
        _ => "]",
    }
}

fn unclosed(sign: &str, token: &Token) -> SyntaxError {
    let help = format!("its `{}` is missing", partner(sign));
    SyntaxError::new(token.span, format!("unclosed `{sign}`")).help(help)
}
