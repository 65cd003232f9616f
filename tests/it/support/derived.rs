//! Derived datasets: uploads that the broker itself creates for the results of its processors.

use std::sync::Arc;

use serde_json::{Value, json};
use upload_broker::domain::bounds::Bounds;
use upload_broker::domain::jail::Jail;
use upload_broker::domain::principal::{Credential, Principal, Scope};
use upload_broker::usecases::uploads::create::{Created, DerivedFrom, NewUpload, create};

use super::app::{App, id};
use super::shared;

/// Returns a caller of the default tenant who may do everything.
pub fn owner() -> Arc<Principal> {
    Arc::new(Principal {
        tenant: "default".into(),
        jail: Jail::new("", vec![]),
        policy: Arc::default(),
        scopes: Scope::ALL.into(),
        key_id: None,
        credential: Credential::AuthenticationOff,
        bounds: Bounds::default(),
    })
}

impl App {
    /// Creates a Pending upload at `path`, a `.csv` file, that is derived from the upload `source`. Returns its
    /// JSON, without URLs.
    pub async fn create_derived(&self, source: &Value, path: &str) -> Value {
        let new = NewUpload {
            path: path.to_owned(),
            overwrite: Some(true),
            derived_from: Some(DerivedFrom::Known(id(source).parse().expect("an id"))),
            ..NewUpload::default()
        };
        let broker = Arc::clone(&self.broker);
        let made = shared().spawn(async move { create(&broker, &owner(), new, None).await });
        match made.await.expect("the task of the create") {
            Ok(Created::New(session)) => self.read(&json!({"id": session.upload.id})).await,
            other => panic!("not created: {other:?}"),
        }
    }

    /// Uploads a dataset at `path`, a `.csv` file, that is derived from the upload `source`.
    pub async fn derive(&self, source: &Value, path: &str, bytes: &str) -> Value {
        let derived = self.create_derived(source, path).await;
        let key = path.trim_start_matches('/');
        self.bucket
            .put_as(id(&derived), key, bytes, "text/csv")
            .await;
        let acknowledged = self.acknowledge(&derived).await;
        acknowledged.expect(reqwest::StatusCode::OK)
    }
}
