//! The configuration with everything that it names: rule files, templates, receivers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::{Config, ConfigError, policies};
use crate::diag::{Diagnostic, SourceFile, Span, has_errors};
use crate::model::{IntegrationId, SecretError};
use crate::notify::{Context, Receiver, RenderError};
use crate::rule::{RuleSet, expand_pattern, load_files};
use crate::yaml::read_file;

/// A configuration that is ready to be used.
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The rules of all files.
    pub rules: RuleSet,
    /// The receivers, ready to deliver.
    pub receivers: Vec<Receiver>,
    /// The configuration and all files that its patterns stand for, to be watched for changes.
    pub files: Vec<PathBuf>,
    /// A hash of the contents of all files.
    pub hash: u64,
}

impl Loaded {
    /// Reads a configuration and everything that it names.
    ///
    /// # Errors
    /// All mistakes of all files, each with its place. Nothing has been sent or changed.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::load_beside(path, |_| {})
    }

    /// The same; `begin` hears of the configuration before anything that it names is read, so that
    /// something else can be done meanwhile.
    ///
    /// # Errors
    /// As [`Loaded::load`].
    pub fn load_beside(path: &Path, begin: impl FnOnce(&Config)) -> Result<Self, ConfigError> {
        let source = Config::read_file(path)?;
        let config = Config::parse(&source).map_err(|error| with_rules(error, path, &source))?;
        begin(&config);
        let mut findings = Vec::new();
        let rules = load_files(&config.directory, &config.rule_files).unwrap_or_else(|errors| {
            findings.extend(errors);
            RuleSet::default()
        });
        let files = present_files(path, &config);
        let hash = hash_files(&files);
        let loaded = Self::put_together(config, rules, findings)?;
        Ok(Self { files, hash, ..loaded })
    }

    /// A configuration whose rules do not come from files. No file is watched.
    ///
    /// # Errors
    /// Mistakes of the templates and receivers.
    pub fn of(config: Config, rules: RuleSet) -> Result<Self, ConfigError> {
        Self::put_together(config, rules, Vec::new())
    }

    /// Builds the receivers, unless there are mistakes.
    fn put_together(
        mut config: Config,
        rules: RuleSet,
        mut findings: Vec<Diagnostic>,
    ) -> Result<Self, ConfigError> {
        let templates = read_templates(&config, &mut findings);
        let receivers = build_receivers(&config, &templates, &mut findings);
        if has_errors(&findings) {
            findings.extend(config.warnings);
            return Err(ConfigError::Invalid(findings));
        }
        config.warnings.extend(policies::findings(&config, &rules));
        Ok(Self { config, rules, receivers, files: Vec::new(), hash: 0 })
    }

    /// A hash of the contents that the files have now, new files of the patterns among them.
    pub fn present_hash(&self) -> u64 {
        let path = self.files.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
        hash_files(&present_files(path, &self.config))
    }

    /// The integrations that cannot deliver because a file with a secret cannot be read.
    pub fn unreadable_secrets(&self) -> Vec<(&IntegrationId, SecretError)> {
        let integrations = self.config.receivers.iter().flat_map(|r| &r.integrations);
        let secrets = integrations
            .flat_map(|(id, _, config)| config.secrets().into_iter().map(move |s| (id, s)));
        secrets.filter_map(|(id, secret)| Some((id, secret.read().err()?))).collect()
    }

    /// Everything that is worth a warning.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.config.warnings.iter().chain(&self.rules.warnings)
    }
}

/// The mistakes of a configuration and of the rule files that it names, so that one report has
/// them all.
fn with_rules(error: ConfigError, path: &Path, source: &Arc<SourceFile>) -> ConfigError {
    let ConfigError::Invalid(mut findings) = error else { return error };
    let directory = path.parent().unwrap_or(Path::new(""));
    let rules = load_files(directory, &Config::rule_files_of(source));
    findings.extend(rules.err().unwrap_or_default());
    ConfigError::Invalid(findings)
}

/// The configuration file and the files that its patterns stand for.
fn present_files(path: &Path, config: &Config) -> Vec<PathBuf> {
    let patterns = config.rule_files.iter().chain(&config.templates);
    let expanded = patterns.filter_map(|p| expand_pattern(&config.directory, p).ok()).flatten();
    std::iter::once(path.to_path_buf()).chain(expanded).collect()
}

/// A hash of the contents of files. A file that cannot be read counts by that alone.
fn hash_files(files: &[PathBuf]) -> u64 {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(std::fs::read(file).unwrap_or_default());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// The template files by path and text.
fn read_templates(config: &Config, findings: &mut Vec<Diagnostic>) -> Vec<(String, String)> {
    let mut templates = Vec::new();
    for pattern in &config.templates {
        let paths = match expand_pattern(&config.directory, pattern) {
            Ok(paths) => paths,
            Err(finding) => {
                findings.push(*finding);
                continue;
            }
        };
        for path in paths {
            match read_file(&path) {
                Ok(source) => {
                    templates.push((path.display().to_string(), source.text().to_string()));
                }
                Err(error) => findings.push(Diagnostic::error(
                    "template/file",
                    &pattern.source,
                    pattern.span,
                    error.to_string(),
                )),
            }
        }
    }
    templates
}

fn build_receivers(
    config: &Config,
    templates: &[(String, String)],
    findings: &mut Vec<Diagnostic>,
) -> Vec<Receiver> {
    let zone = config.global.time_zone.clone();
    let context = match Context::new(templates, zone, config.external_url.clone()) {
        Ok(context) => context,
        Err(errors) => {
            findings.extend(errors.into_iter().map(|error| template_finding(config, &error)));
            return Vec::new();
        }
    };
    let mut receivers = Vec::new();
    for receiver in &config.receivers {
        match receiver.build(&context) {
            Ok(receiver) => receivers.push(receiver),
            Err(errors) => findings.extend(errors.into_iter().map(|(span, error)| {
                let message = format!("the receiver {:?} cannot be used", receiver.name);
                Diagnostic::error("receiver/build", &config.source, span, message)
                    .caret(error.to_string())
            })),
        }
    }
    receivers
}

/// A template's mistake, at the place where the configuration names its file.
fn template_finding(config: &Config, error: &RenderError) -> Diagnostic {
    let (source, span) = config
        .templates
        .first()
        .map_or((&config.source, Span::at(0)), |pattern| (&pattern.source, pattern.span));
    Diagnostic::error("template/invalid", source, span, error.to_string())
}
