//! Tier 5: who may use the API, by a web configuration file in the format of Prometheus' exporter
//! toolkit.
//!
//! [`WebConfig`] is that file, checked: TLS, users, tokens, roles, rates. [`ReadyWeb`] is it with the
//! files that it names, [`Web`] what is in use now: it is read again when a file changes, and a file
//! with a mistake changes nothing. [`WebConfig::decide`] says whether a request is let in, with a
//! named reason; [`Web::identify`] says who sends it. Without a file this machine may do everything,
//! and others see whether the program is alive.

mod access;
mod certificate;
mod config;
mod duration;
mod gate;
mod live;
mod logins;
mod origin;
mod password;
mod rate;
mod read;
mod read_tls;
mod read_users;
mod role;
mod server_tls;
mod suites;
mod token;

#[cfg(test)]
mod tests;

pub use access::{Asked, Refusal};
pub use config::{Bearer, ClientAuth, Rates, ServerTls, TokenSource, User, WebConfig};
pub use gate::{ClientCertificate, ConnectionSlot, Denied};
pub use live::{ReadyWeb, Web, WebError};
pub use origin::Origin;
pub use password::PasswordHash;
pub use rate::Rate;
pub use role::{Role, Who};
pub use server_tls::ReadyTls;
pub use token::TokenDigest;
