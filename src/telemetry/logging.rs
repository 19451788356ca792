//! Logs to standard error, as text or JSON, times in RFC 3339 and UTC.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing::Subscriber;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::SystemTime;

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Text,
    /// For log collectors: one object a line, the event's fields beside time, level and target.
    Json,
}

impl FromStr for LogFormat {
    type Err = LoggingError;

    fn from_str(text: &str) -> Result<Self, LoggingError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LoggingError::Format(text.to_string())),
        }
    }
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter cannot be read.
    #[error("invalid log filter {filter:?}: {source}")]
    Filter {
        /// The filter.
        filter: String,
        /// Why.
        source: ParseError,
    },
    /// There is no such format.
    #[error("unknown log format {0:?}, there are text and json")]
    Format(String),
    /// Logging has started before.
    #[error("logging has already started")]
    Again(#[from] SetGlobalDefaultError),
}

/// Starts logging to standard error for the whole process. The filter is a level such as `info`,
/// or directives such as `info,watchbell::query=debug`. Colours are used on a terminal only, and
/// not where the variable `NO_COLOR` is set.
///
/// # Errors
/// When the filter is wrong, or when logging has started before.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LoggingError> {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = std::io::stderr().is_terminal() && !no_colour;
    let subscriber = subscriber(format, filter, std::io::stderr, colours)?;
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(())
}

/// A subscriber that writes to `writer`.
pub(super) fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    writer: W,
    colours: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, LoggingError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(filter)
        .map_err(|source| LoggingError::Filter { filter: filter.to_string(), source })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_timer(SystemTime)
        .with_ansi(colours);
    Ok(match format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}
