mod exchange;
mod proxy;
mod read;
mod secrets;
mod server;
mod tls;
