//! Who may do what: tables of the decision, and of who somebody is.

use std::net::IpAddr;

use super::{HUNTER2, good, metrics};
use crate::http::tests::server::TempDir;
use crate::telemetry::HttpRefusal;
use crate::web::{Asked, Denied, Origin, Refusal, Role, Web, WebConfig, Who};

const HERE: &str = "127.0.0.1";
const ELSEWHERE: &str = "192.0.2.7";

fn decide(
    config: &WebConfig,
    client: &str,
    (changes, path): (bool, &str),
    role: Option<Role>,
) -> Result<(), Refusal> {
    let client = client.parse::<IpAddr>().unwrap();
    let who = role.map(|role| Who { name: "somebody".to_string(), role: Some(role) });
    let origin = Origin::default();
    config.decide(&Asked { path, changes, client, origin, own_host: None }, who.as_ref())
}

const READ: (bool, &str) = (false, "/api/v1/rules");
const CHANGE: (bool, &str) = (true, "/api/v2/silences");
const HEALTH: (bool, &str) = (false, "/-/healthy");
const READY: (bool, &str) = (false, "/-/ready");
const METRICS: (bool, &str) = (false, "/metrics");
const RELOAD: (bool, &str) = (true, "/-/reload");

#[test]
fn without_a_file_others_see_whether_it_is_alive_and_this_machine_does_everything() {
    let config = WebConfig::default();
    for what in [READ, CHANGE, HEALTH, READY, METRICS, RELOAD] {
        for here in [HERE, "127.0.1.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(decide(&config, here, what, None), Ok(()), "{here} {what:?}");
        }
        let open = [HEALTH, READY, METRICS].contains(&what);
        let expected = if open { Ok(()) } else { Err(Refusal::Closed) };
        for other in [ELSEWHERE, "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7", "0.0.0.0"] {
            assert_eq!(decide(&config, other, what, None), expected, "{other} {what:?}");
        }
    }
    // What looks like an open path and is none.
    for what in [(true, "/-/healthy"), (true, "/metrics"), (false, "/metrics/"), (false, "/")] {
        assert_eq!(decide(&config, ELSEWHERE, what, None), Err(Refusal::Closed), "{what:?}");
    }
}

#[test]
fn with_users_everybody_has_to_say_who_they_are() {
    let config = good(&format!("basic_auth_users: {{ann: {HUNTER2}}}\n"));
    for client in [HERE, ELSEWHERE] {
        for what in [READ, CHANGE, METRICS, RELOAD] {
            let nobody = decide(&config, client, what, None);
            assert_eq!(nobody, Err(Refusal::Unauthenticated), "{client} {what:?}");
            assert_eq!(decide(&config, client, what, Some(Role::Write)), Ok(()));
            let reader = decide(&config, client, what, Some(Role::Read));
            assert_eq!(reader, if what.0 { Err(Refusal::Role) } else { Ok(()) }, "{what:?}");
        }
        for what in [HEALTH, READY] {
            assert_eq!(decide(&config, client, what, None), Ok(()), "probes stay open");
        }
    }
}

#[test]
fn an_anonymous_role_opens_for_all() {
    let read = good("anonymous_role: read\n");
    assert_eq!(decide(&read, ELSEWHERE, READ, None), Ok(()));
    assert_eq!(decide(&read, ELSEWHERE, CHANGE, None), Err(Refusal::Role));
    assert_eq!(decide(&read, HERE, CHANGE, None), Ok(()), "as without a file");
    let write = good("anonymous_role: write\n");
    assert_eq!(decide(&write, ELSEWHERE, CHANGE, None), Ok(()));
    // Beside users: others may look, and are asked who they are before they change something.
    let both = good(&format!("basic_auth_users: {{ann: {HUNTER2}}}\nanonymous_role: read\n"));
    for client in [HERE, ELSEWHERE] {
        assert_eq!(decide(&both, client, METRICS, None), Ok(()));
        assert_eq!(decide(&both, client, CHANGE, None), Err(Refusal::Unauthenticated));
    }
}

#[test]
fn a_foreign_name_or_page_is_refused() {
    let asked = |client: &str, changes, origin| Asked {
        path: "/api/v2/silences",
        changes,
        client: client.parse().unwrap(),
        origin,
        own_host: None,
    };
    let named = |host| Origin { host: Some(host), ..Origin::default() };
    let closed = WebConfig::default();
    let evil = named("evil.example:9093");
    assert_eq!(closed.decide(&asked(HERE, false, evil), None), Err(Refusal::Host));
    assert_eq!(closed.decide(&asked(HERE, true, named("localhost:9093")), None), Ok(()));
    let named_here = good("allowed_hosts: [watchbell.internal]\nanonymous_role: write\n");
    for (host, expected) in [("watchbell.internal:9093", Ok(())), ("evil", Err(Refusal::Host))] {
        assert_eq!(named_here.decide(&asked(ELSEWHERE, true, named(host)), None), expected);
    }
    // Whoever says who they are may use any name: a page does not have their password.
    let users = good(&format!("basic_auth_users: {{ann: {HUNTER2}}}\n"));
    let ann = Who { name: "ann".to_string(), role: Some(Role::Write) };
    assert_eq!(users.decide(&asked(ELSEWHERE, true, evil), Some(&ann)), Ok(()));
    // But their browser may send it for a page of another site.
    let page = Origin { fetch_site: Some("cross-site"), ..evil };
    assert_eq!(users.decide(&asked(ELSEWHERE, true, page), Some(&ann)), Err(Refusal::CrossSite));
    assert_eq!(closed.decide(&asked(HERE, true, page), None), Err(Refusal::CrossSite));
}

/// `user:password` in base64.
fn basic(pair: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

fn open(text: &str) -> (Web, TempDir) {
    let folder = TempDir::new();
    folder.file("tv.token", "a-token-for-the-television\n");
    let web = Web::open(Some(&folder.file("web.yaml", text)), metrics());
    (web.unwrap_or_else(|error| panic!("{error}")), folder)
}

async fn identify(web: &Web, client: &str, header: &str) -> Result<Option<Who>, Denied> {
    let client = client.parse().unwrap();
    web.identify(&web.ready(), client, Some(header), None).await
}

fn somebody(name: &str, role: Role) -> Result<Option<Who>, Denied> {
    Ok(Some(Who { name: name.to_string(), role: Some(role) }))
}

const FILE: &str = "bearer_auth:\n\
    - {name: tv, token_file: tv.token, role: read}\n\
    - {name: ci, role: write, token_sha256: \
       ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad}\n\
    user_roles: {grafana: read}\n";

#[tokio::test(start_paused = true)]
async fn users_and_tokens_are_told_apart() {
    let users = format!("basic_auth_users: {{ann: {HUNTER2}, grafana: {HUNTER2}}}\n");
    let (web, _folder) = open(&(users + FILE));
    for (header, expected) in [
        (basic("ann:hunter2"), somebody("ann", Role::Write)),
        (basic("grafana:hunter2"), somebody("grafana", Role::Read)),
        (basic("ann:hunter3"), Err(Denied::Wrong)),
        (basic("ann:"), Err(Denied::Wrong)),
        (basic("eve:hunter2"), Err(Denied::Wrong)),
        (basic("ann"), Err(Denied::Wrong)),
        (basic("ann:hunter2").replace("Basic", "basic"), somebody("ann", Role::Write)),
        ("Basic !".to_string(), Err(Denied::Wrong)),
        ("Bearer a-token-for-the-television".to_string(), somebody("tv", Role::Read)),
        ("bearer abc".to_string(), somebody("ci", Role::Write)),
        ("Bearer abd".to_string(), Err(Denied::Wrong)),
        ("Bearer".to_string(), Err(Denied::Wrong)),
        ("Digest abc".to_string(), Err(Denied::Wrong)),
    ] {
        // Each has a client of its own, so that no budget is used up.
        tokio::time::advance(std::time::Duration::from_secs(3600)).await;
        assert_eq!(identify(&web, HERE, &header).await, expected, "{header}");
    }
    let none = web.identify(&web.ready(), HERE.parse().unwrap(), None, None).await;
    assert_eq!(none, Ok(None));
}

#[tokio::test]
async fn a_header_means_nothing_where_nobody_is_asked() {
    let web = Web::open(None, metrics()).unwrap();
    assert_eq!(identify(&web, ELSEWHERE, &basic("ann:hunter2")).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn guesses_are_slowed_down_and_right_passwords_are_not() {
    let (web, _folder) = open(&format!("basic_auth_users: {{ann: {HUNTER2}}}\n"));
    for n in 0..30 {
        let right = identify(&web, ELSEWHERE, &basic("ann:hunter2")).await;
        assert_eq!(right, somebody("ann", Role::Write), "{n}");
    }
    for n in 0..10 {
        let wrong = identify(&web, ELSEWHERE, &basic(&format!("ann:guess{n}"))).await;
        assert_eq!(wrong, Err(Denied::Wrong), "{n}");
    }
    let blocked = identify(&web, ELSEWHERE, &basic("ann:guess")).await;
    let wait = std::time::Duration::from_secs(5);
    assert_eq!(blocked, Err(Denied::TooMuch(HttpRefusal::Logins, wait)));
    // What is known costs nothing and goes on; other clients have their own budget.
    let right = identify(&web, ELSEWHERE, &basic("ann:hunter2")).await;
    assert_eq!(right, somebody("ann", Role::Write));
    assert_eq!(identify(&web, ELSEWHERE, &basic("ann:guess1")).await, Err(Denied::Wrong));
    assert_eq!(identify(&web, "192.0.2.8", &basic("ann:guess")).await, Err(Denied::Wrong));
    tokio::time::advance(wait).await;
    assert_eq!(identify(&web, ELSEWHERE, &basic("ann:other")).await, Err(Denied::Wrong));
}

#[test]
fn one_client_cannot_take_all_connections() {
    let web = std::sync::Arc::new(Web::open(None, metrics()).unwrap());
    let connect = |client: &str| web.connect(client.parse().unwrap());
    let mut open: Vec<_> = (0..64).map(|_| connect(ELSEWHERE).unwrap()).collect();
    assert!(connect(ELSEWHERE).is_none());
    assert!(connect("192.0.2.8").is_some(), "others have their own");
    let here: Vec<_> = (0..100).map(|_| connect(HERE)).collect();
    assert!(here.iter().all(Option::is_some), "everybody behind a proxy is this machine");
    open.pop();
    assert!(connect(ELSEWHERE).is_some());
}
