//! What commands write: to standard output, to a terminal or not.

use std::io::{ErrorKind, IsTerminal, Write};

use anyhow::Context;

/// In which form a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The same for commands whose answer to people is a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum TableFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

/// Writes to standard output. Whoever reads it may have seen enough and gone, as `head` does.
pub(super) fn show(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Writes a value as JSON to standard output.
pub(super) fn show_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    show(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// How standard output is decorated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    /// Whether a person looks at it.
    terminal: bool,
    colour: bool,
}

impl Paint {
    /// For standard output: colour and signs where a person looks at a terminal; no colour where
    /// `NO_COLOR` is set.
    pub(super) fn stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { terminal, colour: terminal && wanted }
    }

    /// The style for findings.
    pub(super) fn style(self) -> crate::diag::Style {
        if self.colour { crate::diag::Style::Coloured } else { crate::diag::Style::Plain }
    }

    /// The first on a terminal, the second elsewhere.
    pub(super) fn sign(self, terminal: &'static str, plain: &'static str) -> &'static str {
        if self.terminal { terminal } else { plain }
    }

    pub(super) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
}

/// Text from outside on one line, without characters that steer a terminal.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// `1 rule`, `2 rules`.
pub(super) fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// A sample's value as Prometheus' pages show it.
pub(super) fn value(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".to_string(),
        f64::INFINITY => "+Inf".to_string(),
        f64::NEG_INFINITY => "-Inf".to_string(),
        v if v == 0.0 || (1e-6..1e15).contains(&v.abs()) => v.to_string(),
        v => format!("{v:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_short() {
        let values = [1.0, 0.05, -0.0, 1e300, 1.5e-9, f64::NEG_INFINITY, f64::NAN].map(value);
        assert_eq!(values, ["1", "0.05", "-0", "1e300", "1.5e-9", "-Inf", "NaN"]);
    }

    #[test]
    fn foreign_text_steers_no_terminal() {
        assert_eq!(one_line("a\n  b\tc\x1b[31mred"), "a b c\u{fffd}[31mred");
    }
}
