//! The conversation with the server.
//!
//! lettre would give up the whole mail at the first recipient that is refused, and would send a
//! password over a connection that anybody can read. So its connection is driven command by
//! command.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;

use super::config::{EmailConfig, Login};
use super::error::{Hidden, SmtpError};
use super::message::Mail;
use super::stream::{self, Connection};
use crate::model::Secret;

/// How long connecting, the handshake and each step before the login may take.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// How long one command may take.
const COMMAND: Duration = Duration::from_secs(20);
/// How long all of it may take.
const TOTAL: Duration = Duration::from_secs(30);
/// How long we wait for a good-bye; the mail is delivered by then.
const QUIT: Duration = Duration::from_secs(2);

/// What became of a mail that at least one recipient got, or will get.
pub(super) struct Sent {
    /// The code of the server's last answer.
    pub(super) status: u16,
    /// Refusals for good.
    pub(super) refused: Vec<SmtpError>,
    /// Refusals for now.
    pub(super) postponed: Vec<SmtpError>,
    /// The recipients of `postponed`.
    pub(super) open: Vec<Address>,
}

/// Runs a step, but not for longer than it may take.
pub(super) async fn step<T>(
    server: &str,
    step: &'static str,
    after: Duration,
    work: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, SmtpError> {
    match tokio::time::timeout(after, work).await {
        Ok(done) => done,
        Err(_) => Err(SmtpError::Timeout { server: server.to_string(), step, after }),
    }
}

/// Sends a mail to those who wait for it. An error means that nobody got it, or that nobody knows.
pub(super) async fn send(
    config: &EmailConfig,
    mail: &Mail,
    waiting: &[Address],
) -> Result<Sent, SmtpError> {
    let server = &config.server;
    let host =
        if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
    let name = format!("{host}:{}", server.port);
    step(&name, "the mail", TOTAL, exchange(config, &name, mail, waiting)).await
}

async fn exchange(
    config: &EmailConfig,
    name: &str,
    mail: &Mail,
    waiting: &[Address],
) -> Result<Sent, SmtpError> {
    let mut hidden = Hidden::default();
    for address in mail.recipients.iter().chain([&mail.sender]) {
        hidden.hide(address.as_ref(), "<address>");
    }
    let password = match &config.login {
        Some(login) => Some(login.password.read().map_err(|e| SmtpError::Local(e.to_string()))?),
        None => None,
    };
    if let (Some(login), Some(password)) = (&config.login, &password) {
        hidden.hide(&login.username, "<user>");
        hidden.hide(password.expose(), "<secret>");
    }
    let Connection { stream, encrypted } = stream::connect(config, name).await?;
    let hello = ClientId::Domain(config.server.hello.clone());
    let greeted = AsyncSmtpConnection::connect_with_transport(stream, &hello);
    let mut session = Session { name, hidden, connection: None };
    let connection = session.run("EHLO", greeted).await?;
    session.connection = Some(connection);
    if let (Some(login), Some(password)) = (&config.login, &password) {
        session.log_in(login, password, encrypted).await?;
    }
    let sent = session.deliver(mail, waiting).await;
    session.quit().await;
    sent
}

struct Session<'a> {
    name: &'a str,
    hidden: Hidden,
    connection: Option<AsyncSmtpConnection>,
}

impl Session<'_> {
    /// Runs one step of lettre's.
    async fn run<T>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, LettreError>>,
    ) -> Result<T, SmtpError> {
        step(self.name, what, COMMAND, async { work.await.map_err(|e| self.error(what, &e)) }).await
    }

    async fn command(
        &mut self,
        what: &'static str,
        command: impl Display,
    ) -> Result<Response, SmtpError> {
        let mut connection = self.take(what)?;
        let answer = self.run(what, connection.command(command)).await;
        self.connection = Some(connection);
        answer
    }

    /// The connection; it is gone for good when a step with it was cut off by its time limit.
    fn take(&mut self, step: &'static str) -> Result<AsyncSmtpConnection, SmtpError> {
        self.connection.take().ok_or_else(|| SmtpError::Exchange {
            server: self.name.to_string(),
            step,
            reason: "not connected".to_string(),
        })
    }

    fn error(&self, step: &'static str, error: &LettreError) -> SmtpError {
        let server = self.name.to_string();
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let text = self.hidden.clean(&cause.unwrap_or_else(|| error.to_string()));
        match error.status().map(u16::from) {
            Some(status) => SmtpError::Answer { server, step, status, text },
            None => SmtpError::Exchange { server, step, reason: text },
        }
    }

    /// A server that asks for no login gets none, as with Alertmanager.
    async fn log_in(
        &mut self,
        login: &Login,
        password: &Secret,
        encrypted: bool,
    ) -> Result<(), SmtpError> {
        let server = || self.name.to_string();
        let Some(connection) = &self.connection else { return Ok(()) };
        let info = connection.server_info();
        let offers = |mechanism| info.supports_auth_mechanism(mechanism);
        let (plain, login_offered) = (offers(Mechanism::Plain), offers(Mechanism::Login));
        let any = plain || login_offered || offers(Mechanism::Xoauth2);
        match (any, encrypted, plain || login_offered) {
            (false, ..) => return Ok(()),
            (true, false, _) => return Err(SmtpError::PasswordInClear { server: server() }),
            (true, true, false) => return Err(SmtpError::NoMechanism { server: server() }),
            (true, true, true) => {}
        }
        if plain {
            // By hand, since lettre has no place for the identity (RFC 4616).
            let Login { identity, username, .. } = login;
            let secret = STANDARD.encode(format!("{identity}\0{username}\0{}", password.expose()));
            self.hidden.hide(&secret, "<secret>");
            self.command("AUTH", format!("AUTH PLAIN {secret}\r\n")).await?;
            return Ok(());
        }
        let credentials = Credentials::new(login.username.clone(), password.expose().to_string());
        let mut connection = self.take("AUTH")?;
        let answer = self.run("AUTH", connection.auth(&[Mechanism::Login], &credentials)).await;
        self.connection = Some(connection);
        answer.map(|_| ())
    }

    /// One mail to all who wait; whoever is refused does not hold back the others.
    async fn deliver(&mut self, mail: &Mail, waiting: &[Address]) -> Result<Sent, SmtpError> {
        let mut parameters = Vec::new();
        let beyond_ascii = |a: &Address| !a.to_string().is_ascii();
        if waiting.iter().chain([&mail.sender]).any(beyond_ascii) {
            let info = self.connection.as_ref().map(AsyncSmtpConnection::server_info);
            if !info.is_some_and(|info| info.supports_feature(Extension::SmtpUtfEight)) {
                return Err(SmtpError::NoUtf8 { server: self.name.to_string() });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        self.command("MAIL", MailFrom::new(Some(mail.sender.clone()), parameters)).await?;
        let mut sent = Sent { status: 250, refused: vec![], postponed: vec![], open: vec![] };
        let mut accepted = 0;
        for address in waiting {
            match self.command("RCPT", Rcpt::new(address.clone(), vec![])).await {
                Ok(_) => accepted += 1,
                // Only the server's word is about this recipient alone; 421 ends the session.
                Err(error) if error.status().is_none_or(|status| status == 421) => {
                    return Err(error);
                }
                Err(error) if error.is_transient() => {
                    sent.postponed.push(error);
                    sent.open.push(address.clone());
                }
                Err(error) => sent.refused.push(error),
            }
        }
        if accepted == 0 {
            let error = sent.postponed.into_iter().chain(sent.refused).next();
            return Err(error.unwrap_or_else(|| SmtpError::Local("nobody to send to".to_string())));
        }
        self.command("DATA", Data).await?;
        let mut connection = self.take("the mail")?;
        let answer = self.run("the mail", connection.message(&mail.content)).await?;
        self.connection = Some(connection);
        sent.status = u16::from(answer.code());
        Ok(sent)
    }

    /// Says good-bye; whether it is heard does not matter.
    async fn quit(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _unheard = tokio::time::timeout(QUIT, connection.quit()).await;
        }
    }
}
