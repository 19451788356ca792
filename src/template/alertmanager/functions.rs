//! Alertmanager's template functions.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use gotmpl::{SafeKind, Value};
use serde_json::Value as Json;

use super::data::{ALERT, DATA};
use super::methods::{joined, method};
use crate::template::go::access::HIDDEN;
use crate::template::go::builtins::BUILTINS;
use crate::template::go::run::{Dialect, Run, Table};
use crate::template::go::text::Style;
use crate::template::go::time;
use crate::template::go::value::{
    arity, entries, kind, list, shallow, string_arg, text, type_name,
};
use crate::template::rule::{REGEX, humanize_duration, mapped, number_of, title};

/// Alertmanager's templates.
pub(super) static DIALECT: Dialect =
    Dialect { tables: &[HIDDEN, ALERTMANAGER, REGEX, BUILTINS], method, style: Style::Pairs };

const ALERTMANAGER: Table = &[
    ("title", |_, args| mapped(args, |s| title(s, |c| c.to_lowercase().next().unwrap_or(c)))),
    ("trimSpace", |_, args| mapped(args, |s| s.trim().to_string())),
    ("join", join),
    ("safeUrl", |_, args| {
        arity(args, 1)?;
        Ok(Value::Safe { kind: SafeKind::Url, s: string_arg(args, 0)?.into() })
    }),
    ("urlUnescape", url_unescape),
    ("stringSlice", |_, args| {
        (0..args.len()).try_for_each(|i| string_arg(args, i).map(|_| ()))?;
        Ok(list(args.iter().cloned()))
    }),
    ("date", |_, args| {
        arity(args, 2)?;
        Ok(text(time::format(string_arg(args, 0)?, &time::time_arg(args, 1)?)))
    }),
    ("tz", |_, args| {
        arity(args, 2)?;
        time::time_arg(args, 1)?;
        time::moved(string_arg(args, 0)?, args.get(1).unwrap_or(&Value::Nil))
    }),
    ("now", now),
    ("since", since),
    ("humanizeDuration", |_, args| {
        arity(args, 1)?;
        number_of(args.first().unwrap_or(&Value::Nil)).map(|n| text(humanize_duration(n)))
    }),
    ("toJson", to_json),
    ("base64encode", |_, args| mapped(args, |s| URL_SAFE.encode(s))),
    ("base64decode", base64_decode),
    ("list", |run, args| {
        args.iter().try_for_each(|arg| shallow(run, arg))?;
        Ok(list(args.iter().cloned()))
    }),
    ("append", append),
    ("dict", dict),
];

fn join(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 2)?;
    match args.get(1) {
        Some(Value::List(items)) => joined(string_arg(args, 0)?, items),
        Some(Value::Nil) => Ok(text("")),
        other => Err(format!("expected a list, got {}", other.map_or("nothing", type_name))),
    }
}

fn now(run: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 0)?;
    let millis = run.facts.now.millis();
    let nanos = i32::try_from(millis.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    Ok(time::time(millis.div_euclid(1000), nanos))
}

fn since(run: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let from = time::time_arg(args, 0)?.timestamp().as_nanosecond();
    let nanos = i128::from(run.facts.now.millis()) * 1_000_000 - from;
    Ok(time::duration(i64::try_from(nanos).unwrap_or(i64::MAX)))
}

/// `+` is a space, `%41` a byte.
fn url_unescape(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let escaped = string_arg(args, 0)?;
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let pair = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                let code = pair.and_then(|code| u8::try_from(code).ok());
                code.ok_or_else(|| format!("bad escape in {escaped:?}"))?
            }
            other => other,
        });
    }
    Ok(text(String::from_utf8_lossy(&bytes)))
}

fn base64_decode(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let bytes = URL_SAFE.decode(string_arg(args, 0)?).map_err(|e| e.to_string())?;
    Ok(text(String::from_utf8_lossy(&bytes)))
}

fn append(run: &Run, args: &[Value]) -> Result<Value, String> {
    let (items, added) = match args {
        [Value::List(items), added @ ..] => (items, added),
        _ => return Err("expected a list in front".to_string()),
    };
    added.iter().try_for_each(|arg| shallow(run, arg))?;
    Ok(list(items.iter().chain(added).cloned()))
}

fn dict(run: &Run, args: &[Value]) -> Result<Value, String> {
    if !args.len().is_multiple_of(2) {
        return Err("wants names and values in pairs".to_string());
    }
    let mut map = std::collections::BTreeMap::new();
    for (i, pair) in args.chunks(2).enumerate() {
        let value = pair.get(1).cloned().unwrap_or(Value::Nil);
        shallow(run, &value)?;
        map.insert(Arc::from(string_arg(args, 2 * i)?), value);
    }
    Ok(Value::Map(Arc::new(map)))
}

/// JSON as Go writes it: `<`, `>` and `&` are escaped too.
fn to_json(run: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let json = json(run, args.first().unwrap_or(&Value::Nil))?;
    let plain = serde_json::to_string(&json).map_err(|e| e.to_string())?;
    run.spend(plain.len())?;
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            c => out.push(c),
        }
    }
    Ok(text(out))
}

fn json(run: &Run, value: &Value) -> Result<Json, String> {
    run.spend(1)?;
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(b) => Json::from(*b),
        Value::Int(n) => Json::from(*n),
        Value::Uint(n) => Json::from(*n),
        Value::Float(f) if f.is_finite() => Json::from(*f),
        Value::Float(f) => return Err(format!("{f} has no form in JSON")),
        Value::String(s) | Value::Safe { s, .. } => Json::from(s.as_ref()),
        Value::List(items) => {
            Json::Array(items.iter().map(|item| json(run, item)).collect::<Result<_, _>>()?)
        }
        Value::Map(map) => match kind(value) {
            Some(time::TIME) => {
                let at = time::time_arg(std::slice::from_ref(value), 0)?;
                Json::from(time::format("2006-01-02T15:04:05.999999999Z07:00", &at))
            }
            Some(time::DURATION) => Json::from(time::duration_nanos(value).unwrap_or(0)),
            kind => {
                let renamed = matches!(kind, Some(ALERT | DATA));
                let fields = entries(map).map(|(name, v)| Ok((key(name, renamed), json(run, v)?)));
                Json::Object(fields.collect::<Result<_, String>>()?)
            }
        },
        Value::Function(_) => return Err("a function has no form in JSON".to_string()),
    })
}

/// The fields of alerts and of the whole begin with a small letter in JSON.
fn key(name: &str, renamed: bool) -> String {
    let mut chars = name.chars();
    match chars.next() {
        _ if name == "NotificationReason" => "notification_reason".to_string(),
        Some(first) if renamed => first.to_lowercase().chain(chars).collect(),
        _ => name.to_string(),
    }
}
