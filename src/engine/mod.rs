//! Tier 6: the pure steps joined to store, querier and notifiers.
//!
//! - [`Evaluator`] asks the datasource, expands the templates and takes the alerting step.
//! - [`Dispatcher`] holds alerts, groups and lanes. It is a plain state machine: it takes events
//!   and the time and returns the changes to be stored and the deliveries to be made.
//! - [`DispatchLoop`] drives the dispatcher: it commits the changes, then performs what follows.
//!
//! The daemon, one-shot evaluation and tests all use these.

mod attempt;
mod away;
mod backlog;
mod committer;
mod dispatch_loop;
mod dispatcher;
mod evaluate;
#[cfg(test)]
mod evaluate_tests;
mod evidence;
mod facts;
mod measured;
mod no_data;
mod silencing;
mod tell;
mod wall;
mod whereabouts;

pub use away::Away;
pub use dispatch_loop::{DispatchHandle, DispatchLoop, Notifiers, Stopped};
pub use dispatcher::{DeliveryTicket, Dispatcher, Observation, RoutingSetup};
pub use evaluate::{EvalError, Evaluated, Evaluator, Past};
pub use facts::SharedFacts;
pub use measured::MeasuredQuerier;
pub use silencing::SilenceFailure;
pub use whereabouts::{HeldBack, RouteEnd, Whereabouts};
