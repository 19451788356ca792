//! `watchbell check web-config`: what is wrong with a web configuration file.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::output::{self, Paint, count};
use crate::cli::{FAILED, USAGE, findings};
use crate::diag;
use crate::web::{ReadyWeb, WebError};

/// Check web configuration files with the certificates and tokens that they name.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell check web-config web.yaml

Exit code: 0 where all files can be used, 1 where one has a mistake, 2 where one cannot be read.")]
pub(super) struct Args {
    /// The web configuration files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut worst = 0;
    let paint = Paint::stdout();
    for path in &args.files {
        let shown = path.display();
        let (code, text) = match ReadyWeb::load(path) {
            Ok(ready) => {
                let findings = diag::render_text(&ready.warnings, paint.style());
                let counted = findings::counted(&ready.warnings);
                let good = paint.green("good");
                (0, format!("{findings}{good}: {shown}: {}; {counted}\n", contents(&ready)))
            }
            Err(WebError::Invalid(mistakes)) => {
                let findings = diag::render_text(&mistakes, paint.style());
                let counted = findings::counted(&mistakes);
                (FAILED, format!("{findings}{}: {shown}: {counted}\n", paint.red("refused")))
            }
            Err(WebError::File(error)) => (USAGE, format!("{}: {error}\n", paint.red("refused"))),
        };
        output::show(&text)?;
        worst = worst.max(code);
    }
    Ok(ExitCode::from(worst))
}

/// What a file opens, and how.
fn contents(ready: &ReadyWeb) -> String {
    let config = &ready.config;
    let tls = if config.tls.is_some() { "TLS" } else { "no TLS" };
    let asked = if config.authenticates() { "" } else { ", nobody can say who they are" };
    let users = count(config.users.len(), "user");
    format!("{tls}, {users}, {}{asked}", count(config.bearers.len(), "token"))
}
