//! From the command line to everything that is checked.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::cli::check::RulesArgs;
use crate::config::{Config, ConfigError};
use crate::diag::{Diagnostic, SourceFile};
use crate::lint::{Feature, Found, Project, Routes, RuleFile, Schema, Settings, find_files, read};
use crate::model::parallel::{map_on, processors};
use crate::rule::expand_pattern;
use crate::yaml::{MAX_TEXT, read_file};

/// What there is to check, and the mistakes that keep parts of it from being used.
pub(super) struct Loaded {
    pub(super) project: Project,
    pub(super) mistakes: Vec<Diagnostic>,
}

/// Reads everything that the command line names.
///
/// # Errors
/// Where a file cannot be read, or holds nothing to check.
pub(super) fn load(args: &RulesArgs) -> anyhow::Result<Loaded> {
    let mut mistakes = Vec::new();
    let settings = settings(args, &mut mistakes)?;
    let config = match &args.config {
        None => None,
        Some(path) => match Config::load(path) {
            Ok(config) => Some(config),
            Err(ConfigError::File(error)) => bail!(error),
            Err(ConfigError::Invalid(findings)) => {
                mistakes.extend(findings);
                None
            }
        },
    };
    let asked = if args.paths.is_empty() { Vec::new() } else { files(&args.paths)? };
    let of_config = match &config {
        Some(config) => files_of(config, &asked)?,
        None => Vec::new(),
    };
    let (files, beside) = match args.paths.is_empty() {
        true => (of_config, Vec::new()),
        // Routes are for all rules of the configuration, also where only one file is asked about.
        false => (asked, of_config),
    };
    let mut project = Project::with_beside(files, beside, settings);
    if let Some(config) = config {
        mistakes.extend(config.warnings.iter().cloned());
        project = project.with_routes(Routes::new(config));
    }
    let mut schema: Option<Schema> = None;
    for path in &args.schema {
        let read = Schema::read(read_file(path)?.text());
        let read = read.with_context(|| format!("cannot use {}", path.display()))?;
        schema.get_or_insert_with(Schema::new).add(read);
    }
    project.schema = schema;
    Ok(Loaded { project, mistakes })
}

/// The settings of the file and of the command line, which goes first.
fn settings(args: &RulesArgs, mistakes: &mut Vec<Diagnostic>) -> anyhow::Result<Settings> {
    let mut settings = Settings::default();
    if let Some(path) = &args.settings {
        match Settings::read(&read_file(path)?) {
            Ok(read) => settings = read,
            Err(findings) => mistakes.extend(findings),
        }
    }
    settings.scrape_interval = args.scrape_interval.or(settings.scrape_interval);
    settings.evaluation_interval = args.evaluation_interval.or(settings.evaluation_interval);
    for feature in &args.enable_feature {
        match Feature::from_name(feature) {
            Some(feature) => settings.features.push(feature),
            None => bail!("unknown feature {feature:?}: {}", Feature::known()),
        }
    }
    Ok(settings)
}

/// The rule files of the paths of a command line.
fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<RuleFile>> {
    let (stdin, paths): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| path == Path::new("-"));
    let mut files = Vec::new();
    if !stdin.is_empty() {
        files.extend(read(&standard_input()?, true));
    }
    let found = find_files(&paths)?;
    let each = map_on(processors(), &found, |Found { path, named }| {
        anyhow::Ok(read(&read_file(path)?, *named))
    });
    for read in each {
        files.extend(read?);
    }
    if files.is_empty() {
        bail!("no rules to check: no file there has `groups`");
    }
    Ok(files)
}

/// The rule files that a configuration names, apart from those that have been read.
fn files_of(config: &Config, read_before: &[RuleFile]) -> anyhow::Result<Vec<RuleFile>> {
    let known = read_before.iter().map(|file| Path::new(file.source.path()));
    let known: HashSet<PathBuf> = known.filter_map(|path| path.canonicalize().ok()).collect();
    let is_known = |path: &Path| path.canonicalize().is_ok_and(|place| known.contains(&place));
    let mut files = Vec::new();
    for pattern in &config.rule_files {
        let paths = expand_pattern(&config.directory, pattern)
            .map_err(|finding| anyhow::anyhow!("{finding}"))?;
        for path in paths.iter().map(|path| tidy(path)).filter(|path| !is_known(path)) {
            files.extend(read(&read_file(&path)?, !pattern.is_glob()));
        }
    }
    Ok(files)
}

/// A path without `folder/..`, if it leads to the same file: CI systems know files by such paths.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match (part, tidy.components().next_back()) {
            (Component::CurDir, _) => {}
            (Component::ParentDir, Some(Component::Normal(_))) => drop(tidy.pop()),
            _ => tidy.push(part),
        }
    }
    match (tidy.canonicalize(), path.canonicalize()) {
        (Ok(a), Ok(b)) if a == b => tidy,
        _ => path.to_path_buf(),
    }
}

fn standard_input() -> anyhow::Result<Arc<SourceFile>> {
    let mut text = String::new();
    let limit = MAX_TEXT as u64 + 1;
    let read = std::io::stdin().take(limit).read_to_string(&mut text);
    read.context("cannot read standard input")?;
    if text.len() > MAX_TEXT {
        bail!("standard input is too large: a file may have {MAX_TEXT} bytes");
    }
    Ok(Arc::new(SourceFile::new("stdin", text)))
}
