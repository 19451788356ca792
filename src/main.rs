//! The `watchbell` program.

fn main() -> std::process::ExitCode {
    watchbell::cli::main()
}
