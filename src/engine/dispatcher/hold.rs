//! What holds an alert back, and how that is told.

use crate::engine::dispatcher::Dispatcher;
use crate::model::{LabelSet, Silence, SilenceId, Timestamp};
use crate::routing::MuteReason;

/// How many silences of one alert are told in words.
const MAX_TOLD: usize = 5;
/// How much of a silence's comment is told, in characters. A silence may hold many alerts, and each
/// has a record of its own.
const MAX_COMMENT: usize = 200;

/// Why an alert is held back, as far as a change of it is worth a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// The reason's name.
    pub(super) name: &'static str,
    /// The silences that hold it, where it is silenced.
    silences: Vec<SilenceId>,
}

impl From<&MuteReason> for Held {
    fn from(reason: &MuteReason) -> Self {
        let silences = match reason {
            MuteReason::Silenced { ids } => ids.clone(),
            _ => Vec::new(),
        };
        Self { name: reason.as_str(), silences }
    }
}

impl Dispatcher {
    /// What holds an alert back. `muted` is what holds back its whole group.
    pub(super) fn holds(
        &self,
        labels: &LabelSet,
        muted: Option<&MuteReason>,
        now: Timestamp,
    ) -> Option<MuteReason> {
        let inhibited = self.inhibitor.inhibited_by(labels).map(MuteReason::Inhibited);
        inhibited.or_else(|| muted.cloned()).or_else(|| {
            let ids = self.silences.silenced_by(labels, now);
            (!ids.is_empty()).then_some(MuteReason::Silenced { ids })
        })
    }

    /// What holds an alert back, in words.
    pub(super) fn explain(&self, reason: &MuteReason) -> String {
        match reason {
            MuteReason::Inhibited(inhibition) => {
                let by = self.alerts.get(&inhibition.source);
                let by = by.map(|routed| routed.merged.labels.to_string()).unwrap_or_default();
                let rule = match inhibition.name.as_str() {
                    "" => format!("inhibit rule {}", inhibition.rule + 1),
                    name => format!("inhibit rule {name}"),
                };
                format!("{rule}, by {by}")
            }
            MuteReason::OutsideActiveInterval => String::new(),
            MuteReason::InMuteInterval { name } => name.clone(),
            MuteReason::Silenced { ids } => {
                let known = ids.iter().filter_map(|id| self.silences.get(*id));
                let mut told: Vec<String> = known.take(MAX_TOLD).map(|s| in_words(s)).collect();
                if ids.len() > MAX_TOLD {
                    told.push(format!("and {} more", ids.len() - MAX_TOLD));
                }
                told.join("; ")
            }
        }
    }
}

fn in_words(silence: &Silence) -> String {
    let mut comment: String = silence.comment.chars().take(MAX_COMMENT).collect();
    if comment.len() < silence.comment.len() {
        comment.push('…');
    }
    format!("silence {} by {}: {comment}", silence.id, silence.created_by)
}
