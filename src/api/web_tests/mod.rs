//! The guard and the server, with the addresses of a small set of routes behind them.

mod guard;
mod tls;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::get;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::api::guard::Peer;
use crate::api::guarded;
use crate::daemon::DaemonState;
use crate::http::tests::server::TempDir;
use crate::model::Timestamp;
use crate::telemetry::{BuildInfo, Metrics};
use crate::web::Web;

/// Of "hunter2" and "sesame", at the lowest cost.
const HUNTER2: &str = "$2b$04$C0sxRGXFWZ0pd9oAV6N7qeWxnJKA2OUgfeFSg1xT29nzGbgJpjCRS";
const SESAME: &str = "$2b$04$C0sxRGXFWZ0pd9oAV6N7qeLybLsOW.fD1XhzEmqt.2MoYjxX36ZZK";
const HERE: &str = "127.0.0.1";
const ELSEWHERE: &str = "192.0.2.7";

/// Routes behind a guard, and the folder of its file.
struct Site {
    web: Arc<Web>,
    metrics: Arc<Metrics>,
    app: Router,
    folder: TempDir,
    state: Arc<DaemonState>,
}

impl Site {
    /// A site with a web configuration, or without one where it is empty.
    fn new(text: &str) -> Self {
        let folder = TempDir::new();
        folder.file("tv.token", "a-token-for-the-television\n");
        Self::in_folder(folder, text)
    }

    fn in_folder(folder: TempDir, text: &str) -> Self {
        let build = BuildInfo { version: String::new(), revision: String::new() };
        let metrics = Arc::new(Metrics::new(&build, Timestamp::default()));
        let path = folder.file("web.yaml", text);
        let web = Web::open((!text.is_empty()).then_some(path.as_path()), Arc::clone(&metrics));
        let web = Arc::new(web.unwrap_or_else(|error| panic!("{error}")));
        let echo = async |body: String| body;
        let slow = async || {
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            "late"
        };
        let routes = Router::new()
            .route("/", get("page").post(echo))
            .route("/-/healthy", get("alive"))
            .route("/-/ready", get("ready"))
            .route("/-/reload", axum::routing::post("reloaded"))
            .route("/metrics", get("metrics"))
            .route("/api/{name}", get("looked").post(echo).delete("deleted"))
            .route("/slow", get(slow));
        let state = Arc::new(DaemonState::default());
        let app = guarded(routes, &web, Arc::clone(&state));
        Self { web, metrics, app, folder, state }
    }

    async fn send(&self, client: &str, mut request: Request<Body>) -> Answer {
        let peer = Peer { address: client.parse().unwrap(), certificate: None };
        request.extensions_mut().insert(peer);
        let answer = TowerToHyperService::new(self.app.clone()).call(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 1 << 22).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request without a body; headers as `name: value`.
    async fn ask(&self, client: &str, method: &str, path: &str, headers: &[&str]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            request = request.header(name, value);
        }
        self.send(client, request.body(Body::empty()).unwrap()).await
    }

    /// The status alone.
    async fn status(&self, client: &str, method: &str, path: &str, headers: &[&str]) -> u16 {
        self.ask(client, method, path, headers).await.status.as_u16()
    }

    /// The value of a counter as `/metrics` shows it.
    fn metric(&self, series: &str) -> Option<String> {
        let text = self.metrics.encode();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(str::to_string)
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }
}
