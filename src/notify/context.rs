//! What every integration needs to render a message.

use jiff::tz::TimeZone;

/// The surroundings of a message, the same for all integrations.
#[derive(Clone, Debug)]
pub struct Context {
    /// The zone of the times that people read.
    pub time_zone: TimeZone,
    /// The address under which people reach this program, without a slash at its end; empty
    /// where it is not known, and then nothing links to it.
    pub external_url: String,
}
