//! The hidden functions that the parser writes into a tree.

use gotmpl::Value;

use super::run::{Run, Table};
use super::text::printed;
use super::value::{entries, kind, object, string_arg, text, type_name};
use crate::diag::nearest;
use crate::template::go::parser::did_you_mean;

/// The hidden functions.
pub(in crate::template) const HIDDEN: Table = &[
    ("__get", get),
    ("__text", printable),
    ("__iter", iterable),
    ("__enter", entered),
    // `__set $a $b value`: reading the variables is what fails where there are none.
    ("__set", |_, args| Ok(args.last().cloned().unwrap_or(Value::Nil))),
    ("__complex", |_, args| Ok(complex(args))),
];

/// The kind of a complex number.
pub(super) const COMPLEX: &str = "complex128";

fn complex(args: &[Value]) -> Value {
    let part = |index: usize| args.get(index).cloned().unwrap_or(Value::Float(0.0));
    object(COMPLEX, [("real", part(0)), ("imaginary", part(1))])
}

/// `__get base "A.b.c" args…`: fields and methods of a value, arguments to the last.
fn get(run: &Run, args: &[Value]) -> Result<Value, String> {
    let mut value = args.first().cloned().unwrap_or(Value::Nil);
    let path = string_arg(args, 1)?;
    let args = args.get(2..).unwrap_or_default();
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        let last = names.peek().is_none();
        value = member(run, &value, name, if last { args } else { &[] })?;
    }
    Ok(value)
}

fn member(run: &Run, value: &Value, name: &str, args: &[Value]) -> Result<Value, String> {
    if let Some(result) = (run.dialect.method)(run, value, name, args) {
        return result;
    }
    if !args.is_empty() {
        return Err(format!("`{name}` takes no argument"));
    }
    match value {
        Value::Nil => Ok(Value::Nil),
        Value::Map(map) => match (map.get(name), kind(value)) {
            (Some(found), _) => Ok(found.clone()),
            (None, None) => Ok(text("")),
            (None, Some(kind)) => {
                let near = did_you_mean(nearest(name, entries(map).map(|(n, _)| n)));
                Err(format!("{kind} has no field `{name}`{near}"))
            }
        },
        other => Err(format!("a {} has no field `{name}`", type_name(other))),
    }
}

/// What is printed: a missing value prints nothing, a number as Go prints it.
fn printable(run: &Run, args: &[Value]) -> Result<Value, String> {
    match args.first() {
        None | Some(Value::Nil) => Ok(text("")),
        Some(value @ (Value::String(_) | Value::Safe { .. })) => Ok(value.clone()),
        Some(value) => printed(run, value).map(text),
    }
}

/// What a loop may run over. A missing value is an empty one.
fn iterable(run: &Run, args: &[Value]) -> Result<Value, String> {
    let value = args.first().cloned().unwrap_or(Value::Nil);
    run.spend(1)?;
    match &value {
        Value::String(s) if s.is_empty() => Ok(Value::Nil),
        Value::Map(_) if kind(&value).is_some() => {
            Err(format!("range cannot go over a {}", type_name(&value)))
        }
        Value::Map(_) | Value::List(_) | Value::Int(_) | Value::Uint(_) | Value::Nil => Ok(value),
        other => Err(format!("range cannot go over a {}", type_name(other))),
    }
}

/// The argument of a template. Calls can multiply, so one costs more than a function.
fn entered(run: &Run, args: &[Value]) -> Result<Value, String> {
    run.spend(100)?;
    Ok(args.first().cloned().unwrap_or(Value::Nil))
}
