//! Tier 6: the configuration file, from text to checked values.
//!
//! One YAML file. Every section is read by the module that it belongs to; this one puts them
//! together, looks up the names that sections use of each other, and reports every mistake at
//! once. A key that Alertmanager has and that does not work here is refused by name.

mod file;
mod global;
mod heartbeat;
mod loaded;
mod policies;
mod storage;
#[cfg(test)]
mod tests;

pub use file::{Config, ConfigError};
pub use global::GlobalConfig;
pub use loaded::Loaded;
pub use storage::StorageConfig;
