//! The methods of Alertmanager's data: `.Alerts.Firing`, `.GroupLabels.SortedPairs`, `.Join`.

use std::sync::Arc;

use gotmpl::Value;

use super::data::ALERT;
use crate::template::go::builtins::sorted_entries;
use crate::template::go::run::Run;
use crate::template::go::text::{PAIR, Style};
use crate::template::go::time;
use crate::template::go::value::{arity, entries, kind, list, object, string_arg, text};

/// The method of a value, if it has one of that name.
pub(super) fn method(
    _: &Run,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Option<Result<Value, String>> {
    match value {
        Value::List(items) => of_list(items, name, args),
        Value::Map(_) if kind(value).is_none() => of_labels(value, name, args),
        Value::Map(_) => time::method(value, name, args),
        _ => None,
    }
}

fn of_list(items: &[Value], name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let all = |wanted: &str| items.iter().all(|item| kind(item) == Some(wanted));
    match name {
        "Firing" | "Resolved" if all(ALERT) => {
            let status = name.to_ascii_lowercase();
            let has = |a: &&Value| a.field("Status").and_then(Value::as_str) == Some(&status);
            let kept = list(items.iter().filter(has).cloned());
            Some(arity(args, 0).map(|()| kept))
        }
        "Names" | "Values" if all(PAIR) => {
            let field = if name == "Names" { "Name" } else { "Value" };
            let column = list(items.iter().filter_map(|pair| pair.field(field).cloned()));
            Some(arity(args, 0).map(|()| column))
        }
        "Join" => Some(arity(args, 1).and_then(|()| joined(string_arg(args, 0)?, items))),
        _ => None,
    }
}

/// The strings of a list with a separator between them.
pub(super) fn joined(separator: &str, items: &[Value]) -> Result<Value, String> {
    let strings: Result<Vec<&str>, String> =
        (0..items.len()).map(|i| string_arg(items, i)).collect();
    Ok(text(strings?.join(separator)))
}

fn of_labels(value: &Value, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let pairs = || sorted_entries(value, Style::Pairs).into_iter();
    let result = match name {
        "SortedPairs" => {
            list(pairs().map(|(n, v)| object(PAIR, [("Name", text(n)), ("Value", v.clone())])))
        }
        "Names" => list(pairs().map(|(n, _)| text(n))),
        "Values" => list(pairs().map(|(_, v)| v.clone())),
        "Remove" => return Some(arity(args, 1).and_then(|()| without(value, args))),
        _ => return None,
    };
    Some(arity(args, 0).map(|()| result))
}

fn without(value: &Value, args: &[Value]) -> Result<Value, String> {
    let names = match args.first() {
        Some(Value::List(names)) => names,
        _ => return Err("Remove wants a list of names".to_string()),
    };
    let Value::Map(map) = value else { return Ok(value.clone()) };
    let kept = entries(map).filter(|(name, _)| !names.iter().any(|n| n.as_str() == Some(name)));
    Ok(Value::Map(Arc::new(kept.map(|(n, v)| (Arc::from(n), v.clone())).collect())))
}
