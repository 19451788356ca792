//! The `watchbell` program.

fn main() {}
