//! Statements that no migration can hold: they make the database that migrations run in.

use futures::future::{Either, select};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use super::error::Error;

/// Makes the database `name` through a connection to `url`, unless it exists.
pub(super) async fn ensure_database(url: &str, name: &str) -> Result<(), Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let work = std::pin::pin!(create(&client, name));
    // The connection moves the bytes for the client; it ends first only when it breaks.
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
    let made = client
        .batch_execute(&format!("CREATE DATABASE \"{quoted}\""))
        .await;
    match made {
        // There is no CREATE DATABASE IF NOT EXISTS.
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_DATABASE) => Ok(()),
        other => other,
    }
}
