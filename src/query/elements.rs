//! The elements of a query's result, decoded by their shape and not by `resultType`, which may
//! follow them: a series is an object, a scalar or string is a pair of a number and a text.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::{LabelSet, Timestamp};
use crate::query::Series;

/// One element of `result`.
#[derive(Debug)]
pub(super) enum Element {
    Number,
    Text(String),
    Series(Series),
}

/// How many samples may still come, and whether one was a native histogram.
pub(super) struct Budget {
    pub(super) left: Cell<usize>,
    pub(super) exhausted: Cell<bool>,
    pub(super) histograms: Cell<bool>,
}

/// A value as Prometheus writes it: `1e+06`, `NaN`, `+Inf`.
pub(super) fn parse_value(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a value"))
}

/// `result`: a list of elements; Go writes an empty one as `null` at times.
pub(super) struct ListSeed<'a>(pub(super) &'a Budget);

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
