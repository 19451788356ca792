//! Prometheus' template functions.

use gotmpl::Value;

use super::humanize;
use super::text_functions::{REGEX, mapped, title};
use crate::model::{InstantVector, parse_duration};
use crate::template::go::access::HIDDEN;
use crate::template::go::builtins::BUILTINS;
use crate::template::go::run::{Dialect, Run, Table};
use crate::template::go::text::Style;
use crate::template::go::time;
use crate::template::go::value::{arity, kind, labels, list, object, string_arg, text, type_name};

/// Prometheus' templates. `tmpl` is missing on purpose: only consoles have it, rules do not.
pub(super) static DIALECT: Dialect = Dialect {
    tables: &[HIDDEN, PROMETHEUS, REGEX, BUILTINS],
    method: |_, value, name, args| time::method(value, name, args),
    style: Style::Map,
};

const PROMETHEUS: Table = &[
    ("query", query),
    ("first", first),
    ("label", label),
    ("value", |_, args| sample(args, 0).map(|s| field(s, "Value"))),
    ("strvalue", |_, args| sample(args, 0).map(|s| label_of(s, "__value__"))),
    ("sortByLabel", sort_by_label),
    ("humanize", |_, args| number(args).map(|n| text(humanize::short(n)))),
    ("humanize1024", |_, args| number(args).map(|n| text(humanize::binary(n)))),
    ("humanizeDuration", |_, args| number(args).map(|n| text(humanize::duration(n)))),
    ("humanizePercentage", |_, args| number(args).map(|n| text(humanize::percentage(n)))),
    ("humanizeTimestamp", humanize_timestamp),
    ("toTime", |_, args| to_time(number(args)?)),
    ("toDuration", |_, args| number(args).map(|n| time::duration((n * 1e9) as i64))),
    ("now", |run, args| arity(args, 0).map(|()| Value::Float(run.facts.now.as_secs_f64()))),
    ("parseDuration", parse_seconds),
    ("title", |_, args| mapped(args, |s| title(s, |c| c))),
    ("stripPort", |_, args| mapped(args, strip_port)),
    ("stripDomain", |_, args| mapped(args, strip_domain)),
    ("graphLink", |_, args| mapped(args, |expr| graph_link(expr, 0))),
    ("tableLink", |_, args| mapped(args, |expr| graph_link(expr, 1))),
    ("urlQueryEscape", |_, args| mapped(args, gotmpl::url_encode)),
    ("pathPrefix", |run, args| arity(args, 0).map(|()| text(path(&run.facts.external_url)))),
    ("externalURL", |run, args| arity(args, 0).map(|()| text(run.facts.external_url.as_str()))),
    ("args", numbered),
];

/// The kind of a sample.
const SAMPLE: &str = "sample";

/// A query's result as templates see it.
pub(super) fn vector(vector: &InstantVector) -> Value {
    list(vector.iter().map(|sample| {
        let fields = [("Labels", labels(&sample.labels)), ("Value", Value::Float(sample.value))];
        object(SAMPLE, fields)
    }))
}

fn query(run: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let text = string_arg(args, 0)?;
    match (run.facts.answer)(text) {
        Some(answer) => answer.map_err(|why| format!("{text}: {why}")),
        None => {
            run.lacks(text);
            Err(format!("{text}: not answered yet"))
        }
    }
}

fn first(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let samples = samples(args, 0)?;
    samples.first().cloned().ok_or_else(|| "the vector has no elements".to_string())
}

fn samples(args: &[Value], index: usize) -> Result<&[Value], String> {
    match args.get(index) {
        Some(Value::List(items)) => Ok(items),
        other => {
            let found = other.map_or("nothing", type_name);
            Err(format!("expected the result of a query, got {found}"))
        }
    }
}

fn sample(args: &[Value], index: usize) -> Result<&Value, String> {
    arity(args, index + 1)?;
    match args.get(index) {
        Some(value) if kind(value) == Some(SAMPLE) => Ok(value),
        other => Err(format!("expected a sample, got {}", other.map_or("nothing", type_name))),
    }
}

fn field(value: &Value, name: &str) -> Value {
    value.field(name).cloned().unwrap_or(Value::Nil)
}

fn label_of(sample: &Value, name: &str) -> Value {
    let value = sample.field("Labels").and_then(|labels| labels.field(name)).cloned();
    value.unwrap_or_else(|| text(""))
}

fn label(_: &Run, args: &[Value]) -> Result<Value, String> {
    let sample = sample(args, 1)?;
    Ok(label_of(sample, string_arg(args, 0)?))
}

fn sort_by_label(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 2)?;
    let name = string_arg(args, 0)?;
    let mut keyed: Vec<(String, Value)> = samples(args, 1)?
        .iter()
        .map(|s| (label_of(s, name).as_str().unwrap_or("").to_string(), s.clone()))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(list(keyed.into_iter().map(|(_, sample)| sample)))
}

/// The one argument as a number; a text is read as one.
fn number(args: &[Value]) -> Result<f64, String> {
    arity(args, 1)?;
    number_of(args.first().unwrap_or(&Value::Nil))
}

/// A number, or a text that is read as one.
pub(in crate::template) fn number_of(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(f) => Ok(*f),
        Value::Int(n) => Ok(*n as f64),
        Value::Uint(n) => Ok(*n as f64),
        Value::String(s) => go_float(s).ok_or_else(|| format!("{s:?} is not a number")),
        other => match time::duration_nanos(other) {
            Some(nanos) => Ok(nanos as f64 / 1e9),
            None => Err(format!("a {} is not a number", type_name(other))),
        },
    }
}

/// Rust and Go read the same decimal numbers; Go allows no space, Rust neither.
fn go_float(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn to_time(seconds: f64) -> Result<Value, String> {
    if !seconds.is_finite() {
        return Err("the value is NaN or Inf".to_string());
    }
    let nanos = seconds * 1e9;
    if nanos.abs() > i64::MAX as f64 {
        return Err(format!("{seconds} s is too large for a time"));
    }
    // Prometheus keeps milliseconds and cuts towards 1970.
    let millis = nanos as i64 / 1_000_000;
    let above = i32::try_from(millis.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
    Ok(time::time(millis.div_euclid(1000), above))
}

fn humanize_timestamp(_: &Run, args: &[Value]) -> Result<Value, String> {
    let seconds = number(args)?;
    if !seconds.is_finite() {
        return Ok(text(humanize::short(seconds)));
    }
    to_time(seconds).map(|t| text(time::show(&t)))
}

fn parse_seconds(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let written = string_arg(args, 0)?;
    let (sign, positive) = match written.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, written),
    };
    let duration = parse_duration(positive).map_err(|e| e.to_string())?;
    Ok(Value::Float(sign * duration.as_secs_f64()))
}

/// The path of an address as Go has it: empty where none is written.
fn path(address: &str) -> String {
    let path = url::Url::parse(address).map(|u| u.path().to_string()).unwrap_or_default();
    if path == "/" && !address.ends_with('/') { String::new() } else { path }
}

fn graph_link(expr: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", gotmpl::url_encode(expr))
}

/// Host and port of `host:port` or `[host]:port`; `None` where there is no port.
fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    match host.strip_prefix('[') {
        Some(inside) => {
            let host = inside.strip_suffix(']')?;
            (!host.contains(['[', ']'])).then_some((host, port))
        }
        None => {
            (!host.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
        }
    }
}

fn strip_port(text: &str) -> String {
    split_host_port(text).map_or(text, |(host, _)| host).to_string()
}

fn strip_domain(text: &str) -> String {
    let (host, port) = split_host_port(text).unwrap_or((text, ""));
    let (address, _zone) = host.split_once('%').unwrap_or((host, ""));
    if address.parse::<std::net::IpAddr>().is_ok() {
        return text.to_string();
    }
    let name = host.split('.').next().unwrap_or("");
    match port {
        "" => name.to_string(),
        port if name.contains(':') => format!("[{name}]:{port}"),
        port => format!("{name}:{port}"),
    }
}

/// `args a b` is the map of `arg0` and `arg1`.
fn numbered(run: &Run, args: &[Value]) -> Result<Value, String> {
    let entries = args.iter().enumerate().map(|(i, value)| {
        crate::template::go::value::shallow(run, value)?;
        Ok((format!("arg{i}").into(), value.clone()))
    });
    Ok(Value::Map(std::sync::Arc::new(entries.collect::<Result<_, String>>()?)))
}
