//! Where `explain` and `notifications` read: the store of a daemon, whether that runs or not, or the
//! daemon itself.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::client::Client;
use crate::cli::findings;
use crate::config::Config;
use crate::model::label::ALERT_NAME;
use crate::model::{MatchOp, Matcher, parse_matcher};
use crate::rule::{Rule, load_files};
use crate::storage::SqliteStore;

/// Where to read.
#[derive(clap::Args)]
pub(super) struct Source {
    /// The configuration file, which says where the store is
    #[arg(long, value_name = "FILE", default_value = "watchbell.yaml", env = "WATCHBELL_CONFIG")]
    config: PathBuf,
    /// The folder of the store, instead of the configuration's
    #[arg(long, value_name = "DIR")]
    storage: Option<PathBuf>,
    /// Ask this running daemon instead of reading its store
    #[arg(long, value_name = "URL", conflicts_with_all = ["storage", "time"])]
    url: Option<String>,
    /// How to log in there: a file that holds an `http_config`
    #[arg(long, value_name = "FILE", requires = "url")]
    http_config: Option<PathBuf>,
}

/// What is read.
pub(super) enum Records {
    /// A store.
    Store {
        store: SqliteStore,
        /// The names of the alerting rules that the configuration loads, where that was read.
        rules: Vec<String>,
    },
    /// A running daemon.
    Daemon(Client),
}

/// The envelope of the daemon's answers.
#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

/// Asks a daemon for what is at a path.
pub(super) async fn ask<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    query: &[(&str, String)],
) -> anyhow::Result<T> {
    let query: Vec<(&str, &str)> =
        query.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Ok(client.get::<Envelope<T>>(path, &query).await?.data)
}

impl Source {
    /// Opens the store, or finds the daemon. Mistakes of the configuration are shown on standard
    /// error.
    ///
    /// # Errors
    /// Where there is nothing to read.
    pub(super) fn open(&self) -> anyhow::Result<Records> {
        if let Some(url) = &self.url {
            return Ok(Records::Daemon(Client::to(url, self.http_config.as_deref())?));
        }
        if let Some(folder) = &self.storage {
            let store = SqliteStore::read_only(folder)?;
            return Ok(Records::Store { store, rules: Vec::new() });
        }
        let config = Config::load(&self.config).map_err(|error| {
            findings::show_error(&error);
            anyhow::anyhow!("--storage DIR names the store without a configuration")
        })?;
        let store = SqliteStore::read_only(&config.storage.path)
            .with_context(|| format!("the store of {}", self.config.display()))?;
        Ok(Records::Store { store, rules: rule_names(&config) })
    }
}

/// The names of the alerting rules; none where they cannot be read, since they only help to find
/// what was meant.
fn rule_names(config: &Config) -> Vec<String> {
    let directory: &Path = &config.directory;
    let Ok(rules) = load_files(directory, &config.rule_files) else { return Vec::new() };
    let rules = rules.groups.iter().flat_map(|group| &group.rules);
    rules.filter_map(Rule::as_alerting).map(|rule| rule.name.clone()).collect()
}

/// Reads a label (`node=a`), a matcher (`node=~"a|b"`), or the name of an alert.
pub(super) fn matcher(text: &str) -> Result<Matcher, String> {
    let equal = |name: &str, value: &str| {
        Matcher::new(name, MatchOp::Equal, value).map_err(|error| error.to_string())
    };
    if !text.contains('=') {
        return equal(ALERT_NAME, text);
    }
    match (parse_matcher(text), text.split_once('=')) {
        (Ok(matcher), _) => Ok(matcher),
        // A shell has taken the quotes away.
        (Err(_), Some((name, value))) if is_label(name) && !value.starts_with('~') => {
            equal(name, value)
        }
        (Err(error), _) => Err(error.to_string()),
    }
}

/// Reads a number from 1 on.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "write a number from 1 on".to_string())
}

fn is_label(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.:".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_matchers_and_names_are_read() {
        for (text, expected) in [
            ("NodeDown", "alertname=\"NodeDown\""),
            ("node=a", "node=\"a\""),
            ("node=\"a b\"", "node=\"a b\""),
            ("summary=a, b {c}", "summary=\"a, b {c}\""),
            ("node=~a|b", "node=~\"a|b\""),
            ("node!=a", "node!=\"a\""),
        ] {
            assert_eq!(matcher(text).map(|m| m.to_string()), Ok(expected.to_string()), "{text}");
        }
        assert!(matcher("node=~(").is_err());
        assert!(matcher("=a").is_err());
    }
}
