//! Scalars: their text, how they were written and what they mean.

use std::sync::Arc;

use crate::diag::{SourceFile, Span};
use crate::yaml::place;

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`, line for line.
    Literal,
    /// `>`, lines joined.
    Folded,
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resolved {
    /// No value.
    Null,
    /// `true`, `false` and, as in YAML 1.1, `yes`, `no`, `on`, `off`, `y`, `n`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Anything else.
    Text,
}

/// A text as the file means it, with the way back to its place.
#[derive(Clone, Debug)]
pub struct Scalar {
    pub(super) text: Arc<str>,
    pub(super) style: ScalarStyle,
    pub(super) span: Span,
    /// Whether a tag, such as `!!str`, says that it is a text.
    pub(super) is_text: bool,
}

impl Scalar {
    /// The text, escapes and folding undone.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How it was written.
    pub fn style(&self) -> ScalarStyle {
        self.style
    }

    /// Where it stands: quotes included; for a block scalar its content, from the first character
    /// behind the indentation to the last one that is not white.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The place of a byte range of [`Self::text`] in the file. Exact to the character through
    /// indentation, folding and escapes; the whole scalar where the text does not follow from the
    /// file in a way that is understood here.
    ///
    /// The cost is proportional to the scalar's length, so ask when there is something to report.
    pub fn span_of(&self, range: Span, source: &SourceFile) -> Span {
        place::span_of(self, range, source.text())
    }

    /// Whether it is a null: `~`, `null` or nothing at all.
    pub fn is_null(&self) -> bool {
        self.resolve() == Resolved::Null
    }

    /// What it means to the decoder of Go (`resolve.go` of yaml.v2 and yaml.v3, for the types that
    /// configuration has): quoted and block scalars are text, plain ones may be more.
    pub fn resolve(&self) -> Resolved {
        if self.style != ScalarStyle::Plain || self.is_text {
            return Resolved::Text;
        }
        self.plain()
    }

    /// What it would mean without quotes.
    fn plain(&self) -> Resolved {
        match self.text.as_ref() {
            "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => {
                Resolved::Bool(true)
            }
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n"
            | "N" => Resolved::Bool(false),
            text => number(text),
        }
    }

    /// Whether the value may have a tag of YAML's own, as Go sees it.
    pub(super) fn may_have(&self, tag: &str) -> bool {
        match (tag, self.plain()) {
            ("int", Resolved::Integer(_))
            | ("float", Resolved::Integer(_) | Resolved::Float(_)) => true,
            ("null", meant) => meant == Resolved::Null,
            // Not `yes` and the like, which are bools only where a bool is asked for.
            ("bool", Resolved::Bool(_)) => {
                ["true", "false"].contains(&self.text.to_lowercase().as_str())
            }
            ("int" | "float" | "bool", _) => false,
            _ => true,
        }
    }
}

fn number(text: &str) -> Resolved {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Resolved::Text;
    }
    match unsigned {
        ".inf" | ".Inf" | ".INF" if text.starts_with('-') => {
            return Resolved::Float(f64::NEG_INFINITY);
        }
        ".inf" | ".Inf" | ".INF" => return Resolved::Float(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Resolved::Float(f64::NAN),
        _ => {}
    }
    let digits = text.replace('_', "");
    integer(&digits).map(Resolved::Integer).unwrap_or_else(|| {
        let is_float = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
        match digits.parse() {
            Ok(value) if digits.chars().all(is_float) => Resolved::Float(value),
            _ => Resolved::Text,
        }
    })
}

/// Decimal, `0x`, `0o`, `0b`, and octal by a leading 0 as in YAML 1.1.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = if let Some(hex) = digits.strip_prefix("0x") {
        (16, hex)
    } else if let Some(octal) = digits.strip_prefix("0o") {
        (8, octal)
    } else if let Some(binary) = digits.strip_prefix("0b") {
        (2, binary)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (8, digits)
    } else {
        (10, digits)
    };
    // A second sign would be taken by the standard parser.
    if digits.starts_with(['-', '+']) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}
