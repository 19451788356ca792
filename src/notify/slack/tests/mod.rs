//! Slack: what is rendered, what is refused, and what its answers mean.

mod config;
mod deliver;
mod render;
