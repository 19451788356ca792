//! Silences as tables and JSON.

use crate::cli::output::{one_line, show, show_json};
use crate::cli::silence::Listed;
use crate::cli::time;
use crate::model::{Matcher, Matchers};

/// How silences are shown.
#[derive(clap::Args)]
pub(super) struct Output {
    /// Only the ids
    #[arg(short, long)]
    quiet: bool,
    /// The form of the answer
    #[arg(short, long = "output", visible_alias = "format", value_enum, default_value = "simple")]
    output: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// A table
    Simple,
    /// A table with all times
    Extended,
    /// For programs
    Json,
}

/// Prints silences.
pub(super) fn print(silences: &[Listed], output: &Output) -> anyhow::Result<()> {
    if output.quiet {
        return show(
            &silences.iter().map(|s| format!("{}\n", one_line(&s.id))).collect::<String>(),
        );
    }
    match output.output {
        Form::Json => show_json(&silences),
        Form::Simple => {
            let head = ["ID", "Matchers", "Ends At", "Created By", "Comment"];
            let row = |s: &Listed| {
                [s.id.clone(), matchers(s), at(&s.ends_at), s.created_by.clone(), s.comment.clone()]
            };
            show(&table(head, silences.iter().map(row)))
        }
        Form::Extended => {
            let head = [
                "ID",
                "State",
                "Matchers",
                "Starts At",
                "Ends At",
                "Updated At",
                "Created By",
                "Comment",
            ];
            let row = |s: &Listed| {
                let state = s.status.as_ref().map(|status| status.state.clone());
                let updated = s.updated_at.as_deref().map(at);
                [
                    s.id.clone(),
                    state.unwrap_or_default(),
                    matchers(s),
                    at(&s.starts_at),
                    at(&s.ends_at),
                    updated.unwrap_or_default(),
                    s.created_by.clone(),
                    s.comment.clone(),
                ]
            };
            show(&table(head, silences.iter().map(row)))
        }
    }
}

/// The matchers as they are written in a configuration.
fn matchers(silence: &Listed) -> String {
    let known = silence.matchers.iter().cloned().filter_map(|form| Matcher::try_from(form).ok());
    Matchers(known.collect()).to_string()
}

/// `2026-05-04 10:00:00 UTC`
fn at(text: &str) -> String {
    let seconds = |at: crate::model::Timestamp| {
        let at = jiff::Timestamp::from_millisecond(at.millis()).ok()?;
        Some(at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
    };
    time::parse(text).ok().and_then(seconds).unwrap_or_else(|| text.to_string())
}

/// Columns as wide as they need, the last one apart.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let head = head.map(str::to_string);
    let rows: Vec<[String; N]> = rows.map(|row| row.map(|cell| one_line(&cell))).collect();
    let all = || std::iter::once(&head).chain(&rows);
    let mut widths = [0; N];
    for (place, width) in widths.iter_mut().enumerate() {
        let cells = all().filter_map(|row| row.get(place));
        *width = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  "));
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    all().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need() {
        let rows = [["a".to_string(), "é\n\u{1b}[0m".to_string()], ["bbbb".into(), String::new()]];
        assert_eq!(table(["ID", "X"], rows.into_iter()), "ID    X\na     é \u{fffd}[0m\nbbbb\n");
        assert_eq!(at("2026-05-04T12:00:00.5+02:00"), "2026-05-04 10:00:00 UTC");
        assert_eq!(at("x"), "x");
    }
}
