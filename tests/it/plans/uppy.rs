//! Requests of Uppy clients, and the arrival checks of the janitor, beside the long history.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::TIMES;
use crate::support::app::App;
use crate::support::reply::Reply;

/// Makes uploads of the history those of Uppy clients that had their last arrival check long ago.
pub const HISTORY: &str = "
    UPDATE uploads SET by_uppy = true, arrival_check_at = created_at + interval '1 minute'
    WHERE status <> 'Pending';
";

pub async fn make_requests(app: &App) {
    for n in 0..TIMES {
        let form = app.get(&format!("/s3/params?filename={n}.txt")).await;
        form.expect(StatusCode::OK);
        let file = json!({"filename": format!("{n}.bin")});
        let begun = app.post("/s3/multipart", file).await.expect(StatusCode::OK);
        let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
        let path = |end: &str| {
            format!(
                "/s3/multipart/{}{end}?key={}",
                text("uploadId"),
                text("key")
            )
        };
        app.get(&path("")).await.expect(StatusCode::OK);
        app.get(&path("/1")).await.expect(StatusCode::OK);
        let abort = Reply::of(app.request(Method::DELETE, &path(""))).await;
        abort.expect(StatusCode::OK);
    }
    app.advance(chrono::TimeDelta::seconds(20));
}
