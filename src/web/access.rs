//! Whether a request is let in: a decision with a named reason.

use std::net::IpAddr;

use crate::web::{Origin, Role, WebConfig, Who};

/// Open to everybody, always: whoever starts and stops the program must be able to ask.
const PROBES: [&str; 2] = ["/-/healthy", "/-/ready"];
/// Open to everybody as long as nobody has to say who they are.
const METRICS: &str = "/metrics";

/// What is asked for, by whom.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The path of the URL.
    pub path: &'a str,
    /// Whether the method may change something: every one but GET and HEAD.
    pub changes: bool,
    /// Where the connection comes from.
    pub client: IpAddr,
    /// What the headers say of the request's way.
    pub origin: Origin<'a>,
    /// The host of `external_url`, under which messages lead people here.
    pub own_host: Option<&'a str>,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// From another machine, and nothing says who may come in.
    Closed,
    /// Nobody has said who they are.
    Unauthenticated,
    /// Name, password, token or certificate are not right.
    WrongCredentials,
    /// Known, and not allowed to do that.
    Role,
    /// Asked for under a name that is not ours.
    Host,
    /// Sent by a page of another site.
    CrossSite,
}

impl Refusal {
    /// The words of the answer. They say what opens the way.
    pub fn text(self) -> &'static str {
        match self {
            Self::Closed => {
                "requests from other machines get /-/healthy, /-/ready and /metrics only. To open \
                 the rest, start `watchbell run` with `--web-config-file FILE`: the file names who \
                 may come in (`basic_auth_users`, `bearer_auth` or client certificates) or sets \
                 `anonymous_role`; docs/web.md has an example"
            }
            Self::Unauthenticated => "this needs a user, a bearer token or a client certificate",
            Self::WrongCredentials => "user, password or token are not right",
            Self::Role => "the role that you have may not do that",
            Self::Host => {
                "nobody has to say who they are here, so only requests to an address, to localhost, \
                 to the host of `external_url` or to one of the `allowed_hosts` of the web configuration file (option \
                 `--web-config-file`) are answered: a page in a browser could give its own name \
                 this address"
            }
            Self::CrossSite => "a page of another site has sent this request",
        }
    }
}

impl Asked<'_> {
    /// Whether it asks for what is open to everybody, always.
    pub fn is_probe(&self) -> bool {
        PROBES.contains(&self.path) && !self.changes
    }
}

impl WebConfig {
    /// Whether a request is let in. `who` is whoever has proved to be somebody.
    ///
    /// # Errors
    /// Why not.
    pub fn decide(&self, asked: &Asked<'_>, who: Option<&Who>) -> Result<(), Refusal> {
        if asked.is_probe() {
            return Ok(());
        }
        if asked.origin.is_cross_site(asked.changes) {
            return Err(Refusal::CrossSite);
        }
        let needed = if asked.changes { Role::Write } else { Role::Read };
        if let Some(who) = who {
            return if who.role >= Some(needed) { Ok(()) } else { Err(Refusal::Role) };
        }
        let asks_who = self.authenticates();
        if asked.path == METRICS && !asked.changes && !asks_who {
            return Ok(());
        }
        let Some(role) = self.anonymous(asked.client) else {
            return Err(if asks_who { Refusal::Unauthenticated } else { Refusal::Closed });
        };
        if !asked.origin.is_expected_host(&self.allowed_hosts, asked.own_host) {
            return Err(Refusal::Host);
        }
        match (role >= needed, asks_who) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::Unauthenticated),
            (false, false) => Err(Refusal::Role),
        }
    }

    /// Whether there is a way to say who one is.
    pub fn authenticates(&self) -> bool {
        let verifies = self.tls.as_ref().is_some_and(|tls| tls.client_auth.verifies());
        !self.users.is_empty() || !self.bearers.is_empty() || verifies
    }

    /// What those may do who do not say who they are. Where nobody can say it, this machine may do
    /// everything: whoever can connect from here could also read the store.
    fn anonymous(&self, client: IpAddr) -> Option<Role> {
        let here = client.to_canonical().is_loopback() && !self.authenticates();
        if here { Some(Role::Write) } else { self.anonymous_role }
    }
}
