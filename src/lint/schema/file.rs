//! A schema out of a file.

use crate::lint::schema::{Schema, page};

/// Why there is no schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The file was written by another version.
    #[error("this schema has the format {0:?}, which is not {known:?}", known = Schema::FORMAT)]
    Format(String),
    /// The file begins like a schema and is none.
    #[error("this is no schema: {0}")]
    Json(#[from] serde_json::Error),
    /// A line of a `/metrics` page cannot be read.
    #[error("line {line} is no line of a /metrics page: {reason}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: &'static str,
    },
    /// There is nothing in it.
    #[error("no metrics are in it")]
    Empty,
}

impl Schema {
    /// Reads what `watchbell schema` wrote, or the text of a `/metrics` page.
    ///
    /// # Errors
    /// A text that is neither.
    pub fn read(text: &str) -> Result<Self, SchemaError> {
        let schema = if text.trim_start().starts_with('{') && text.contains("\"format\"") {
            let schema: Self = serde_json::from_str(text)?;
            if schema.format != Self::FORMAT {
                return Err(SchemaError::Format(schema.format));
            }
            schema
        } else {
            page::read(text)?
        };
        if schema.metrics.is_empty() { Err(SchemaError::Empty) } else { Ok(schema) }
    }

    /// The schema as a file.
    ///
    /// # Errors
    /// Where it cannot be written as JSON, which no schema causes.
    pub fn to_text(&self) -> Result<String, SchemaError> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}
