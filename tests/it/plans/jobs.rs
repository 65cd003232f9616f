//! The statements of jobs, on a table with a long history of them.

use reqwest::StatusCode;
use serde_json::json;

use super::{TIMES, ask, replace};
use crate::support::app::{App, id};

/// The processing rules: the processor `hot` on each dataset below `/jobs/`.
pub const RULES: &str = r#"
[[rule]]
processor = "hot"
external = true
paths = ["/jobs/**"]
"#;

/// A job that has ended on each upload that was ever acknowledged, and a few queued and failed ones of a
/// processor that is rarely used.
pub const HISTORY: &str = "
    INSERT INTO jobs (id, upload_id, tenant, processor, status, attempts, due_at, created_at,
        updated_at, started_at, ended_at)
    SELECT id, id, tenant, 'hot', 'Succeeded', 1, created_at, created_at, created_at, created_at,
        created_at
    FROM uploads WHERE uploaded_at IS NOT NULL;
    INSERT INTO jobs (id, upload_id, tenant, processor, status, attempts, due_at, created_at,
        updated_at, ended_at)
    SELECT gen_random_uuid(), id, tenant, 'rare', CASE place % 2 WHEN 0 THEN 'Queued' ELSE 'Failed' END,
        0, now(), now(), now(), CASE place % 2 WHEN 1 THEN now() END
    FROM (SELECT id, tenant, row_number() OVER (ORDER BY id) AS place
          FROM uploads WHERE status = 'Uploaded' ORDER BY id LIMIT 40) AS chosen;
";

/// Makes every request about jobs.
pub async fn make_requests(app: &App) {
    for _ in 0..TIMES {
        let upload = replace(app, "/jobs/a.csv").await;
        let claimed = app
            .post("/jobs/claim", json!({"processor": "hot", "limit": 5}))
            .await
            .expect(StatusCode::OK);
        assert_eq!(claimed[0]["upload"]["id"], upload["id"], "{claimed:#}");
        let path = format!("/uploads/{}", id(&upload));
        let processing = format!("{path}/processing");
        let lease = &claimed[0]["job"]["lease"];
        for status in ["Processing", "Error"] {
            let body = json!({"processor": "hot", "status": status, "lease": lease});
            app.post(&processing, body).await.expect(StatusCode::OK);
        }
        let retry = format!("{processing}/retry");
        app.post_empty(&retry).await.expect(StatusCode::OK);
        let claim = json!({"processor": "hot", "status": "Processing"});
        let claimed = app.post(&processing, claim).await.expect(StatusCode::OK);
        let lease = &claimed["job"]["lease"];
        let end = json!({"processor": "hot", "status": "Processed", "lease": lease});
        app.post(&processing, end).await.expect(StatusCode::OK);
        app.get(&format!("{path}/jobs"))
            .await
            .expect(StatusCode::OK);
        app.get(&format!("{path}/results"))
            .await
            .expect(StatusCode::OK);
    }
    for filters in [
        "",
        "&status=Succeeded",
        "&status=Failed",
        "&status=Running",
        "&processor=hot",
        "&processor=rare",
        "&processor=rare&status=Queued",
        "&processor=none",
    ] {
        ask(app, &format!("/jobs?limit=10{filters}")).await;
    }
}
