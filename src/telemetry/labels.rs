//! The labels of the metrics. Every value comes from the configuration or from a closed set, so
//! that the number of series is bounded; the collector bounds the experiments that it shows.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};

use crate::model::IntegrationId;

/// A rule group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
pub struct GroupLabels {
    /// File and name, as `file;group`, like the label of that name in Prometheus.
    pub rule_group: String,
}

impl GroupLabels {
    /// The labels of a group by its key.
    pub fn new(rule_group: impl Into<String>) -> Self {
        Self { rule_group: rule_group.into() }
    }
}

/// An integration of a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
pub struct IntegrationLabels {
    /// The kind: `email`, `slack`, `pagerduty`, `webhook`.
    pub integration: String,
    /// The receiver's name.
    pub receiver: String,
}

impl From<&IntegrationId> for IntegrationLabels {
    fn from(id: &IntegrationId) -> Self {
        Self { integration: id.kind.to_string(), receiver: id.receiver.to_string() }
    }
}

/// A failed delivery of an integration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeliveryFailureLabels {
    /// The kind: `email`, `slack`, `pagerduty`, `webhook`.
    pub integration: String,
    /// The receiver's name.
    pub receiver: String,
    /// Why.
    pub reason: DeliveryFailure,
}

impl DeliveryFailureLabels {
    /// The labels of a failure.
    pub fn new(of: &IntegrationLabels, reason: DeliveryFailure) -> Self {
        let IntegrationLabels { integration, receiver } = of.clone();
        Self { integration, receiver, reason }
    }
}

/// Declares an enum whose variants are label values.
macro_rules! label_values {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The label's value.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(
                &self,
                encoder: &mut prometheus_client::encoding::LabelValueEncoder,
            ) -> Result<(), std::fmt::Error> {
                EncodeLabelValue::encode(&self.as_str(), encoder)
            }
        }
    };
}

label_values! {
    /// Why a delivery failed.
    DeliveryFailure {
        /// No connection, no TLS, or no answer in time.
        NoAnswer = "no_answer",
        /// The service refused us for too many messages.
        RateLimited = "rate_limited",
        /// The service failed (HTTP 5xx, SMTP 4yz).
        Server = "server_error",
        /// The service refused the message or our credentials (HTTP 4xx, SMTP 5yz).
        Refused = "refused",
        /// Nothing could be sent: a secret could not be read, say.
        Unsendable = "unsendable",
    }
}

label_values! {
    /// The state of an alert.
    AlertStateLabel {
        /// The expression holds, not yet for long enough.
        Pending = "pending",
        /// Firing.
        Firing = "firing",
        /// Firing, but silenced, inhibited or muted.
        Suppressed = "suppressed",
    }
}

label_values! {
    /// Why the API has refused a request or a connection.
    HttpRefusal {
        /// From another machine, and nothing says who may come in.
        Closed = "closed",
        /// Nobody said who they are.
        Unauthenticated = "unauthenticated",
        /// A wrong password or token.
        WrongCredentials = "wrong_credentials",
        /// Too many wrong passwords or tokens from one client.
        Logins = "logins",
        /// The role does not allow it.
        Role = "role",
        /// Asked for under a name that is not ours.
        Host = "host",
        /// Sent by a page of another site.
        CrossSite = "cross_site",
        /// Too many requests of one client.
        ClientRate = "client_rate",
        /// Too many requests in all.
        Rate = "rate",
        /// The URL is too long.
        UrlTooLong = "url_too_long",
        /// The head of a request is too large or no HTTP.
        Head = "head",
        /// The body is too large.
        BodyTooLarge = "body_too_large",
        /// The body did not come in time.
        SlowBody = "slow_body",
        /// The answer took too long.
        Timeout = "timeout",
        /// The TLS handshake failed.
        Tls = "tls",
        /// Too many connections of one client.
        Connections = "connections",
    }
}

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HttpRefusalLabels {
    /// Why.
    pub reason: HttpRefusal,
}

/// An address of the API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HandlerLabels {
    /// The address as the program has it, with names in place of its variable parts; `other` for
    /// what does not exist.
    pub handler: String,
}

/// An answer of the API.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HttpLabels {
    /// The HTTP status.
    pub code: u32,
    /// As [`HandlerLabels::handler`].
    pub handler: String,
}

/// Alerts by state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    /// The state.
    pub state: AlertStateLabel,
}

/// A built-in alert.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BuiltinLabels {
    /// The alert's name, from a closed set.
    pub alertname: &'static str,
}

/// Silences by state.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SilenceLabels {
    /// The state, by the name of a `SilenceState`.
    pub state: &'static str,
}

/// A failed query.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QueryFailureLabels {
    /// The kind of error, from the closed set of `QueryError::kind`.
    pub kind: &'static str,
}

/// What was built.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BuildInfo {
    /// The version.
    pub version: String,
    /// The commit, or "" where it is not known.
    pub revision: String,
}
