//! Prometheus' own scripts, what the language says, and scripts that must not pass.

mod corpus;
mod language;
