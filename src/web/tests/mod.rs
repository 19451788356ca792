//! The file, who is let in, and how the file is exchanged.

mod access;
mod live;
mod parse;

use std::sync::Arc;

use crate::diag::{Diagnostic, SourceFile};
use crate::model::Timestamp;
use crate::telemetry::{BuildInfo, Metrics};
use crate::web::WebConfig;
use crate::yaml::hide_secrets;

/// Of "hunter2", at the lowest cost.
pub(crate) const HUNTER2: &str = "$2b$04$C0sxRGXFWZ0pd9oAV6N7qeWxnJKA2OUgfeFSg1xT29nzGbgJpjCRS";

pub(crate) fn metrics() -> Arc<Metrics> {
    let build = BuildInfo { version: String::new(), revision: String::new() };
    Arc::new(Metrics::new(&build, Timestamp::default()))
}

fn parse(text: &str) -> Result<(WebConfig, Vec<Diagnostic>), Vec<Diagnostic>> {
    WebConfig::parse(&Arc::new(hide_secrets(&SourceFile::new("web.yaml", text))))
}

fn good(text: &str) -> WebConfig {
    parse(text).unwrap_or_else(|findings| panic!("{findings:?}")).0
}
