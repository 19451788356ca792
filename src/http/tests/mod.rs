//! Tests of the client; `server` also serves the tests of the layers above.

mod exchange;
mod proxy;
mod read;
mod secrets;
pub(crate) mod server;
mod tls;
