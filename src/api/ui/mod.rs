//! Pages for people: the alerts of this moment, and silences. They work without script, load nothing
//! from elsewhere, and say nothing that is not escaped.
//!
//! | address | page |
//! |---|---|
//! | `/`, `/alerts` | what fires, what is held back and why; `filter`, `receiver`, `state`, `page` |
//! | `/silences` | all silences; `q` searches in them |
//! | `/silences/new` | the form of a new one, prefilled by `filter` or `alert`; sent back to the same address |
//! | `/silences/{id}` | one silence; a POST to `/silences/{id}/expire` ends it |
//!
//! Alertmanager's pages are fragments of `/`, such as `/#/silences/new?filter={…}`; links to them lead
//! to the same pages here.

mod alerts;
mod form;
mod html;
mod now;
mod page;
mod silence_form;
mod silences;

use axum::Router;
use axum::routing::{get, post};

use crate::api::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(alerts::page))
        .route("/alerts", get(alerts::page))
        .route("/silences", get(silences::list))
        .route("/silences/new", get(silence_form::new).post(silence_form::create))
        .route("/silences/{id}", get(silences::one))
        .route("/silences/{id}/expire", post(silences::expire))
}
