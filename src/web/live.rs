//! The web configuration that is in use, and how it is exchanged while the program runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::diag::{Diagnostic, SourceFile};
use crate::http::{FileStamps, HttpError, PemSource};
use crate::model::SecretSource;
use crate::telemetry::Metrics;
use crate::web::gate::Gate;
use crate::web::logins::KnownToken;
use crate::web::server_tls::ReadyTls;
use crate::web::{TokenDigest, TokenSource, WebConfig};
use crate::yaml::{FileError, hide_secrets, read_file};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A token that is shorter can be guessed.
const SHORT_TOKEN: usize = 16;

/// Why there is no web configuration.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file has mistakes, or names files that have.
    #[error("{}", crate::diag::summary(.0))]
    Invalid(Vec<Diagnostic>),
}

/// A web configuration with what it names.
#[derive(Debug, Default)]
pub struct ReadyWeb {
    /// The configuration.
    pub config: WebConfig,
    /// TLS; plain HTTP without it.
    pub tls: Option<ReadyTls>,
    /// Findings that refuse nothing.
    pub warnings: Vec<Diagnostic>,
    pub(super) tokens: Vec<KnownToken>,
    stamps: FileStamps,
}

impl ReadyWeb {
    /// Reads a file and everything that it names.
    ///
    /// # Errors
    /// All mistakes, each with its place.
    pub fn load(path: &Path) -> Result<Self, WebError> {
        // Before anything is read: what changes meanwhile is then seen as a change.
        let stamps = FileStamps::of(&[path.to_path_buf()]);
        let source = Arc::new(hide_secrets(&*read_file(path)?));
        let (mut config, mut findings) = WebConfig::parse(&source).map_err(WebError::Invalid)?;
        config.set_directory(path.parent().unwrap_or(Path::new("")));
        let stamps = stamps.and(FileStamps::of(&config.files()));
        let mut mistakes = Vec::new();
        let tls = config.tls.as_ref().and_then(|tls| {
            let built = tls.build();
            built.map_err(|error| mistakes.push(tls_finding(&source, tls.span, &error))).ok()
        });
        let mut tokens = Vec::new();
        for bearer in &config.bearers {
            let digest = match &bearer.token {
                TokenSource::Digest(digest) => digest.clone(),
                TokenSource::File(path, span) => {
                    let (digest, finding) = read_token(&source, path, *span);
                    findings.extend(finding);
                    let Some(digest) = digest else { continue };
                    digest
                }
            };
            tokens.push(KnownToken {
                name: bearer.name.as_str().into(),
                digest,
                role: bearer.role,
            });
        }
        findings.extend(mistakes);
        if crate::diag::has_errors(&findings) {
            return Err(WebError::Invalid(findings));
        }
        Ok(Self { config, tls, warnings: findings, tokens, stamps })
    }
}

/// The configuration's file and those that it names.
fn files(path: &Path, config: &WebConfig) -> Vec<PathBuf> {
    std::iter::once(path.to_path_buf()).chain(config.files()).collect()
}

fn tls_finding(source: &Arc<SourceFile>, span: crate::diag::Span, error: &HttpError) -> Diagnostic {
    let message = "`tls_server_config` cannot be used";
    Diagnostic::error("web/tls", source, span, message).caret(error.to_string())
}

fn read_token(
    source: &Arc<SourceFile>,
    path: &Path,
    span: crate::diag::Span,
) -> (Option<TokenDigest>, Option<Diagnostic>) {
    match SecretSource::File(path.to_path_buf()).read() {
        Err(error) => (None, Some(Diagnostic::error("web/token", source, span, error.to_string()))),
        Ok(token) => {
            let short = (token.expose().len() < SHORT_TOKEN).then(|| {
                let severity = crate::diag::Severity::Warning;
                let message = format!("the token has fewer than {SHORT_TOKEN} characters");
                Diagnostic::new("web/token", severity, source, span, message)
                    .help("`openssl rand -hex 32` makes a good one")
            });
            (Some(TokenDigest::of(token.expose())), short)
        }
    }
}

impl WebConfig {
    /// Makes relative paths relative to a folder, which is the file's.
    fn set_directory(&mut self, folder: &Path) {
        if let Some(tls) = &mut self.tls {
            for pem in [Some(&mut tls.cert), tls.client_ca.as_mut()].into_iter().flatten() {
                if let PemSource::File(path) = pem {
                    *path = folder.join(&*path);
                }
            }
            if let SecretSource::File(path) = &mut tls.key {
                *path = folder.join(&*path);
            }
        }
        for bearer in &mut self.bearers {
            if let TokenSource::File(path, _) = &mut bearer.token {
                *path = folder.join(&*path);
            }
        }
    }
}

/// The way in: what is in use now, and what it takes to be let in.
pub struct Web {
    path: Option<PathBuf>,
    ready: RwLock<Arc<ReadyWeb>>,
    /// The state of the files that was looked at last, whatever came of it.
    seen: RwLock<FileStamps>,
    /// Why the newest content was refused.
    refused: RwLock<Option<String>>,
    pub(super) gate: Gate,
    metrics: Arc<Metrics>,
}

impl Web {
    /// Reads the file, if one is given; without one the way in is closed to other machines.
    ///
    /// # Errors
    /// As [`ReadyWeb::load`].
    pub fn open(path: Option<&Path>, metrics: Arc<Metrics>) -> Result<Self, WebError> {
        let ready = path.map(ReadyWeb::load).transpose()?.unwrap_or_default();
        let web = Self {
            path: path.map(Path::to_path_buf),
            seen: RwLock::new(ready.stamps.clone()),
            ready: RwLock::default(),
            refused: RwLock::default(),
            gate: Gate::new(),
            metrics,
        };
        web.take(ready);
        Ok(web)
    }

    /// What is in use now.
    pub fn ready(&self) -> Arc<ReadyWeb> {
        Arc::clone(&self.ready.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the newest content of the file was refused; `None` where it is in use.
    pub fn refused(&self) -> Option<String> {
        self.refused.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where requests and refusals are counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Reads the file again and puts its content in place. Where it has a mistake, the former one
    /// goes on, and the log tells.
    ///
    /// # Errors
    /// As [`ReadyWeb::load`].
    pub async fn reload(&self) -> Result<(), WebError> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        let loaded = tokio::task::spawn_blocking(move || ReadyWeb::load(&path)).await;
        // A panic of the reader would be a mistake of ours; the former content goes on.
        let Ok(loaded) = loaded else { return Ok(()) };
        match loaded {
            Ok(ready) => {
                self.take(ready);
                tracing::info!("web configuration reloaded");
                Ok(())
            }
            Err(error) => {
                self.metrics.http.web_config_successful.set(0);
                *self.refused.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(error.to_string());
                tracing::error!(%error, "web configuration refused, the former one goes on");
                Err(error)
            }
        }
    }

    /// Looks at the files every second, for ever, and reloads when one has changed.
    pub async fn watch(&self) {
        let Some(path) = self.path.clone() else { return std::future::pending().await };
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let files = files(&path, &self.ready().config);
            let Ok(now) = tokio::task::spawn_blocking(move || FileStamps::of(&files)).await else {
                continue;
            };
            let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner).clone();
            if now != seen {
                seen = now;
                *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen;
                // What is wrong has been logged; the next change is the next try.
                let _ = self.reload().await;
            }
        }
    }

    fn take(&self, ready: ReadyWeb) {
        let end = ready.tls.as_ref().and_then(|tls| tls.not_after).unwrap_or(0);
        let http = &self.metrics.http;
        http.web_config_successful.set(1);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit for ages")]
        http.certificate_end.set(end as f64);
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = ready.stamps.clone();
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = None;
        *self.ready.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ready);
    }
}
