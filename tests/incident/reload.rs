//! New configurations while incidents go on.

use std::os::unix::fs::symlink;

use crate::daemon::Daemon;
use crate::site::{Site, group, nodes, rule};
use crate::support::wait_until;

/// The rules that the daemon evaluates, by name.
fn rules(daemon: &Daemon) -> Vec<String> {
    let answer = daemon.get("/api/v1/rules").json();
    let groups = answer["data"]["groups"].as_array().expect("groups").iter();
    let groups = groups.filter(|group| group["file"] != "(built-in)");
    let rules = groups.flat_map(|group| group["rules"].as_array().expect("rules"));
    rules.map(|rule| rule["name"].as_str().expect("a name").to_owned()).collect()
}

fn wait_for_rules(daemon: &Daemon, expected: &[&str]) {
    wait_until(&format!("the rules are {expected:?}"), || {
        (rules(daemon) == expected).then_some(())
    });
}

#[test]
fn a_new_rule_comes_by_signal_by_request_and_by_a_changed_file() {
    let Some(site) = Site::new("reload") else { return };
    site.write_config(&site.ops());
    let daemon = site.start();
    assert_eq!(rules(&daemon), ["NodeDown"]);
    let write = |names: &[&str]| {
        let rules: String = names.iter().map(|name| rule(name, "vector(0) > 1", "0s")).collect();
        group("incident", "1s", &rules)
    };
    let rewrite = |names: &[&str]| site.dir.write("rules/incident.yaml", &write(names));

    rewrite(&["One"]);
    let answer = daemon.reload();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(rules(&daemon), ["One"], "it is in place when the request is answered");

    rewrite(&["One", "Two"]);
    daemon.signal("HUP");
    wait_for_rules(&daemon, &["One", "Two"]);

    rewrite(&["Three"]);
    wait_for_rules(&daemon, &["Three"]);
    daemon.stop();
}

/// A ConfigMap in a container: `..data` is a link to a folder with the content of one moment, and
/// is replaced in one step. The files that programs open are links through it.
#[test]
fn a_config_map_is_reloaded_when_its_link_is_swapped() {
    let Some(site) = Site::new("configmap") else { return };
    let config = std::fs::read_to_string(site.write_config(&site.ops())).unwrap();
    let map = site.dir.path().join("map");
    let config =
        config.replace("rules/*.yaml", "rules.yaml").replace("path: data", "path: ../data");
    let publish = |version: &str, name: &str| {
        site.dir.write(&format!("map/{version}/watchbell.yaml"), &config);
        let rules = group("incident", "1s", &rule(name, "vector(0) > 1", "0s"));
        site.dir.write(&format!("map/{version}/rules.yaml"), &rules);
        symlink(version, map.join("..data_tmp")).unwrap();
        std::fs::rename(map.join("..data_tmp"), map.join("..data")).unwrap();
    };
    publish("..2026_1", "Before");
    for file in ["watchbell.yaml", "rules.yaml"] {
        symlink(format!("..data/{file}"), map.join(file)).unwrap();
    }
    let daemon = Daemon::start(&site.dir.join("map/watchbell.yaml"));
    assert_eq!(rules(&daemon), ["Before"]);
    publish("..2026_2", "After");
    wait_for_rules(&daemon, &["After"]);
    daemon.stop();
}

#[test]
fn a_broken_configuration_is_told_and_the_former_one_goes_on() {
    let Some(site) = Site::new("broken") else { return };
    let config = site.write_config(&site.ops());
    let right = std::fs::read_to_string(&config).unwrap();
    let mut daemon = site.start();
    daemon.wait_for_metric("watchbell_config_last_reload_successful", &[], 1.0);
    let refused = |daemon: &Daemon, words: &str| {
        let answer = daemon.reload();
        assert_eq!(answer.status, 500, "{}", answer.body);
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
        daemon.wait_for_metric("watchbell_config_last_reload_successful", &[], 0.0);
        assert_eq!(rules(daemon), ["NodeDown"]);
    };

    site.dir.write("watchbell.yaml", &right.replace("receiver: ops", "receiver: nobody"));
    refused(&daemon, "nobody");
    let line = daemon.wait_for_log("reload refused");
    assert!(line.contains("nobody") && line.contains("ERROR"), "{line}");

    site.dir.write("watchbell.yaml", &right);
    site.dir
        .write("rules/incident.yaml", "groups: [{name: x, rules: [{alert: X, expr: 'up =='}]}]");
    refused(&daemon, "incident.yaml");

    std::fs::remove_file(site.dir.join("rules/incident.yaml")).unwrap();
    refused(&daemon, "rules/*.yaml");

    site.write_rule("1s", "0s");
    assert_eq!(daemon.reload().status, 200);
    daemon.wait_for_metric("watchbell_config_last_reload_successful", &[], 1.0);
    site.fail(&["a"]);
    site.wait_for_taken("/webhook/ops", 1);
    daemon.stop();
}

#[test]
fn a_removed_rule_resolves_its_alerts() {
    let Some(site) = Site::new("removed") else { return };
    site.write_config(&site.ops());
    let daemon = site.start();
    site.fail(&["a"]);
    site.wait_for_taken("/webhook/ops", 1);
    let other = group("incident", "1s", &rule("Other", "vector(0) > 1", "0s"));
    site.dir.write("rules/incident.yaml", &other);
    assert_eq!(daemon.reload().status, 200);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["a"]);
    let log = daemon.stop();
    assert!(log.contains("rule_removed"), "the log says why");
    assert_eq!(site.taken("*").len(), 2);
    site.assert_correct();
}

#[test]
fn a_changed_route_ends_the_alert_here_and_announces_it_there() {
    let Some(site) = Site::new("rerouted") else { return };
    let receivers =
        format!("{}\n- {{name: dev, webhook_configs: [{}]}}", site.ops(), site.webhook("dev"));
    site.write_config(&receivers);
    let daemon = site.start();
    site.fail(&["a"]);
    site.wait_for_taken("/webhook/ops", 1);
    site.write_routes("{receiver: dev, group_by: [alertname]}", "{}", &receivers);
    assert_eq!(daemon.reload().status, 200);
    let ended = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&ended[1], "resolved"), ["a"]);
    let told = site.wait_for_taken("/webhook/dev", 1);
    assert_eq!(nodes(&told[0], "firing"), ["a"]);
    assert_eq!(daemon.wait_for_alerts("firing", 1).len(), 1, "the alert itself goes on");
    site.mend(&["a"]);
    let told = site.wait_for_taken("/webhook/dev", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["a"]);
    daemon.stop();
    assert_eq!(site.taken("/webhook/ops").len(), 2);
    site.assert_correct();
}
