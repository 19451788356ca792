//! Matchers as people write them, in either of Alertmanager's two syntaxes.

use super::{Matcher, MatcherError, Matchers, classic, utf8};

/// Parses a list of matchers: `{foo="bar", dings!="bums"}`. Braces are optional, a trailing comma is
/// allowed, an empty text is an empty list.
///
/// Alertmanager has two syntaxes. The newer allows any name in quotes and reads escapes as Go does;
/// the classic one takes values without quotes and leaves unknown escapes as they are, so that
/// `foo=~"\d+"` needs no second backslash. As in Alertmanager's default mode, a text that only one
/// of them accepts is read by that one, and where they disagree the classic meaning holds.
///
/// # Errors
/// [`MatcherError::Syntax`] with the place, as the newer syntax sees it; [`MatcherError::Regex`] for
/// a bad expression.
pub fn parse_matchers(text: &str) -> Result<Matchers, MatcherError> {
    match (utf8::parse(text), classic::parse(text)) {
        (_, Ok(classic)) => Ok(Matchers(classic)),
        (Ok(utf8), Err(_)) => Ok(Matchers(utf8)),
        // A bad expression says more than the newer syntax' view of its escapes.
        (Err(MatcherError::Syntax { .. }), Err(error @ MatcherError::Regex { .. })) => Err(error),
        (Err(error), Err(_)) => Err(error),
    }
}

/// Parses exactly one matcher.
///
/// # Errors
/// As [`parse_matchers`], and [`MatcherError::Syntax`] for none or several.
pub fn parse_matcher(text: &str) -> Result<Matcher, MatcherError> {
    let mut matchers = parse_matchers(text)?.0;
    match (matchers.pop(), matchers.len()) {
        (Some(matcher), 0) => Ok(matcher),
        (last, rest) => Err(MatcherError::Syntax {
            text: text.to_string(),
            reason: format!("expected one matcher, found {}", rest + usize::from(last.is_some())),
        }),
    }
}
