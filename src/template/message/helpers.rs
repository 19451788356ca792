//! The helpers of message templates.
//!
//! | helper | result |
//! |---|---|
//! | `time at` | a time as `2026-01-02 15:04:05 CET`, in the data's `timeZone`; `zone="…"`, `format="%H:%M"` |
//! | `duration seconds` | `3h 12m` |
//! | `truncate text 80` | at most 80 characters, the last of them `…` where it was cut |
//! | `slack text` | `&`, `<` and `>` as Slack wants them |
//! | `upper`, `lower`, `titlecase` | letters |
//! | `join list ", "` | the values with a text between them |
//! | `default value other` | `other` where the value is missing or empty |
//! | `humanize n`, `number n` | `1.235k`; `1234.5` |
//! | `percent ratio` | `12.35%` |
//! | `minus a b` | the difference of two numbers |
//! | `urlencode text` | for the query of a link |
//! | `json value` | the value as JSON, to be written with `{{{…}}}` |
//! | `contains text part` | whether a text has a part, or a list a value |

use std::time::Duration;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason,
    ScopedJson,
};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::Timestamp;
use crate::template::data::{duration_text, time_text};
use crate::template::go::printf::float;
use crate::template::rule::{humanize, lower, title, upper};

/// The names of the helpers here.
pub(super) const NAMES: [&str; 16] = [
    "time",
    "duration",
    "truncate",
    "slack",
    "upper",
    "lower",
    "titlecase",
    "join",
    "default",
    "humanize",
    "number",
    "percent",
    "minus",
    "urlencode",
    "json",
    "contains",
];

/// What a helper is given.
struct Call<'a> {
    params: Vec<&'a Value>,
    hash: Vec<(&'a str, &'a Value)>,
    root: &'a Value,
}

type Function = fn(&Call<'_>) -> Result<Value, String>;

struct Plain(&'static str, Function);

impl HelperDef for Plain {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let call = Call {
            params: helper.params().iter().map(|p| p.value()).collect(),
            hash: helper.hash().iter().map(|(name, p)| (*name, p.value())).collect(),
            root: context.data(),
        };
        (self.1)(&call)
            .map(ScopedJson::Derived)
            .map_err(|why| RenderErrorReason::Other(format!("{}: {why}", self.0)).into())
    }
}

/// Adds the helpers to a registry.
pub(super) fn register(registry: &mut Handlebars<'_>) {
    let functions: [Function; 16] = [
        time,
        duration,
        |c| text_with(c, 2, |c, s| Ok(truncate(s, c.count(1)?))),
        |c| text_with(c, 1, |_, s| Ok(slack(s))),
        |c| text_with(c, 1, |_, s| Ok(upper(s))),
        |c| text_with(c, 1, |_, s| Ok(lower(s))),
        |c| text_with(c, 1, |_, s| Ok(title(s, |c| c))),
        join,
        default,
        |c| scaled(c, humanize),
        |c| scaled(c, |n| float(n, 'g', Some(12))),
        |c| scaled(c, |n| float(n * 100.0, 'g', Some(4)) + "%"),
        minus,
        |c| text_with(c, 1, |_, s| Ok(gotmpl::url_encode(s))),
        |c| {
            c.only()
                .and_then(|v| serde_json::to_string(v).map_err(|e| e.to_string()))
                .map(Value::from)
        },
        contains,
    ];
    for (name, function) in NAMES.into_iter().zip(functions) {
        registry.register_helper(name, Box::new(Plain(name, function)));
    }
}

impl Call<'_> {
    fn arity(&self, count: usize) -> Result<(), String> {
        if self.params.len() == count {
            return Ok(());
        }
        Err(format!("wrong number of arguments: want {count}, got {}", self.params.len()))
    }

    fn param(&self, index: usize) -> &Value {
        self.params.get(index).copied().unwrap_or(&Value::Null)
    }

    fn only(&self) -> Result<&Value, String> {
        self.arity(1).map(|()| self.param(0))
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.hash.iter().find(|(n, _)| *n == name).and_then(|(_, v)| v.as_str())
    }

    fn count(&self, index: usize) -> Result<usize, String> {
        let count = self.param(index).as_u64().and_then(|n| usize::try_from(n).ok());
        count.ok_or_else(|| "the length must be a whole number".to_string())
    }
}

/// A value as a text: what is missing is empty.
fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn text_with(
    call: &Call<'_>,
    arity: usize,
    map: impl Fn(&Call<'_>, &str) -> Result<String, String>,
) -> Result<Value, String> {
    call.arity(arity)?;
    map(call, &as_text(call.param(0))).map(Value::from)
}

/// A number, or a text that is one; `None` for what is missing.
fn number(value: &Value) -> Result<Option<f64>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Number(n) => Ok(n.as_f64()),
        Value::String(s) if s.is_empty() => Ok(None),
        Value::String(s) => s.parse().map(Some).map_err(|_| format!("{s:?} is not a number")),
        other => Err(format!("{other} is not a number")),
    }
}

fn scaled(call: &Call<'_>, map: fn(f64) -> String) -> Result<Value, String> {
    Ok(Value::from(number(call.only()?)?.map(map).unwrap_or_default()))
}

fn minus(call: &Call<'_>) -> Result<Value, String> {
    call.arity(2)?;
    let pair = number(call.param(0))?.zip(number(call.param(1))?);
    Ok(pair.map_or(Value::Null, |(a, b)| Value::from(float(a - b, 'g', Some(12)))))
}

fn duration(call: &Call<'_>) -> Result<Value, String> {
    let seconds = number(call.only()?)?;
    let seconds = seconds.map(|s| Duration::try_from_secs_f64(s.max(0.0)));
    match seconds {
        None => Ok(Value::from("")),
        Some(Ok(duration)) => Ok(Value::from(duration_text(duration))),
        Some(Err(e)) => Err(e.to_string()),
    }
}

fn time(call: &Call<'_>) -> Result<Value, String> {
    let at = match call.only()? {
        Value::Null => return Ok(Value::from("")),
        Value::String(s) if s.is_empty() => return Ok(Value::from("")),
        Value::String(s) => {
            let at: jiff::Timestamp = s.parse().map_err(|_| format!("{s:?} is not a time"))?;
            Timestamp::from_millis(at.as_millisecond())
        }
        other => {
            let seconds = number(other)?.unwrap_or(0.0);
            Timestamp::from_millis((seconds * 1000.0) as i64)
        }
    };
    let configured = call.root.get("timeZone").and_then(Value::as_str);
    let name = call.option("zone").or(configured).unwrap_or("UTC");
    let zone = TimeZone::get(name).map_err(|_| format!("unknown time zone {name:?}"))?;
    let Some(format) = call.option("format") else { return Ok(Value::from(time_text(at, &zone))) };
    let instant = jiff::Timestamp::from_millisecond(at.millis()).map_err(|e| e.to_string())?;
    let shown = jiff::fmt::strtime::format(format, &instant.to_zoned(zone));
    shown.map(Value::from).map_err(|e| e.to_string())
}

/// Cuts a text to at most `max` characters; the last of a text that was cut is `…`.
pub fn truncate(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_string(),
        Some(_) if max == 0 => String::new(),
        Some(_) => text.chars().take(max - 1).chain(['…']).collect(),
    }
}

/// Slack's three special signs, so that `<!channel>` in a label calls nobody.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn join(call: &Call<'_>) -> Result<Value, String> {
    call.arity(2)?;
    let parts: Vec<String> = match call.param(0) {
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::Object(map) => map.values().map(as_text).collect(),
        Value::Null => Vec::new(),
        other => vec![as_text(other)],
    };
    Ok(Value::from(parts.join(&as_text(call.param(1)))))
}

fn default(call: &Call<'_>) -> Result<Value, String> {
    call.arity(2)?;
    let missing = matches!(call.param(0), Value::Null) || call.param(0) == "";
    Ok(call.param(usize::from(missing)).clone())
}

fn contains(call: &Call<'_>) -> Result<Value, String> {
    call.arity(2)?;
    Ok(Value::from(match call.param(0) {
        Value::Array(items) => items.contains(call.param(1)),
        Value::Object(map) => map.contains_key(&as_text(call.param(1))),
        other => as_text(other).contains(&as_text(call.param(1))),
    }))
}
