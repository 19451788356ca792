//! Go's values in gotmpl's: string maps, structs with a kind, and what is built from our own.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use crate::model::LabelSet;

/// The key under which a struct keeps its kind. No label name and no field can be equal to it.
const KIND: &str = "\0";

/// A struct: its fields are fixed, so a misspelled one is an error and not an empty text.
pub(in crate::template) fn object<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Value {
    let kind = [(Arc::from(KIND), text(kind))];
    let fields = fields.into_iter().map(|(name, value)| (Arc::from(name), value));
    Value::Map(Arc::new(kind.into_iter().chain(fields).collect()))
}

/// The kind of a struct; `None` for every other value.
pub(in crate::template) fn kind(value: &Value) -> Option<&str> {
    match value {
        Value::Map(map) => map.get(KIND).and_then(Value::as_str),
        _ => None,
    }
}

/// The fields of a struct or the entries of a map.
pub(in crate::template) fn entries(
    map: &BTreeMap<Arc<str>, Value>,
) -> impl Iterator<Item = (&str, &Value)> {
    map.iter().map(|(name, value)| (name.as_ref(), value)).filter(|(name, _)| *name != KIND)
}

/// A string.
pub(in crate::template) fn text(text: impl Into<Arc<str>>) -> Value {
    Value::String(text.into())
}

/// A list.
pub(in crate::template) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

/// A map from strings to strings.
pub(in crate::template) fn string_map<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Value {
    Value::Map(Arc::new(pairs.map(|(n, v)| (Arc::from(n), text(v))).collect()))
}

/// The labels as a map.
pub(in crate::template) fn labels(set: &LabelSet) -> Value {
    string_map(set.iter())
}

/// The name of a value's type for messages.
pub(in crate::template) fn type_name(value: &Value) -> &str {
    kind(value).unwrap_or_else(|| value.type_name())
}

/// The argument at `index` as a string; a value that is missing is empty.
pub(in crate::template) fn string_arg(args: &[Value], index: usize) -> Result<&str, String> {
    match args.get(index) {
        Some(Value::String(s) | Value::Safe { s, .. }) => Ok(s),
        Some(Value::Nil) => Ok(""),
        Some(other) => Err(format!("expected a string, got {}", type_name(other))),
        None => Err(format!("argument {} is missing", index + 1)),
    }
}

/// Refuses a call with another number of arguments.
pub(in crate::template) fn arity(args: &[Value], count: usize) -> Result<(), String> {
    if args.len() == count {
        return Ok(());
    }
    Err(format!("wrong number of arguments: want {count}, got {}", args.len()))
}

/// How deep lists and maps may hold each other; they are printed and freed by recursion.
const MAX_NESTING: usize = 8;

/// Refuses a value that nests too deep to be put into another one.
pub(in crate::template) fn shallow(run: &super::run::Run, value: &Value) -> Result<(), String> {
    fn walk(run: &super::run::Run, value: &Value, left: usize) -> Result<(), String> {
        if left == 0 {
            return Err(format!("lists and maps nest more than {MAX_NESTING} deep"));
        }
        run.spend(1)?;
        match value {
            Value::List(items) => items.iter().try_for_each(|item| walk(run, item, left - 1)),
            Value::Map(map) => map.values().try_for_each(|item| walk(run, item, left - 1)),
            _ => Ok(()),
        }
    }
    walk(run, value, MAX_NESTING)
}
