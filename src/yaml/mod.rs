//! Tier 1: YAML as a tree in which every node knows its place.
//!
//! The way from a file to values:
//!
//! 1. [`read_file`] reads a file of bounded size, [`hide_secrets`] keeps its secrets out of what is
//!    drawn of it, [`load`] makes a [`Document`] of it.
//! 2. A [`Reader`] takes the document's findings and collects the mistakes that follow. It never
//!    stops at the first one: a method that finds a mistake notes it and returns `None`.
//! 3. [`Reader::mapping`] opens a mapping as [`Fields`]. Every known key is asked for once, then
//!    [`Fields::finish`] refuses the keys that nobody asked for.
//! 4. [`Reader::into_diagnostics`] gives all findings. The file is good if none is an error.
//!
//! ```
//! use std::sync::Arc;
//! use watchbell::diag::SourceFile;
//! use watchbell::yaml;
//!
//! let source = Arc::new(SourceFile::new("a.yml", "receiver: ops\ngroup_wiat: 30s\n"));
//! let document = yaml::load(&source).unwrap_or_else(|_| unreachable!("it is YAML"));
//! let mut reader = yaml::Reader::new(&document);
//! if let Some(mut fields) = reader.mapping(&document.root, "the route") {
//!     let receiver = fields.require_string(&mut reader, "receiver");
//!     let wait = fields.duration(&mut reader, "group_wait");
//!     fields.unsupported(&mut reader, "labels", "routes have no labels of their own");
//!     fields.finish(&mut reader);
//!     assert_eq!((receiver, wait), (Some("ops"), None));
//! }
//! let findings = reader.into_diagnostics();
//! assert_eq!(findings[0].message, "unknown key `group_wiat` in the route");
//! assert_eq!(findings[0].help.as_deref(), Some("did you mean `group_wait`?"));
//! ```
//!
//! A key with the value null (`receiver:` and nothing behind it) is the same as no key, as it is
//! for Go's decoder, which Prometheus and Alertmanager use.
//!
//! Findings have one of these names: `yaml/syntax`, `yaml/limit`, `yaml/duplicate-key`,
//! `yaml/merge`, `yaml/type`, `yaml/value`, `yaml/unknown-key`, `yaml/missing-key`,
//! `yaml/unsupported`, `yaml/second-document`, `yaml/ignored`.

mod build;
mod fields;
mod file;
mod go;
mod hide;
mod input;
mod limits;
mod load;
mod parts;
mod place;
mod reader;
mod repair;
mod scalar;
mod texts;
mod tree;

#[cfg(test)]
mod tests;

pub use fields::Fields;
pub use file::{FileError, read_file};
pub use hide::hide_secrets;
pub use limits::{MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_FINDINGS, MAX_LINE, MAX_NODES, MAX_TEXT};
pub use load::{Document, load, load_part};
pub use reader::Reader;
pub use scalar::{Resolved, Scalar, ScalarStyle};
pub use tree::{Entry, Node, Value};
