//! Values as Go prints them with `%v`.

use std::fmt::{self, Write};

use gotmpl::Value;

use super::access::COMPLEX;
use super::builtins::sorted_entries;
use super::printf::float;
use super::run::{Capped, Run};
use super::time;
use super::value::{entries, kind};

/// How maps print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum Style {
    /// `map[a:1 b:2]`, as Go's own.
    Map,
    /// `a=1, b=2`, as Alertmanager's label sets.
    Pairs,
}

/// The most bytes that one function may make.
pub(in crate::template) const MAX_TEXT: usize = 1024 * 1024;

/// A value as text.
pub(in crate::template) fn printed(run: &Run, value: &Value) -> Result<String, String> {
    let mut out = Capped { text: String::new(), left: MAX_TEXT };
    write(&mut out, run.dialect.style, value).map_err(|_| too_long())?;
    Ok(out.text)
}

/// What is said of a text that is too long.
pub(in crate::template) fn too_long() -> String {
    format!("the text exceeds {MAX_TEXT} bytes")
}

/// Writes a value as `%v` does.
pub(in crate::template) fn write(out: &mut Capped, style: Style, value: &Value) -> fmt::Result {
    match value {
        Value::Nil => out.write_str("<nil>"),
        Value::Float(f) => out.write_str(&float(*f, 'g', None)),
        Value::List(items) if style == Style::Pairs && items.iter().all(is_pair) => {
            write_joined(out, items.iter(), ", ", |out, item| write_pair(out, style, item))
        }
        Value::List(items) => {
            out.write_str("[")?;
            write_joined(out, items.iter(), " ", |out, item| write(out, style, item))?;
            out.write_str("]")
        }
        Value::Map(map) => match kind(value) {
            Some(time::TIME) => out.write_str(&time::show(value)),
            Some(time::DURATION) => out.write_str(&time::show_duration(value)),
            Some(COMPLEX) => write_complex(out, value),
            Some(_) => {
                out.write_str("{")?;
                write_joined(out, entries(map), " ", |out, (_, v)| write(out, style, v))?;
                out.write_str("}")
            }
            None if style == Style::Pairs => {
                let pairs = sorted_entries(value, style);
                write_joined(out, pairs.into_iter(), ", ", |out, (name, v)| {
                    write!(out, "{name}=")?;
                    write(out, style, v)
                })
            }
            None => {
                out.write_str("map[")?;
                write_joined(out, entries(map), " ", |out, (name, v)| {
                    write!(out, "{name}:")?;
                    write(out, style, v)
                })?;
                out.write_str("]")
            }
        },
        other => write!(out, "{other}"),
    }
}

/// `(1+2i)`: the second part always has a sign.
fn write_complex(out: &mut Capped, value: &Value) -> fmt::Result {
    let part = |name: &str| match value.field(name) {
        Some(Value::Float(part)) => float(*part, 'g', None),
        _ => String::new(),
    };
    let imaginary = part("imaginary");
    let sign = if imaginary.starts_with(['+', '-']) { "" } else { "+" };
    write!(out, "({}{sign}{imaginary}i)", part("real"))
}

fn write_joined<T>(
    out: &mut Capped,
    items: impl Iterator<Item = T>,
    separator: &str,
    mut one: impl FnMut(&mut Capped, T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.write_str(separator)?;
        }
        one(out, item)?;
    }
    Ok(())
}

/// The kind of a label's name and value together.
pub(in crate::template) const PAIR: &str = "Pair";

fn is_pair(value: &Value) -> bool {
    kind(value) == Some(PAIR)
}

fn write_pair(out: &mut Capped, style: Style, pair: &Value) -> fmt::Result {
    write(out, style, pair.field("Name").unwrap_or(&Value::Nil))?;
    out.write_str("=")?;
    write(out, style, pair.field("Value").unwrap_or(&Value::Nil))
}
