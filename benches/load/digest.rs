//! A storm of 100,000 alerts in one group: how long each integration takes to render its message.

use std::sync::Arc;
use std::time::{Duration, Instant};

use watchbell::daemon::routing_setup;
use watchbell::engine::Dispatcher;

use crate::report::{Figure, note};
use crate::routing::{evaluate, flush_all, later, load, rules, start};

/// One integration of every kind, beside the webhook, which has no digest and lists all alerts.
const INTEGRATIONS: &str = "\
email_configs: [{to: on-call@example.com, from: bell@example.com, smarthost: '127.0.0.1:25'}], \
pagerduty_configs: [{routing_key: '0123456789abcdef0123456789abcdef'}], \
slack_configs: [{api_url: 'http://127.0.0.1:9/', channel: '#on-call'}], ";

pub fn run(_: Option<u64>) {
    let loaded = load("[]", INTEGRATIONS);
    let mut dispatcher = Dispatcher::new(Arc::new(routing_setup(&loaded.config)));
    evaluate(&mut rules(), &mut dispatcher, 95.0, start());
    let now = later(start(), Duration::from_secs(2));
    flush_all(&mut dispatcher, now);
    let tickets = dispatcher.take_due(usize::MAX, now);
    let alerts = tickets.first().map_or(0, |ticket| ticket.delivery.notification.alerts.len());
    note(&format!("{} messages of {alerts} alerts", tickets.len()));
    for integration in loaded.receivers.iter().flat_map(|receiver| &receiver.integrations) {
        let ticket = tickets.iter().find(|ticket| ticket.integration == integration.id);
        let delivery = &ticket.expect("it is told").delivery;
        let began = Instant::now();
        let preview = integration.notifier.preview(delivery, now.wall).expect("it renders");
        let took = began.elapsed().as_secs_f64();
        let bytes: usize = preview.parts.iter().map(|(_, text)| text.len()).sum();
        let name = format!("{}, {:.1} KiB of text", integration.id.kind, bytes as f64 / 1024.0);
        Figure::new(&name, took, "s").print();
    }
}
