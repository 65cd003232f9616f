//! Creates the database that the migrations run in. A migration cannot do that itself.

use futures::future::{Either, select};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use super::error::Error;

/// Creates the database `name` over a connection to `url`, unless it exists.
pub(super) async fn ensure_database(url: &str, name: &str) -> Result<(), Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let work = std::pin::pin!(create(&client, name));
    // The connection transfers the bytes of the client. It ends before the work only if it fails.
    match select(work, std::pin::pin!(connection)).await {
        Either::Left((done, _)) => Ok(done?),
        Either::Right((broken, work)) => {
            broken?;
            Ok(work.await?)
        }
    }
}

async fn create(client: &Client, name: &str) -> Result<(), tokio_postgres::Error> {
    let quoted = name.replace('"', "\"\"");
    let created = client
        .batch_execute(&format!("CREATE DATABASE \"{quoted}\""))
        .await;
    match created {
        // There is no CREATE DATABASE IF NOT EXISTS.
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
        other => other,
    }
}
