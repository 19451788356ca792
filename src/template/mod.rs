//! Tier 1: Go templates for rules and inline texts, Handlebars for notifications.
//!
//! [`RuleTemplate`] expands labels and annotations of rules as Prometheus does, [`GoText`] the
//! inline texts of an `alertmanager.yml`, and [`NotificationTemplates`] holds the messages. The
//! first two share the language in `go`; the last two share the data of [`TemplateData`].

mod alertmanager;
mod data;
mod go;
mod links;
mod message;
mod rule;

pub use alertmanager::{GoFileError, GoTemplates, GoText};
pub use data::{MessageContext, TemplateData, duration_text, rank as severity_rank, time_text};
pub use go::TemplateError;
pub use message::{MessageError, NotificationTemplates, truncate};
pub use rule::{ExpandError, Expansion, QueryAnswers, RuleData, RuleTemplate};

#[cfg(test)]
mod corpus_tests;
