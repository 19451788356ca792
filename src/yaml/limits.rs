//! How large and how deep a document may be, and the checks made before it is parsed.

use std::sync::Arc;

use memchr::memchr_iter;

use crate::diag::{Diagnostic, SourceFile, Span};

/// The longest text that is read, in bytes.
pub const MAX_TEXT: usize = 16 << 20;
/// The longest line, in bytes.
pub const MAX_LINE: usize = 1 << 20;
/// How many mappings and sequences may stand inside one another, aliases followed.
pub const MAX_DEPTH: usize = 64;
/// How many nodes a document may have, aliases followed.
pub const MAX_NODES: usize = 1_000_000;
/// How many bytes the scalars of a document may have together, aliases followed.
pub const MAX_EXPANDED_BYTES: usize = 64 << 20;
/// How many findings of one file are kept; what a broken file would bring beyond helps nobody.
pub const MAX_FINDINGS: usize = 1000;
/// How many of the characters that structure YAML the parser may read for one event. A mapping in
/// braces is held in memory as a whole before its first event, at some hundred bytes for each.
pub(super) const MAX_HELD: usize = 250_000;

/// Checks of a part of a file what the parser itself would not survive or not see.
pub(super) fn check(source: &Arc<SourceFile>, part: Span) -> Result<(), Box<Diagnostic>> {
    let text = source.text().get(part.range()).unwrap_or_default();
    if text.len() > MAX_TEXT {
        let message = format!("the file is too large: {} bytes", text.len());
        return Err(Diagnostic::error("yaml/limit", source, Span::at(part.start), message)
            .help(format!("split it: a file may have {MAX_TEXT} bytes"))
            .into());
    }
    let mut start = 0;
    for end in memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        let len = end - start;
        if len > MAX_LINE {
            let message = format!("the line is too long: {len} bytes");
            let at = Span::at(part.start + start);
            return Err(Diagnostic::error("yaml/limit", source, at, message)
                .help(format!("a line may have {MAX_LINE} bytes"))
                .into());
        }
        start = end + 1;
    }
    // Most files are ASCII, of which the control characters alone are not allowed.
    let is_plain = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    // In pieces, each of which is looked at as a whole: that goes many bytes at a time.
    let are_plain = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is_plain(*byte));
    if text.as_bytes().chunks(4096).all(are_plain) {
        return Ok(());
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        let message = format!("the control character U+{:04X} is not allowed", u32::from(c));
        let start = part.start + at;
        let span = Span::new(start, start + c.len_utf8());
        return Err(Diagnostic::error("yaml/syntax", source, span, message)
            .help("write it as an escape in double quotes, such as \"\\x1b\"")
            .into());
    }
    Ok(())
}

/// The characters that YAML 1.2 allows unescaped (section 5.1). The parser would take a NUL for
/// the end of the text.
fn is_allowed(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{85}' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => !c.is_control(),
    }
}
