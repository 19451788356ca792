//! The real binary: closed to other machines by default, and opened by a web configuration file to
//! curl with user, token and certificate.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

mod support;

use std::net::{IpAddr, UdpSocket};
use std::process::Command;

use support::process::Process;
use support::{Part, TempDir, certs, http, require, require_program, wait_until};

/// Of "planted-web-password", at the lowest cost.
const HASH: &str = "$2b$04$C0sxRGXFWZ0pd9oAV6N7qeWUWwaZIfIzzn3s3FE87luVoW0pxDO0y";

/// A daemon without rules, whose datasource is never asked.
struct Daemon {
    dir: TempDir,
    process: Process,
    port: u16,
}

impl Daemon {
    fn start(dir: TempDir, listen: &str, options: &[&str]) -> Self {
        let config = "datasource: {url: 'http://127.0.0.1:9'}\nstorage: {path: data}\n\
                      route: {receiver: none}\nreceivers: [{name: none}]\n";
        let config = dir.write("watchbell.yaml", config);
        let mut all = vec!["run", "--config", &config, "--listen", listen];
        all.extend(options);
        let mut process = Process::watchbell(&all);
        let line = process.wait_for_line("listening");
        let port = line.rsplit(':').next().and_then(|port| port.trim().parse().ok());
        Self { dir, process, port: port.expect("the log names the port") }
    }

    /// A folder with certificates, and a daemon behind a file that uses them.
    fn secured(file: &str) -> Self {
        let dir = TempDir::new("access");
        certs(dir.path());
        dir.write("token", "planted-web-token-0123456789\n");
        let web = dir.write("web.yaml", file);
        Self::start(dir, "127.0.0.1:0", &["--web.config.file", &web])
    }

    /// What curl gets: the status and the body.
    fn curl(&self, path: &str, options: &[&str]) -> (u16, String) {
        let ca = self.dir.join("ca.pem");
        let url = format!("https://localhost:{}{path}", self.port);
        let done = Command::new("curl")
            .args(["-sS", "--max-time", "30", "--cacert", &ca, "-w", "\n%{http_code}"])
            .args(options)
            .arg(url)
            .output()
            .unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_string())
    }

    fn status(&self, path: &str, options: &[&str]) -> u16 {
        self.curl(path, options).0
    }
}

/// An address of this machine that is not loopback; nothing is sent to find it.
fn other_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn other_machines_get_health_and_metrics_only() {
    let daemon = Daemon::start(TempDir::new("closed"), "0.0.0.0:0", &[]);
    let ask = |ip: IpAddr, method: &str, path: &str| {
        http::request(method, &format!("http://{ip}:{}{path}", daemon.port), &[], "").unwrap()
    };
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    let Some(elsewhere) = other_address() else {
        // Without a network there is no other address to come from.
        assert_eq!(ask(here, "GET", "/api/v1/rules").status, 200);
        return;
    };
    for (method, path, of_here, of_elsewhere) in [
        ("GET", "/-/healthy", 200, 200),
        ("GET", "/-/ready", 200, 200),
        ("GET", "/metrics", 200, 200),
        ("GET", "/api/v1/rules", 200, 403),
        ("GET", "/api/watchbell/status", 200, 403),
        ("POST", "/-/reload", 200, 403),
        ("GET", "/nothing", 404, 403),
    ] {
        assert_eq!(ask(here, method, path).status, of_here, "{method} {path} from here");
        let answer = ask(elsewhere, method, path);
        assert_eq!(answer.status, of_elsewhere, "{method} {path} from {elsewhere}");
        assert!(answer.status == 200 || answer.body.contains("--web-config-file"), "{answer:?}");
    }
    let log = daemon.process.output();
    assert!(log.contains("--web-config-file"), "the log says what is closed: {log}");
}

/// Messages lead people to `external_url`: its host is ours, also after a reload.
#[test]
fn the_host_of_external_url_is_answered() {
    let daemon = Daemon::start(TempDir::new("own-host"), "127.0.0.1:0", &[]);
    let url = format!("http://127.0.0.1:{}", daemon.port);
    let status = |host: &str| {
        let host = [("Host", host)];
        http::request("GET", &format!("{url}/api/v1/rules"), &host, "").unwrap().status
    };
    assert_eq!(status("bell.example.com"), 403);
    let config = std::fs::read_to_string(daemon.dir.join("watchbell.yaml")).unwrap();
    let config = format!("{config}external_url: https://bell.example.com/base\n");
    daemon.dir.write("watchbell.yaml", &config);
    assert_eq!(http::request("POST", &format!("{url}/-/reload"), &[], "").unwrap().status, 200);
    assert_eq!(status("bell.example.com"), 200);
    assert_eq!(status("evil.example"), 403);
}

#[test]
fn curl_comes_in_with_a_user_a_token_or_a_certificate() {
    if !(require_program("curl") && require_program("openssl")) {
        return;
    }
    let daemon = Daemon::secured(&format!(
        "tls_server_config: {{cert_file: server.pem, key_file: server.key, client_ca_file: ca.pem, \
         client_auth_type: VerifyClientCertIfGiven}}\n\
         basic_auth_users: {{ann: {HASH}, tom: {HASH}}}\n\
         user_roles: {{tom: read}}\n\
         bearer_auth: [{{name: ci, token_file: token, role: write}}]\n\
         client_certificate_roles: {{watchbell: read}}\n"
    ));
    let (cert, key) = (daemon.dir.join("client.pem"), daemon.dir.join("client.key"));
    let token = "Authorization: Bearer planted-web-token-0123456789";
    let wrong = "Authorization: Bearer planted-web-token-0123456788";
    for (options, read, change) in [
        (&["-u", "ann:planted-web-password"][..], 200, 200),
        (&["-u", "tom:planted-web-password"], 200, 403),
        (&["-u", "ann:planted"], 401, 401),
        (&["-H", token], 200, 200),
        (&["-H", wrong], 401, 401),
        (&["--cert", &cert, "--key", &key], 200, 403),
        (&[], 401, 401),
    ] {
        let post = [options, &["-X", "POST"]].concat();
        assert_eq!(daemon.status("/api/v1/rules", options), read, "{options:?}");
        assert_eq!(daemon.status("/metrics", options), read, "{options:?}");
        assert_eq!(daemon.status("/-/reload", &post), change, "{options:?}");
        assert_eq!(daemon.status("/-/ready", options), 200, "{options:?}");
    }
    let page = ["-u", "ann:planted-web-password", "-H", "Sec-Fetch-Site: cross-site", "-X", "POST"];
    assert_eq!(daemon.status("/-/reload", &page), 403);
    let log = daemon.process.output();
    assert!(log.contains("user=\"ann\"") || log.contains("user=ann"), "who changes it: {log}");
    assert!(!log.contains("planted-web"), "{log}");
}

/// Runs a program; its exit code, and what it says: that it is done, or why not.
fn run(program: &str, arguments: &[&str]) -> (i32, String) {
    let done = Command::new(program).args(arguments).env("USER", "ann").output().unwrap();
    // amtool warns on standard error that our version is not its own.
    let said = if done.status.success() { done.stdout } else { done.stderr };
    (done.status.code().unwrap(), String::from_utf8(said).unwrap().trim().to_owned())
}

#[test]
fn amtool_and_watchbell_silence_come_in_with_a_file() {
    if !(require_program("openssl") && require(Part::Alertmanager).is_some()) {
        return;
    }
    let daemon = Daemon::secured(&format!(
        "tls_server_config: {{cert_file: server.pem, key_file: server.key}}\n\
         basic_auth_users: {{ann: {HASH}, tom: {HASH}}}\n\
         user_roles: {{tom: read}}\n\
         bearer_auth: [{{name: ci, token_file: token, role: write}}]\n"
    ));
    let tls = format!("tls_config: {{ca_file: '{}'}}\n", daemon.dir.join("ca.pem"));
    let user = |name| {
        let password = "planted-web-password";
        format!("{tls}basic_auth: {{username: {name}, password: {password}}}\n")
    };
    let ann = daemon.dir.write("ann.yaml", &user("ann"));
    let tom = daemon.dir.write("tom.yaml", &user("tom"));
    let token =
        format!("{tls}authorization: {{credentials_file: '{}'}}\n", daemon.dir.join("token"));
    let ci = daemon.dir.write("ci.yaml", &token);
    let nobody = daemon.dir.write("nobody.yaml", &tls);
    let url = format!("https://localhost:{}", daemon.port);
    let amtool = |file: &str, arguments: &[&str]| {
        let (url, file) =
            (format!("--alertmanager.url={url}"), format!("--http.config.file={file}"));
        run("amtool", &[&[&*url, &*file, "silence"], arguments].concat())
    };
    let watchbell = |file: &str, command: &str, arguments: &[&str]| {
        let way = ["silence", command, "--url", &url, "--http-config", file];
        run(env!("CARGO_BIN_EXE_watchbell"), &[&way[..], arguments].concat())
    };
    let add = ["add", "alertname=Disk", "--comment=swap"];
    let mut ids = Vec::new();
    for file in [&ann, &ci] {
        for (code, id) in
            [amtool(file, &add), watchbell(file, "add", &["alertname=Disk", "--comment=swap"])]
        {
            assert_eq!((code, id.len()), (0, 36), "{file}: {id}");
            ids.push(id);
        }
    }
    for file in [&ann, &tom, &ci] {
        for (code, said) in [amtool(file, &["query"]), watchbell(file, "query", &[])] {
            assert_eq!(code, 0, "{file}: {said}");
            assert!(ids.iter().all(|id| said.contains(id.as_str())), "{file}: {said}");
        }
    }
    for (file, reason) in [(&tom, "role"), (&nobody, "needs a user")] {
        let (code, said) = watchbell(file, "add", &["alertname=Disk", "--comment=swap"]);
        assert!(code != 0 && said.contains(reason), "{file}: {said}");
        assert_ne!(amtool(file, &add).0, 0, "{file}");
    }
    assert_eq!(watchbell(&ann, "expire", &[&ids[0]]), (0, String::new()));
    assert_eq!(amtool(&ci, &["expire", &ids[1]]), (0, String::new()));
    let (_, left) = amtool(&tom, &["query", "-q"]);
    assert_eq!(left.lines().count(), 2, "{left}");
}

#[test]
fn a_reload_exchanges_users_and_certificate() {
    if !(require_program("curl") && require_program("openssl")) {
        return;
    }
    let tls = "tls_server_config: {cert_file: server.pem, key_file: server.key}\n";
    let daemon = Daemon::secured(&format!("{tls}basic_auth_users: {{ann: {HASH}}}\n"));
    let ann = ["-u", "ann:planted-web-password"];
    assert_eq!(daemon.status("/api/v1/rules", &ann), 200);
    daemon.dir.write("web.yaml", &format!("{tls}basic_auth_users: {{bob: {HASH}}}\n"));
    daemon.process.signal("HUP");
    wait_until("the new users count", || {
        (daemon.status("/api/v1/rules", &ann) == 401).then_some(())
    });
    assert_eq!(daemon.status("/api/v1/rules", &["-u", "bob:planted-web-password"]), 200);
    // A new authority with a new certificate; nobody tells the daemon.
    certs(daemon.dir.path());
    wait_until("the new certificate is shown", || {
        (daemon.status("/-/ready", &[]) == 200).then_some(())
    });
    daemon.dir.write("web.yaml", "basic_auth_users: {bob: hunter2}\n");
    let (status, body) =
        daemon.curl("/-/reload", &["-u", "bob:planted-web-password", "-X", "POST"]);
    assert_eq!(status, 500, "{body}");
    assert!(body.contains("web.yaml:1:25") && body.contains("is no bcrypt hash"), "{body}");
    assert_eq!(daemon.status("/api/v1/rules", &["-u", "bob:planted-web-password"]), 200);
}
