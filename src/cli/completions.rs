//! `watchbell completions`: the script that completes commands in a shell.

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, output};

/// Print the script that completes commands in a shell.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell completions bash > /etc/bash_completion.d/watchbell
  watchbell completions zsh > ~/.zfunc/_watchbell
  watchbell completions fish > ~/.config/fish/completions/watchbell.fish")]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "watchbell", &mut script);
    output::show(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
