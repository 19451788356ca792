//! Who comes in: budgets of requests and logins, and who somebody is.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::telemetry::HttpRefusal;
use crate::web::certificate::alternative_names;
use crate::web::logins::{Credentials, Logins, whose};
use crate::web::rate::{Budget, ClientBudgets, network};
use crate::web::{Rate, ReadyWeb, Refusal, Role, Web, Who};

/// Wrong passwords and tokens of one client: ten at once, then one every five seconds. Right ones
/// are free.
const WRONG_LOGINS: Rate = Rate { interval: Duration::from_secs(5), burst: 10 };
/// Connections of one client that is not this machine.
const MAX_CONNECTIONS: usize = 64;

/// What is remembered of clients.
pub(super) struct Gate {
    started: Instant,
    budgets: Mutex<Budgets>,
    logins: Logins,
    connections: Mutex<HashMap<IpAddr, usize>>,
}

#[derive(Default)]
struct Budgets {
    all: Budget,
    clients: ClientBudgets,
    logins: ClientBudgets,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            budgets: Mutex::default(),
            logins: Logins::new(),
            connections: Mutex::default(),
        }
    }
}

/// A certificate that a client has shown.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// Whether it was checked against the client CA.
    verified: bool,
    names: Vec<String>,
}

impl ClientCertificate {
    /// From its DER form.
    pub fn new(der: &[u8], verified: bool) -> Self {
        Self { verified, names: alternative_names(der) }
    }
}

/// Why nobody is let in before it is even asked what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// User, password or token are not right.
    Wrong,
    /// Too much was asked; the time after which there is room again.
    TooMuch(HttpRefusal, Duration),
}

/// A place among the connections of a client, given back when dropped.
pub struct ConnectionSlot {
    web: Arc<Web>,
    client: IpAddr,
}

impl Web {
    /// Counts a request against the budgets. This machine has none of its own, since everybody
    /// behind a proxy on it would share it.
    ///
    /// # Errors
    /// Which budget is used up, and for how long.
    pub fn admit(&self, ready: &ReadyWeb, client: IpAddr) -> Result<(), Denied> {
        let now = self.gate.started.elapsed();
        let mut budgets = self.gate.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let here = client.to_canonical().is_loopback();
        if let Some(rate) = ready.config.rates.client.filter(|_| !here) {
            let taken = budgets.clients.take(rate, client, now);
            taken.map_err(|wait| Denied::TooMuch(HttpRefusal::ClientRate, wait))?;
        }
        if let Some(rate) = ready.config.rates.all {
            let taken = budgets.all.take(rate, now);
            taken.map_err(|wait| Denied::TooMuch(HttpRefusal::Rate, wait))?;
        }
        Ok(())
    }

    /// Who somebody is, by the `Authorization` header, else by the certificate. `None` for somebody
    /// who does not say.
    ///
    /// # Errors
    /// When what they say is not right, or too much of that has come from there.
    pub async fn identify(
        &self,
        ready: &ReadyWeb,
        client: IpAddr,
        authorization: Option<&str>,
        certificate: Option<&ClientCertificate>,
    ) -> Result<Option<Who>, Denied> {
        let config = &ready.config;
        let asks = !config.users.is_empty() || !config.bearers.is_empty();
        let Some(header) = authorization.filter(|_| asks) else {
            return Ok(certificate.and_then(|shown| of_certificate(ready, shown)));
        };
        let credentials = Credentials::read(header);
        if let Credentials::Basic(name, password) = &credentials {
            match self.gate.logins.remembered(&config.users, name, password) {
                Some(true) => return Ok(user(ready, name)),
                Some(false) => return Err(Denied::Wrong),
                None => {}
            }
        }
        self.take_login(client)?;
        let who = match credentials {
            Credentials::Unknown => None,
            Credentials::Bearer(token) => whose(&ready.tokens, &token),
            Credentials::Basic(name, password) => {
                let good = self.gate.logins.check(&config.users, &name, &password).await;
                user(ready, &name).filter(|_| good)
            }
        };
        if who.is_none() {
            return Err(Denied::Wrong);
        }
        let now = self.gate.started.elapsed();
        let mut budgets = self.gate.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.logins.give_back(WRONG_LOGINS, client, now);
        Ok(who)
    }

    fn take_login(&self, client: IpAddr) -> Result<(), Denied> {
        let now = self.gate.started.elapsed();
        let mut budgets = self.gate.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = budgets.logins.take(WRONG_LOGINS, client, now);
        taken.map_err(|wait| Denied::TooMuch(HttpRefusal::Logins, wait))
    }

    /// A place for one more connection of a client; `None` where it has too many.
    pub fn connect(self: &Arc<Self>, client: IpAddr) -> Option<ConnectionSlot> {
        let client = network(client);
        let mut open = self.gate.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        if *count >= MAX_CONNECTIONS && !client.is_loopback() {
            return None;
        }
        *count += 1;
        Some(ConnectionSlot { web: Arc::clone(self), client })
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let connections = &self.web.gate.connections;
        let mut open = connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

fn user(ready: &ReadyWeb, name: &str) -> Option<Who> {
    let user = ready.config.users.iter().find(|user| user.name == name)?;
    Some(Who { name: user.name.clone(), role: Some(user.role) })
}

/// Whom a certificate proves somebody to be. With roles, those count. Without, it is enough where
/// there is nothing else to say who one is; beside users and tokens it is asked for in addition.
fn of_certificate(ready: &ReadyWeb, shown: &ClientCertificate) -> Option<Who> {
    let config = &ready.config;
    if !shown.verified {
        return None;
    }
    let alone = config.users.is_empty() && config.bearers.is_empty();
    let role = if config.certificate_roles.is_empty() {
        alone.then_some(Role::Write)
    } else {
        let of_names = config.certificate_roles.iter().filter(|(n, _)| shown.names.contains(n));
        of_names.map(|(_, role)| *role).max()
    };
    if role.is_none() && !alone {
        return None;
    }
    let name = shown.names.first().map_or("a certificate without a name", String::as_str);
    Some(Who { name: name.to_string(), role })
}

impl From<Refusal> for HttpRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Closed => Self::Closed,
            Refusal::Unauthenticated => Self::Unauthenticated,
            Refusal::WrongCredentials => Self::WrongCredentials,
            Refusal::Role => Self::Role,
            Refusal::Host => Self::Host,
            Refusal::CrossSite => Self::CrossSite,
        }
    }
}
