//! The whole file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::alerting::{BuiltinConfig, RulePolicies};
use crate::config::heartbeat;
use crate::config::{GlobalConfig, StorageConfig};
use crate::diag::{Diagnostic, SourceFile, has_errors};
use crate::http::parse_url;
use crate::mlflow::MlflowConfig;
use crate::notify::{ReceiverConfig, read_receivers};
use crate::query::DatasourceConfig;
use crate::routing::{
    InhibitRule, KnownNames, RoutingTree, TimeIntervals, read_inhibit_rules, read_route,
    read_time_intervals,
};
use crate::rule::RulePattern;
use crate::yaml::{self, Fields, FileError, Reader};

/// Keys of the top level that are Alertmanager's or planned, and do not work yet.
const NOT_YET: [(&str, &str); 2] =
    [("tracing", ""), ("remote_write", "recording rules are read and skipped")];

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// The file's text, for diagnostics.
    pub source: Arc<SourceFile>,
    /// The file's folder: relative paths start here.
    pub directory: PathBuf,
    /// What holds for all groups and receivers.
    pub global: GlobalConfig,
    /// Where samples come from. An `alertmanager.yml` has none.
    pub datasource: Option<DatasourceConfig>,
    /// The rule files, as paths and glob patterns.
    pub rule_files: Vec<RulePattern>,
    /// Where state lives.
    pub storage: StorageConfig,
    /// Files with notification templates, as paths and glob patterns.
    pub templates: Vec<RulePattern>,
    /// The address under which people reach this program, for links; may be empty.
    pub external_url: String,
    /// The routing tree.
    pub tree: RoutingTree,
    /// Which alerts hold back which.
    pub inhibit_rules: Vec<InhibitRule>,
    /// The time intervals that routes name.
    pub intervals: TimeIntervals,
    /// Who is told.
    pub receivers: Vec<ReceiverConfig>,
    /// The alerts about the program itself.
    pub builtin_alerts: BuiltinConfig,
    /// What rules do without data or evaluation.
    pub rule_policies: RulePolicies,
    /// Where failed training runs are asked for, if anywhere.
    pub mlflow: Option<MlflowConfig>,
    /// Findings that refuse nothing.
    pub warnings: Vec<Diagnostic>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file has mistakes.
    #[error("{}", crate::diag::summary(.0))]
    Invalid(Vec<Diagnostic>),
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// All mistakes of the file, each with its place.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&Self::read_file(path)?)
    }

    /// Reads a file without checking it; its secrets are hidden wherever it is drawn.
    pub(super) fn read_file(path: &Path) -> Result<Arc<SourceFile>, FileError> {
        Ok(Arc::new(yaml::hide_secrets(&*yaml::read_file(path)?)))
    }

    /// Checks a file that has been read. Its path says where relative paths start.
    ///
    /// # Errors
    /// All mistakes of the file, each with its place.
    pub fn parse(source: &Arc<SourceFile>) -> Result<Self, ConfigError> {
        let document = yaml::load(source).map_err(ConfigError::Invalid)?;
        let mut reader = Reader::new(&document);
        let directory = Path::new(source.path()).parent().unwrap_or(Path::new("")).to_path_buf();
        let config = match reader.mapping(&document.root, "the configuration") {
            Some(mut fields) => {
                let config = Self::read(&mut reader, &mut fields, source, &directory);
                fields.finish(&mut reader);
                config
            }
            None => None,
        };
        let diagnostics = reader.into_diagnostics();
        match config {
            Some(config) if !has_errors(&diagnostics) => {
                Ok(Self { warnings: diagnostics, ..config })
            }
            _ => Err(ConfigError::Invalid(diagnostics)),
        }
    }

    /// The rule files that a file names, for one that has mistakes elsewhere.
    pub(super) fn rule_files_of(source: &Arc<SourceFile>) -> Vec<RulePattern> {
        let Ok(document) = yaml::load(source) else { return Vec::new() };
        let mut reader = Reader::new(&document);
        let fields = reader.mapping(&document.root, "the configuration");
        fields.map(|mut f| patterns(&mut reader, &mut f, source, "rule_files")).unwrap_or_default()
    }

    /// Reads every section. `None` where the routes are missing or have a mistake, after all other
    /// sections have been read too.
    fn read(
        reader: &mut Reader,
        fields: &mut Fields<'_>,
        source: &Arc<SourceFile>,
        directory: &Path,
    ) -> Option<Self> {
        for (key, reason) in NOT_YET {
            fields.unsupported(reader, key, reason);
        }
        let global = fields
            .mapping(reader, "global")
            .map(|section| GlobalConfig::read(reader, section, directory))
            .unwrap_or_default();
        let datasource = fields.get("datasource").and_then(|node| {
            let mut config = DatasourceConfig::read(reader, node)?;
            config.set_directory(directory);
            Some(config)
        });
        let collectors = fields.mapping(reader, "collectors");
        let mut mlflow = collectors.and_then(|section| MlflowConfig::read(reader, section));
        if let Some(mlflow) = &mut mlflow {
            mlflow.set_directory(directory);
        }
        let rule_files = patterns(reader, fields, source, "rule_files");
        let templates = patterns(reader, fields, source, "templates");
        let storage = fields
            .get("storage")
            .and_then(|node| StorageConfig::read(reader, node, directory))
            .unwrap_or_else(|| StorageConfig::in_directory(directory));
        let external_url = read_external_url(reader, fields);
        let receivers = fields
            .require(reader, "receivers")
            .map(|node| read_receivers(reader, node, &global.notify))
            .unwrap_or_default();
        let inhibit_rules = fields
            .get("inhibit_rules")
            .map(|node| read_inhibit_rules(reader, node))
            .unwrap_or_default();
        let (times, mute_times) = (fields.get("time_intervals"), fields.get("mute_time_intervals"));
        let intervals = read_time_intervals(reader, times, mute_times);
        let route = fields.require(reader, "route").and_then(|node| read_route(reader, node));
        let builtin_alerts = fields
            .get("builtin_alerts")
            .map(|node| BuiltinConfig::read(reader, node))
            .unwrap_or_default();
        let rule_policies = fields
            .get("rule_policies")
            .map(|node| RulePolicies::read(reader, node))
            .unwrap_or_default();
        let names: BTreeSet<&str> = receivers.iter().map(|r| r.name.as_str()).collect();
        let known = KnownNames { receivers: &names, intervals: &intervals };
        let tree = route.and_then(|route| RoutingTree::build(&route, known, reader));
        if let Some(tree) = &tree {
            heartbeat::check(&builtin_alerts, tree, &global.external_labels, reader);
        }
        Some(Self {
            source: Arc::clone(source),
            directory: directory.to_path_buf(),
            tree: tree?,
            global,
            datasource,
            rule_files,
            storage,
            templates,
            external_url,
            inhibit_rules,
            intervals,
            receivers,
            builtin_alerts,
            rule_policies,
            mlflow,
            warnings: Vec::new(),
        })
    }
}

/// The program's own address without a slash at its end; empty where it is not known.
fn read_external_url(reader: &mut Reader, fields: &mut Fields<'_>) -> String {
    let Some(node) = fields.get("external_url") else { return String::new() };
    let url = reader.string(node, "`external_url`").unwrap_or_default();
    let usable = parse_url(url).is_ok_and(|url| url.query().is_none() && url.fragment().is_none());
    if !url.is_empty() && !usable {
        let reason = "is no http or https address to which a path can be added";
        reader.wrong_value(node, "`external_url`", reason);
    }
    url.trim_end_matches('/').to_string()
}

/// A list of paths and glob patterns, each with its place.
fn patterns(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    source: &Arc<SourceFile>,
    key: &'static str,
) -> Vec<RulePattern> {
    let mut patterns = Vec::new();
    for node in fields.list(reader, key).unwrap_or_default() {
        if let Some(pattern) = reader.string(node, &format!("an item of `{key}`")) {
            let (source, span) = (Arc::clone(source), node.span);
            patterns.push(RulePattern { pattern: pattern.to_string(), source, span });
        }
    }
    patterns
}
