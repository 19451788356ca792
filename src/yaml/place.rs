//! Where a scalar stands, and where each of its characters comes from.

use crate::diag::Span;
use crate::yaml::{Scalar, ScalarStyle};

/// Behind the anchor and tag that stand before a node.
pub(super) fn skip_properties(text: &str, start: usize) -> usize {
    let mut at = start;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let skip = match rest.chars().next() {
            Some(' ' | '\t' | '\r' | '\n') => 1,
            Some('&' | '!') => rest.find([' ', '\t', '\r', '\n']).unwrap_or(rest.len()),
            Some('#') => rest.find(['\r', '\n']).unwrap_or(rest.len()),
            _ => return at,
        };
        at += skip;
    }
}

/// The place of a scalar's own characters, from the place that the parser names: without anchor and
/// tag, without the comment or blank lines behind it.
pub(super) fn trim(text: &str, span: Span, style: ScalarStyle, has_properties: bool) -> Span {
    let start = if has_properties { skip_properties(text, span.start) } else { span.start };
    let start = start.min(text.len());
    let raw = text.get(start..).unwrap_or_default();
    let len = match style {
        ScalarStyle::SingleQuoted => closing_quote(raw, '\''),
        ScalarStyle::DoubleQuoted => closing_quote(raw, '"'),
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let start = if has_properties { behind_header(text, start) } else { start };
            let end = span.end.max(start);
            let raw = text.get(start..end).unwrap_or_default();
            return Span::new(start, start + raw.trim_end().len());
        }
        // An empty plain scalar has the place of the token behind it.
        ScalarStyle::Plain => span.end.saturating_sub(start),
    };
    Span::new(start, (start + len).min(text.len()))
}

/// The length of a quoted scalar, quotes included.
fn closing_quote(raw: &str, quote: char) -> usize {
    let mut chars = raw.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
                chars.next();
            } else {
                return at + 1;
            }
        }
    }
    raw.len()
}

/// The first content character of a block scalar, from its `|` or `>`.
fn behind_header(text: &str, header: usize) -> usize {
    let rest = text.get(header..).unwrap_or_default();
    let line = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let body = rest.get(line..).unwrap_or_default();
    let blank = body.len() - body.trim_start_matches([' ', '\r', '\n']).len();
    header + line + blank
}

/// A character of the text and where it comes from.
#[derive(Clone, Copy, Debug)]
struct Piece {
    c: char,
    span: Span,
}

/// See [`Scalar::span_of`].
pub(super) fn span_of(scalar: &Scalar, range: Span, text: &str) -> Span {
    exact(scalar, range, text).unwrap_or(scalar.span)
}

fn exact(scalar: &Scalar, range: Span, text: &str) -> Option<Span> {
    let pieces = pieces(scalar, text)?;
    let mut at = 0;
    let mut start = None;
    let mut end = None;
    let mut last = None;
    // A block scalar may have more line ends in the file than in the text.
    for piece in pieces.iter().take(scalar.text.chars().count()) {
        let next = at + piece.c.len_utf8();
        if next > range.start && start.is_none() {
            start = Some(piece.span.start);
        }
        if next >= range.end && end.is_none() && at < range.end {
            end = Some(piece.span.end);
        }
        at = next;
        if piece.c != '\n' {
            last = Some(piece.span.end);
        }
    }
    let behind = last.unwrap_or(scalar.span.end).min(scalar.span.end);
    let start = start.unwrap_or(behind);
    if range.is_empty() {
        return Some(Span::at(start));
    }
    Some(Span::new(start, end.unwrap_or(behind).max(start)))
}

/// The characters of a scalar with their places, or `None` where reading the file again does not
/// give the text that the parser gave.
fn pieces(scalar: &Scalar, text: &str) -> Option<Vec<Piece>> {
    let span = scalar.span;
    let raw = text.get(span.range())?;
    let pieces = match scalar.style {
        ScalarStyle::Plain => flow(raw, span.start, scalar.style),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            let inner = raw.get(1..raw.len().checked_sub(1)?)?;
            flow(inner, span.start + 1, scalar.style)
        }
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let before = text.get(..span.start)?;
            let line = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
            let leading = scalar.text.len() - scalar.text.trim_start_matches('\n').len();
            let start = Piece { c: '\n', span: Span::at(span.start) };
            let mut pieces = vec![start; leading];
            // Blanks at the end of the last line are text too.
            let behind = text.get(span.end..)?;
            let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
            let raw = text.get(span.start..span.end + blanks)?;
            let folded = scalar.style == ScalarStyle::Folded;
            block(&mut pieces, raw, span.start, span.start - line, folded);
            pieces
        }
    };
    let mut chars = pieces.iter();
    scalar.text.chars().all(|c| chars.next().is_some_and(|piece| piece.c == c)).then_some(pieces)
}

/// Plain and quoted scalars: line breaks are folded, escapes are read.
fn flow(raw: &str, base: usize, style: ScalarStyle) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let at = base + raw.len() - rest.len();
        let len = match c {
            ' ' | '\t' | '\r' | '\n' => {
                let run = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
                white(&mut pieces, rest.get(..run).unwrap_or_default(), at);
                run
            }
            '\'' if style == ScalarStyle::SingleQuoted => {
                pieces.push(Piece { c, span: Span::new(at, at + 2) });
                2
            }
            '\\' if style == ScalarStyle::DoubleQuoted => {
                let (len, decoded) = escape(rest);
                let span = Span::new(at, at + len);
                pieces.extend(decoded.map(|c| Piece { c, span }));
                if decoded.is_none() {
                    let breaks = line_breaks(rest.get(..len).unwrap_or_default());
                    pieces.resize(pieces.len() + breaks.saturating_sub(1), Piece { c: '\n', span });
                }
                len
            }
            c => {
                pieces.push(Piece { c, span: Span::new(at, at + c.len_utf8()) });
                c.len_utf8()
            }
        };
        rest = rest.get(len..).unwrap_or_default();
    }
    pieces
}

/// A run of white characters: kept as it is in a line; at a line break one break is a blank and
/// each further one a line end (YAML 1.2, section 6.5).
fn white(pieces: &mut Vec<Piece>, run: &str, at: usize) {
    let span = Span::new(at, at + run.len());
    match line_breaks(run) {
        0 => pieces.extend(
            run.char_indices().map(|(i, c)| Piece { c, span: Span::new(at + i, at + i + 1) }),
        ),
        1 => pieces.push(Piece { c: ' ', span }),
        n => pieces.resize(pieces.len() + n - 1, Piece { c: '\n', span }),
    }
}

fn line_breaks(run: &str) -> usize {
    let crlf = run.matches("\r\n").count();
    run.matches('\n').count() + run.matches('\r').count() - crlf
}

/// An escape in double quotes: its length and its character, `None` for an escaped line break.
fn escape(rest: &str) -> (usize, Option<char>) {
    let Some(kind) = rest.chars().nth(1) else { return (rest.len(), None) };
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' | '\r' => {
            let behind = rest.get(1..).unwrap_or_default();
            let white = behind.len() - behind.trim_start_matches([' ', '\t', '\r', '\n']).len();
            return (1 + white, None);
        }
        _ => 0,
    };
    if digits > 0 {
        let code = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        return (2 + digits, code.and_then(char::from_u32));
    }
    let c = match kind {
        '0' => '\0',
        'a' => '\x07',
        'b' => '\x08',
        't' => '\t',
        'n' => '\n',
        'v' => '\x0b',
        'f' => '\x0c',
        'r' => '\r',
        'e' => '\x1b',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        other => other,
    };
    (1 + kind.len_utf8(), Some(c))
}

/// Block scalars: `indent` blanks are cut from each line; folded ones join lines that do not begin
/// with a blank (YAML 1.2, section 8.1.3).
fn block(pieces: &mut Vec<Piece>, raw: &str, base: usize, indent: usize, folded: bool) {
    let mut at = base;
    let mut first = true;
    let mut was_indented = false;
    // The line breaks since the last content line.
    let mut breaks: Vec<Span> = Vec::new();
    for line in raw.split('\n') {
        let len = line.len();
        let content = line.strip_suffix('\r').unwrap_or(line);
        let blanks = content.len() - content.trim_start_matches(' ').len();
        let cut = if first { 0 } else { blanks.min(indent) };
        let content = content.get(cut..).unwrap_or_default();
        if !content.is_empty() {
            let is_indented = content.starts_with([' ', '\t']);
            if folded && !first && !is_indented && !was_indented {
                fold(pieces, &breaks);
            } else {
                pieces.extend(breaks.iter().map(|span| Piece { c: '\n', span: *span }));
            }
            breaks.clear();
            was_indented = is_indented;
            first = false;
            let start = at + cut;
            pieces.extend(
                content.char_indices().map(|(i, c)| Piece {
                    c,
                    span: Span::new(start + i, start + i + c.len_utf8()),
                }),
            );
        }
        at += len;
        let end = base + raw.len();
        breaks.push(Span::new(at, (at + 1).min(end)));
        at += 1;
    }
    pieces.extend(breaks.iter().map(|span| Piece { c: '\n', span: *span }));
}

fn fold(pieces: &mut Vec<Piece>, breaks: &[Span]) {
    let Some((first, more)) = breaks.split_first() else { return };
    if more.is_empty() {
        pieces.push(Piece { c: ' ', span: *first });
    }
    pieces.extend(more.iter().map(|span| Piece { c: '\n', span: *span }));
}
