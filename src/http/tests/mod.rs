//! Tests of the client; `ca` and `server` also serve the tests of the layers above.

pub(crate) mod ca;
mod exchange;
mod oauth2;
mod proxy;
mod read;
mod secrets;
pub(crate) mod server;
mod tls;
