//! Tier 1: Go templates for rules and inline texts, Handlebars for notifications.
