mod answers;
mod config;
mod exchange;
mod range;

use crate::http::tests::server::Server;
use crate::model::{Secret, Timestamp};
use crate::query::{DatasourceConfig, Prometheus, Querier, QueryError, QueryResult};

/// 2023-11-14T22:13:20.123Z.
const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

fn prometheus(url: &str) -> Prometheus {
    Prometheus::new(&DatasourceConfig::new(Secret::new(url))).unwrap()
}

async fn ask(server: &Server) -> Result<QueryResult, QueryError> {
    prometheus(&server.origin).instant("up", AT).await
}
