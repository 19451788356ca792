//! Prometheus' JSON into values, without a tree of the whole text in between.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::model::Sample;
use crate::query::elements::{Budget, Element, ListSeed, parse_value};
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
                    Ok(Sample { labels: series.labels, timestamp, value })
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
