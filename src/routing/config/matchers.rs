//! Matchers in the new form and in the two old ones.

use crate::diag::Span;
use crate::model::label::is_legacy_label_name;
use crate::model::{MatchOp, Matcher, Matchers, parse_matchers};
use crate::yaml::{Fields, Reader};

/// The keys of one set of matchers: a list of texts, a mapping to values, a mapping to expressions.
pub(super) struct MatcherKeys {
    pub(super) matchers: &'static str,
    pub(super) equal: &'static str,
    pub(super) regex: &'static str,
}

/// All matchers under the three keys, and the place of the first key that is there and not empty.
pub(super) fn read_matchers(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    keys: &MatcherKeys,
) -> (Matchers, Option<Span>) {
    let mut all = Vec::new();
    let mut place = None;
    for (key, op) in [(keys.equal, MatchOp::Equal), (keys.regex, MatchOp::Regex)] {
        let before = all.len();
        for (name, value) in fields.string_map(reader, key).unwrap_or_default() {
            // The old forms know no names that need quotes.
            if !is_legacy_label_name(name.text()) {
                let message = format!("{:?} is not a label name for `{key}`", name.text());
                reader.error("route/matcher", name.span(), message);
                continue;
            }
            let text = value.as_scalar().filter(|s| !s.is_null()).map_or("", |s| s.text());
            match Matcher::new(name.text(), op, text) {
                Ok(matcher) => all.push(matcher),
                Err(error) => reader.error("route/matcher", value.span, error.to_string()),
            }
        }
        if all.len() > before {
            place = place.or(fields.key_span(key));
        }
    }
    let before = all.len();
    let what = format!("an item of `{}`", keys.matchers);
    for node in fields.list(reader, keys.matchers).unwrap_or_default() {
        let Some(text) = reader.string(node, &what) else { continue };
        match parse_matchers(text) {
            Ok(matchers) => all.extend(matchers.0),
            Err(error) => reader.error("route/matcher", node.span, error.to_string()),
        }
    }
    if all.len() > before {
        place = place.or(fields.key_span(keys.matchers));
    }
    (Matchers(all), place)
}
