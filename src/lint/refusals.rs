//! The pages of what is found while files are read: mistakes for which Prometheus refuses a file,
//! and a few remarks of the same readers.

use crate::diag::{Described, Severity};

/// A kind of finding of the readers.
#[derive(Debug)]
pub struct Refusal {
    /// Its id.
    pub id: &'static str,
    /// Its severity.
    pub severity: Severity,
    /// One line: what it finds.
    pub title: &'static str,
    /// What to do.
    pub text: &'static str,
}

impl Refusal {
    /// Its page.
    pub fn described(&self) -> Described {
        let Self { id, severity, title, text } = self;
        let name = severity.as_str();
        let page = format!("# {id}\n\n{title} (severity: {name})\n\n{text}\n");
        Described { id, severity: *severity, title, page }
    }
}

const fn error(id: &'static str, title: &'static str, text: &'static str) -> Refusal {
    Refusal { id, severity: Severity::Error, title, text }
}

/// What Prometheus does with a file that has one of these.
const REFUSED: &str = "Prometheus refuses the whole file, and with it every rule in it.";

/// All of them, sorted by id.
pub const REFUSALS: &[Refusal] = &[
    error("promql/syntax", "An expression is not PromQL", REFUSED),
    error("rule/duplicate-group", "Two groups of a file have the same name", REFUSED),
    error("rule/forbidden-label", "A label has a name that rules may not set", REFUSED),
    error("rule/kind", "A rule is neither an alert nor a recording rule, or both", REFUSED),
    error("rule/label-name", "A label or annotation has no name", REFUSED),
    error("rule/metric-name", "A recording rule's name is no metric name", REFUSED),
    error("rule/recording", "A recording rule has what only alerts have", REFUSED),
    error("template/syntax", "A label or annotation is not a Go template", REFUSED),
    error("yaml/duplicate-key", "A key stands twice in one mapping", REFUSED),
    Refusal {
        id: "yaml/ignored",
        severity: Severity::Bug,
        title: "A part of a file is never read",
        text: "A document ends where a line stands further left than its first one, or at `...`. Prometheus \
               reads no further and says nothing: the rules that follow do not exist. Mostly the first \
               line has a blank too many.",
    },
    error(
        "yaml/limit",
        "A file is larger or deeper than what is read",
        "Watchbell bounds the size of everything that it reads. Split the file.",
    ),
    error("yaml/merge", "A merge key (`<<`) does not name a mapping", REFUSED),
    error("yaml/missing-key", "A key is missing that must be there", REFUSED),
    Refusal {
        id: "yaml/second-document",
        severity: Severity::Warning,
        title: "A rule file holds a second YAML document",
        text: "Prometheus reads the first one only, so the rules of the others do not exist. Put each \
               into a file of its own.",
    },
    error("yaml/syntax", "A file is not YAML", REFUSED),
    error("yaml/type", "A value has the wrong type", REFUSED),
    error("yaml/unknown-key", "A key is not known", REFUSED),
    Refusal {
        id: "yaml/unsupported",
        severity: Severity::Warning,
        title: "Rules stand where they cannot be checked",
        text: "A value of a ConfigMap is checked where it is a block (`|`), line for line, in which \
               every place of a rule is a place of the file. Write it so.",
    },
    error("yaml/value", "A value is not one of those that are allowed", REFUSED),
];
