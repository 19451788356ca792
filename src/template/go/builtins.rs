//! Go's own template functions. `and`, `or`, `not` and `call` are gotmpl's.

use std::cmp::Ordering;

use gotmpl::{SafeKind, Value};

use super::printf::sprintf;
use super::run::{Capped, Run, Table};
use super::text::{MAX_TEXT, Style, too_long, write};
use super::value::{arity, entries, kind, string_arg, text, type_name};

/// Go's functions.
pub(in crate::template) const BUILTINS: Table = &[
    ("print", print),
    ("println", println),
    ("printf", printf),
    ("html", html),
    ("__html", html),
    ("js", |run, args| escaped(run, args, gotmpl::js_escape).map(text)),
    ("urlquery", urlquery),
    ("__urlquery", urlquery),
    ("len", len),
    ("index", index),
    ("slice", slice),
    ("eq", eq),
    ("ne", |_, args| Ok(Value::Bool(!two(args).and_then(|(a, b)| equal(a, b))?))),
    // Go has `gt` as the opposite of `le` and `ge` as that of `lt`, which shows with NaN.
    ("lt", |_, args| Ok(Value::Bool(order(args)? == Some(Ordering::Less)))),
    ("le", |_, args| Ok(Value::Bool(order(args)?.is_some_and(Ordering::is_le)))),
    ("gt", |_, args| Ok(Value::Bool(!order(args)?.is_some_and(Ordering::is_le)))),
    ("ge", |_, args| Ok(Value::Bool(order(args)? != Some(Ordering::Less)))),
];

/// `fmt.Sprint`: a space between two values of which neither is a string.
fn print(run: &Run, args: &[Value]) -> Result<Value, String> {
    joined(run, args, |before, next| !is_string(before) && !is_string(next), "")
}

fn println(run: &Run, args: &[Value]) -> Result<Value, String> {
    joined(run, args, |_, _| true, "\n")
}

fn is_string(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Safe { .. })
}

fn joined(
    run: &Run,
    args: &[Value],
    space: fn(&Value, &Value) -> bool,
    end: &str,
) -> Result<Value, String> {
    use std::fmt::Write;
    let mut out = Capped { text: String::new(), left: MAX_TEXT };
    let mut before: Option<&Value> = None;
    for arg in args {
        if before.is_some_and(|b| space(b, arg)) {
            out.write_char(' ').map_err(|_| too_long())?;
        }
        write(&mut out, run.dialect.style, arg).map_err(|_| too_long())?;
        before = Some(arg);
    }
    out.write_str(end).map_err(|_| too_long())?;
    Ok(text(out.text))
}

fn printf(run: &Run, args: &[Value]) -> Result<Value, String> {
    let format = string_arg(args, 0)?;
    sprintf(run, format, args.get(1..).unwrap_or_default()).map(text)
}

fn html(run: &Run, args: &[Value]) -> Result<Value, String> {
    let s = escaped(run, args, gotmpl::html_escape)?.into();
    Ok(Value::Safe { kind: SafeKind::Html, s })
}

fn urlquery(run: &Run, args: &[Value]) -> Result<Value, String> {
    let s = escaped(run, args, gotmpl::url_encode)?.into();
    Ok(Value::Safe { kind: SafeKind::Url, s })
}

fn escaped(run: &Run, args: &[Value], escape: fn(&str) -> String) -> Result<String, String> {
    let whole = match args {
        [Value::Nil] => text(""),
        args => print(run, args)?,
    };
    Ok(escape(whole.as_str().unwrap_or("")))
}

fn len(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let count = match args.first() {
        Some(Value::String(s) | Value::Safe { s, .. }) => s.len(),
        Some(Value::List(items)) => items.len(),
        Some(map @ Value::Map(items)) if kind(map).is_none() => items.len(),
        Some(Value::Nil) | None => 0,
        Some(other) => return Err(format!("a {} has no length", type_name(other))),
    };
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn index(_: &Run, args: &[Value]) -> Result<Value, String> {
    let mut value = args.first().cloned().ok_or("want at least 1 argument")?;
    for key in args.iter().skip(1) {
        value = match (&value, key) {
            (Value::Map(map), Value::String(name)) if kind(&value).is_none() => {
                map.get(name.as_ref()).cloned().unwrap_or_else(|| text(""))
            }
            (Value::Nil, _) => Value::Nil,
            (Value::List(_) | Value::String(_), Value::Int(_) | Value::Uint(_)) => {
                value.index(key).map_err(|e| e.to_string())?
            }
            (other, key) => {
                let (of, by) = (type_name(other), type_name(key));
                return Err(format!("cannot index a {of} by a {by}"));
            }
        };
    }
    Ok(value)
}

/// Go cuts strings between bytes; here a cut inside of a character moves in front of it.
fn slice(_: &Run, args: &[Value]) -> Result<Value, String> {
    let value = args.first().ok_or("want at least 1 argument")?;
    let mut bounds = [None; 2];
    if args.len() > 3 {
        return Err(format!("want at most 3 arguments, got {}", args.len()));
    }
    for (bound, arg) in bounds.iter_mut().zip(args.iter().skip(1)) {
        let n = match arg {
            Value::Int(n) => *n,
            other => return Err(format!("cannot cut at a {}", type_name(other))),
        };
        *bound = Some(match value {
            Value::String(s) => floor(s, n),
            _ => n,
        });
    }
    let [from, to] = bounds;
    value.slice(from, to).map_err(|e| e.to_string())
}

fn floor(text: &str, at: i64) -> i64 {
    match usize::try_from(at) {
        Ok(at) if at < text.len() => i64::try_from(text.floor_char_boundary(at)).unwrap_or(0),
        _ => at,
    }
}

fn two(args: &[Value]) -> Result<(&Value, &Value), String> {
    match args {
        [a, b] => Ok((a, b)),
        _ => Err(format!("want 2 arguments, got {}", args.len())),
    }
}

fn eq(_: &Run, args: &[Value]) -> Result<Value, String> {
    let [first, others @ ..] = args else { return Err("want at least 2 arguments".into()) };
    if others.is_empty() {
        return Err("want at least 2 arguments, got 1".to_string());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// A basic value: what Go's comparisons accept.
enum Basic<'a> {
    Bool(bool),
    Whole(i128),
    Float(f64),
    Text(&'a str),
}

fn basic(value: &Value) -> Option<Basic<'_>> {
    Some(match value {
        Value::Bool(b) => Basic::Bool(*b),
        Value::Int(n) => Basic::Whole(i128::from(*n)),
        Value::Uint(n) => Basic::Whole(i128::from(*n)),
        Value::Float(f) => Basic::Float(*f),
        Value::String(s) | Value::Safe { s, .. } => Basic::Text(s),
        _ => return None,
    })
}

fn incompatible(a: &Value, b: &Value) -> String {
    format!("cannot compare a {} with a {}", type_name(a), type_name(b))
}

fn equal(a: &Value, b: &Value) -> Result<bool, String> {
    match (basic(a), basic(b)) {
        (Some(Basic::Bool(x)), Some(Basic::Bool(y))) => Ok(x == y),
        (Some(Basic::Whole(x)), Some(Basic::Whole(y))) => Ok(x == y),
        (Some(Basic::Float(x)), Some(Basic::Float(y))) => Ok(x == y),
        (Some(Basic::Text(x)), Some(Basic::Text(y))) => Ok(x == y),
        (None, _) | (_, None) if matches!((a, b), (Value::Nil, _) | (_, Value::Nil)) => {
            let empty = |v: &Value| matches!(v, Value::Nil) || v.as_str() == Some("");
            Ok(empty(a) && empty(b))
        }
        _ => Err(incompatible(a, b)),
    }
}

/// How two arguments stand to each other; `None` with a NaN.
fn order(args: &[Value]) -> Result<Option<Ordering>, String> {
    let (a, b) = two(args)?;
    match (basic(a), basic(b)) {
        (Some(Basic::Whole(x)), Some(Basic::Whole(y))) => Ok(Some(x.cmp(&y))),
        (Some(Basic::Float(x)), Some(Basic::Float(y))) => Ok(x.partial_cmp(&y)),
        (Some(Basic::Text(x)), Some(Basic::Text(y))) => Ok(Some(x.cmp(y))),
        _ => Err(incompatible(a, b)),
    }
}

/// The entries of a map in the order in which they print.
pub(in crate::template) fn sorted_entries(value: &Value, style: Style) -> Vec<(&str, &Value)> {
    let Value::Map(map) = value else { return Vec::new() };
    let mut list: Vec<(&str, &Value)> = entries(map).collect();
    if style == Style::Pairs {
        list.sort_by_key(|(name, _)| *name != "alertname");
    }
    list
}
