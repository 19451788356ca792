//! Replacing by Go's regular expressions.

use std::sync::Arc;

use regex::Regex;

use super::text::{MAX_TEXT, too_long};
use crate::model::regexp::memo;

/// Compiles a Go expression. It is not anchored, as Go's `MatchString` is not.
pub(super) fn compile(pattern: &str) -> Result<Arc<Regex>, String> {
    memo::unanchored(pattern).map_err(|error| error.to_string())
}

/// `ReplaceAllString`: `$1`, `${1}`, `$name`, `$$`; a group that does not exist is empty.
pub(in crate::template) fn replace_all(
    regex: &Regex,
    text: &str,
    replacement: &str,
) -> Result<String, String> {
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(text.get(end..whole.start()).unwrap_or(""));
        captures.expand(replacement, &mut out);
        end = whole.end();
        if out.len() > MAX_TEXT {
            return Err(too_long());
        }
    }
    out.push_str(text.get(end..).unwrap_or(""));
    Ok(out)
}
