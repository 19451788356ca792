//! What a check says of itself.

use crate::diag::Severity;

/// A check's page: what `--explain` prints and `docs/checks/` holds.
#[derive(Debug)]
pub struct About {
    /// The stable name, `area/what`.
    pub id: &'static str,
    /// How much its findings matter, unless one says otherwise or the settings do.
    pub severity: Severity,
    /// One line: what it finds.
    pub title: &'static str,
    /// Why it matters and what to do, in Markdown.
    pub text: &'static str,
    /// A rule that it reports.
    pub bad: &'static str,
    /// The same rule as it should be.
    pub good: &'static str,
}

impl About {
    /// The page in Markdown.
    pub fn page(&self) -> String {
        let Self { id, severity, title, text, bad, good } = self;
        let severity = severity.as_str();
        let (text, bad, good) = (text.trim(), bad.trim_end(), good.trim_end());
        format!(
            "# {id}\n\n{title} (severity: {severity})\n\n{text}\n\nReported:\n\n```yaml\n{bad}\n```\n\n\
             Better:\n\n```yaml\n{good}\n```\n"
        )
    }
}
