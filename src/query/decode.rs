//! Prometheus' JSON into values, without a tree of the whole text in between.
//!
//! `result` is decoded by its shape, not by `resultType`, which may follow it: a series is an
//! object, a scalar or string is a pair of a number and a text.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{LabelSet, Timestamp};
use crate::query::{QueryError, QueryValue, Series};

/// The envelope of every answer.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) success: bool,
    pub(super) result_type: String,
    result: Vec<Element>,
    pub(super) error_type: Option<String>,
    pub(super) error: Option<String>,
    pub(super) warnings: Vec<String>,
    pub(super) infos: Vec<String>,
    histograms: bool,
}

/// One element of `result`.
#[derive(Debug)]
enum Element {
    Number,
    Text(String),
    Series(Series),
}

/// How many samples may still come, and whether one was a native histogram.
struct Budget {
    left: Cell<usize>,
    exhausted: Cell<bool>,
    histograms: Cell<bool>,
}

/// Decodes an answer with at most `limit` samples.
pub(super) fn decode(body: &[u8], limit: usize) -> Result<Envelope, QueryError> {
    let budget = Budget {
        left: Cell::new(limit),
        exhausted: Cell::new(false),
        histograms: Cell::new(false),
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let decoded = EnvelopeSeed(&budget).deserialize(&mut json).and_then(|mut envelope| {
        json.end()?;
        envelope.histograms = budget.histograms.get();
        Ok(envelope)
    });
    decoded.map_err(|error| match budget.exhausted.get() {
        true => QueryError::TooManySamples { limit },
        false => QueryError::Decode { reason: error.to_string() },
    })
}

impl Envelope {
    /// Takes the value out, which must be of the type that the server names. Native histograms
    /// have become 0, and a warning says so.
    pub(super) fn into_value(
        mut self,
    ) -> Result<(QueryValue, Vec<String>, Vec<String>), QueryError> {
        if self.histograms {
            self.warnings.push("native histograms in the result count as 0".to_string());
        }
        let unexpected = |reason: String| QueryError::Decode { reason };
        let value = match self.result_type.as_str() {
            "vector" => {
                let series = series(self.result)?;
                let vector = series.into_iter().map(|series| {
                    let sample = series.samples.first().copied();
                    let (timestamp, value) = sample.ok_or_else(|| {
                        unexpected(format!("a series of a vector has no value: {}", series.labels))
                    })?;
                    Ok(crate::model::Sample { labels: series.labels, timestamp, value })
                });
                QueryValue::Vector(vector.collect::<Result<_, QueryError>>()?)
            }
            "matrix" => QueryValue::Matrix(series(self.result)?),
            "scalar" | "string" => {
                let text = match self.result.as_slice() {
                    [Element::Number, Element::Text(text)] => text.clone(),
                    _ => return Err(unexpected(format!("malformed {}", self.result_type))),
                };
                match self.result_type.as_str() {
                    "scalar" => QueryValue::Scalar(parse_value(&text).map_err(unexpected)?),
                    _ => QueryValue::String(text),
                }
            }
            other => return Err(unexpected(format!("unknown result type {other:?}"))),
        };
        Ok((value, self.warnings, self.infos))
    }
}

fn series(elements: Vec<Element>) -> Result<Vec<Series>, QueryError> {
    let one = |element| match element {
        Element::Series(series) => Ok(series),
        Element::Number | Element::Text(_) => {
            Err(QueryError::Decode { reason: "a series is not an object".to_string() })
        }
    };
    elements.into_iter().map(one).collect()
}

/// A value as Prometheus writes it: `1e+06`, `NaN`, `+Inf`.
fn parse_value(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a value"))
}

struct EnvelopeSeed<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for EnvelopeSeed<'_> {
    type Value = Envelope;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EnvelopeSeed<'_> {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of Prometheus' api")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "status" => envelope.success = map.next_value::<Cow<'de, str>>()? == "success",
                "errorType" => envelope.error_type = map.next_value()?,
                "error" => envelope.error = map.next_value()?,
                "warnings" => {
                    envelope.warnings = map.next_value::<Option<_>>()?.unwrap_or_default();
                }
                "infos" => envelope.infos = map.next_value::<Option<_>>()?.unwrap_or_default(),
                "data" => {
                    if let Some((kind, result)) = map.next_value_seed(DataSeed(self.0))? {
                        envelope.result_type = kind;
                        envelope.result = result;
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(envelope)
    }
}

/// `data` of a query: type and elements. An answer to an error may hold `null`.
struct DataSeed<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for DataSeed<'_> {
    type Value = Option<(String, Vec<Element>)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for DataSeed<'_> {
    type Value = Option<(String, Vec<Element>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the data of a query")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut kind, mut result) = (String::new(), Vec::new());
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "resultType" => kind = map.next_value()?,
                "result" => result = map.next_value_seed(ListSeed(self.0))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some((kind, result)))
    }
}

/// `result`: a list of elements; Go writes an empty one as `null` at times.
struct ListSeed<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for ListSeed<'_> {
    type Value = Vec<Element>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_> {
    type Value = Vec<Element>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the result of a query")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(ElementSeed(self.0))? {
            elements.push(element);
        }
        Ok(elements)
    }
}

struct ElementSeed<'a>(&'a Budget);

impl<'de> DeserializeSeed<'de> for ElementSeed<'_> {
    type Value = Element;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Element, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ElementSeed<'_> {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series, a number or a text")
    }

    fn visit_f64<E>(self, _: f64) -> Result<Element, E> {
        Ok(Element::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Element, E> {
        Ok(Element::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Element, E> {
        Ok(Element::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Element, E> {
        Ok(Element::Text(text.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
        let mut labels = LabelSet::new();
        let mut samples = Vec::new();
        // A series without samples costs as much as one with.
        spend(self.0)?;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "metric" => labels = map.next_value()?,
                "value" => samples.push(map.next_value::<Point>()?.sample()),
                "values" => map.next_value_seed(PointsSeed(self.0, &mut samples))?,
                "histogram" => {
                    self.0.histograms.set(true);
                    samples.push(map.next_value::<HistogramPoint>()?.sample());
                }
                "histograms" => {
                    self.0.histograms.set(true);
                    let points: Vec<HistogramPoint> = map.next_value()?;
                    samples.extend(points.iter().map(HistogramPoint::sample));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        // A series may turn from floats to histograms and back; they come in two lists.
        samples.sort_by_key(|(at, _)| *at);
        Ok(Element::Series(Series { labels, samples }))
    }
}

fn spend<E: serde::de::Error>(budget: &Budget) -> Result<(), E> {
    match budget.left.get().checked_sub(1) {
        Some(left) => {
            budget.left.set(left);
            Ok(())
        }
        None => {
            budget.exhausted.set(true);
            Err(E::custom("too many samples"))
        }
    }
}

/// `[1700000000.123, "1"]`.
struct Point(Timestamp, f64);

impl Point {
    fn sample(&self) -> (Timestamp, f64) {
        (self.0, self.1)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, text) = <(f64, Cow<'de, str>)>::deserialize(deserializer)?;
        let value = parse_value(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(timestamp(seconds), value))
    }
}

/// `[1700000000.123, {"count": …}]`.
#[derive(Deserialize)]
struct HistogramPoint(f64, IgnoredAny);

impl HistogramPoint {
    fn sample(&self) -> (Timestamp, f64) {
        (timestamp(self.0), 0.0)
    }
}

fn timestamp(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0).round() as i64)
}

/// `values`: many points, each counted.
struct PointsSeed<'a>(&'a Budget, &'a mut Vec<(Timestamp, f64)>);

impl<'de> DeserializeSeed<'de> for PointsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for PointsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pairs of time and value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(point) = seq.next_element::<Point>()? {
            spend(self.0)?;
            self.1.push(point.sample());
        }
        Ok(())
    }
}
