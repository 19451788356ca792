//! The `watchbell` program.

/// A storm makes and drops a million small pieces in several threads. The C library's allocator
/// keeps holes where they were, and musl's, in the image, lets the threads wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    watchbell::cli::main()
}
