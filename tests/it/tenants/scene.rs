//! A broker and a tenant `acme` with its own limits.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use upload_broker::domain::quota::Usage;
use upload_broker::store::{Connection, quotas};
use upload_broker::usecases::tenants::{self, Change, Changes, Place};

use crate::support::app::{App, Setup, id};
use crate::support::reply::Reply;
use crate::support::serving::Caller;

pub struct Scene {
    pub app: App,
    /// A caller with every scope in `acme`.
    pub acme: Caller,
}

/// Quotas of these numbers of bytes and open uploads.
pub fn quota(bytes: Option<u64>, open_uploads: Option<u64>) -> Changes {
    let change = |limit: Option<u64>| limit.map_or(Change::Remove, Change::Set);
    Changes {
        quota_bytes: change(bytes),
        quota_open_uploads: change(open_uploads),
        ..Changes::default()
    }
}

impl Scene {
    pub async fn new(limits: Changes) -> Scene {
        Scene::with(Setup::new(), limits).await
    }

    pub async fn with(setup: Setup, limits: Changes) -> Scene {
        Scene::at(setup, Place::default(), limits).await
    }

    pub async fn at(setup: Setup, place: Place, limits: Changes) -> Scene {
        let app = setup.start().await;
        let mut connection = connect(&app).await;
        tenants::create(&mut connection, &app.clock, "acme", place, limits)
            .await
            .expect("a tenant");
        let (_, key) = app.issue_key("acme", &Scope::ALL, None).await;
        let acme = Caller::new(app.url.clone(), key);
        Scene { app, acme }
    }

    /// Changes the tenant.
    pub async fn set(&self, changes: Changes) {
        let mut connection = connect(&self.app).await;
        let set = tenants::set(&mut connection, &self.app.clock, "acme", changes).await;
        set.expect("a change");
    }

    /// The number of database sessions other than the broker's that wait for a lock.
    pub async fn waiting_commands(&self) -> i64 {
        let count = "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock' \
             AND application_name <> 'upload-broker'";
        let row = self.app.sql().await.query_one(count, &[]).await;
        row.expect("a count").get(0)
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        Reply::of(self.acme.request(Method::POST, path).json(&body)).await
    }

    /// Sends `POST /uploads` as acme and returns the answer.
    pub async fn ask(&self, path: &str, more: Value) -> Reply {
        let mut body = json!({"path": path});
        let more = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(more);
        self.post("/uploads", body).await
    }

    /// Creates a session of acme, which must be granted.
    pub async fn create(&self, path: &str, more: Value) -> Value {
        self.ask(path, more).await.expect(StatusCode::CREATED)
    }

    /// Asserts that a create is rejected by a quota and returns the name of the quota.
    pub async fn no_room(&self, path: &str, more: Value) -> String {
        let problem = self.ask(path, more).await;
        let problem = problem.expect_problem(409, "quota-exceeded");
        problem["quota"]["name"]
            .as_str()
            .expect("a name")
            .to_owned()
    }

    /// Uploads a dataset of acme.
    pub async fn upload(&self, path: &str, bytes: &str, more: Value) -> Value {
        let session = self.create(path, more).await;
        self.finish(&session, bytes).await
    }

    /// Sends the bytes of a session and acknowledges it.
    pub async fn finish(&self, session: &Value, bytes: &str) -> Value {
        self.acme.put(session, bytes).await.expect_ok();
        self.acme.acknowledge(session).await.expect(StatusCode::OK)
    }

    pub async fn cancel(&self, session: &Value) {
        let path = format!("/uploads/{}/cancel", id(session));
        self.acme.post_empty(&path).await.expect(StatusCode::OK);
    }

    pub async fn delete(&self, path: &str) {
        let reply = Reply::of(self.acme.request(Method::DELETE, path)).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    }

    /// The bytes and the open uploads that acme uses. The stored usage must equal the counted one.
    #[track_caller]
    pub fn used(&self) -> impl Future<Output = (u64, u64)> {
        let place = std::panic::Location::caller();
        async move {
            let mut connection = connect(&self.app).await;
            // Both are read from one snapshot, because the broker may change them meanwhile.
            let mut transaction = connection.build_transaction().repeatable_read();
            let both = transaction.run(async |connection| {
                let kept = usage(connection, true).await;
                Ok::<_, diesel::result::Error>((kept, usage(connection, false).await))
            });
            let (kept, counted) = both.await.expect("a snapshot");
            assert_eq!(kept, counted, "at {place}");
            (kept.bytes, kept.open_uploads)
        }
    }
}

async fn usage(connection: &mut Connection, kept: bool) -> Usage {
    quotas::usage(connection, "acme", kept)
        .await
        .expect("a sum")
}

/// A database connection for the test itself.
pub async fn connect(app: &App) -> Connection {
    let connection = upload_broker::store::pool::connect(app.database.url()).await;
    connection.expect("Postgres")
}
