//! Floats in JSON. JSON has no `NaN` and no infinity, but a ratio over nothing is a common value
//! of an alert and must survive the store: such values are written as Prometheus' text.

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// The text that Prometheus uses for a value of which JSON has no number.
fn text(value: f64) -> Option<&'static str> {
    match value {
        v if v.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(f64),
    Text(String),
}

impl NumberOrText {
    fn value<E: Error>(self) -> Result<f64, E> {
        match self {
            Self::Number(value) => Ok(value),
            Self::Text(text) => match text.as_str() {
                "NaN" => Ok(f64::NAN),
                "+Inf" => Ok(f64::INFINITY),
                "-Inf" => Ok(f64::NEG_INFINITY),
                _ => Err(E::custom(format_args!("not a value of a sample: {text:?}"))),
            },
        }
    }
}

/// For `#[serde(with = "float")]`: writes a number, or a text where JSON has no number.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match text(*value) {
        Some(text) => serializer.serialize_str(text),
        None => serializer.serialize_f64(*value),
    }
}

/// Reads what [`serialize`] wrote.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    NumberOrText::deserialize(deserializer)?.value()
}

/// For `#[serde(with = "float::optional")]`.
pub mod optional {
    use super::{Deserialize, Deserializer, NumberOrText, Serializer};

    /// Writes nothing, a number or a text.
    pub fn serialize<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads what [`serialize`] wrote.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
        Option::<NumberOrText>::deserialize(d)?.map(NumberOrText::value).transpose()
    }
}
