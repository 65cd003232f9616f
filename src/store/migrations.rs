//! Migrations, embedded in the binary.
//!
//! Replicas that start together take turns: diesel runs each migration in a transaction, and an
//! advisory lock lets one run at a time. A crash in the middle leaves the schema as it was.

use diesel::migration::{Migration, MigrationSource as _};
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl as _, SimpleAsyncConnection as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::pool::{ConnectError, connect};
use super::{Connection, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
/// Any number will do, as long as nobody else in the database uses it.
const LOCK: &str = "SELECT pg_advisory_lock(7251034511)";

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres cannot be reached.
    #[error("cannot connect to Postgres")]
    Connect(#[from] ConnectError),
    /// Another process holds the lock, or the connection went away.
    #[error("cannot take the migration lock")]
    Lock(#[from] diesel::result::Error),
    /// A migration failed; the schema is as it was before that one.
    #[error("a migration failed: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
    /// The thread that ran the migrations died.
    #[error("the migration thread died")]
    Thread(#[from] tokio::task::JoinError),
}

/// Brings the schema up to date and names what was applied.
///
/// The harness blocks its thread and needs a multi-thread runtime for that, so it gets one of
/// its own, whatever the caller runs on.
pub async fn run(database_url: &str) -> std::result::Result<Vec<String>, MigrateError> {
    on_own_runtime(database_url, |harness| {
        let applied = harness.run_pending_migrations(MIGRATIONS)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Takes every migration back, the newest first. Every row is lost.
pub async fn revert_all(database_url: &str) -> std::result::Result<Vec<String>, MigrateError> {
    on_own_runtime(database_url, |harness| {
        let reverted = harness.revert_all_migrations(MIGRATIONS)?;
        Ok(reverted.iter().map(ToString::to_string).collect())
    })
    .await
}

/// How the schema differs from the one that this binary is made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Migrations that are not applied yet, by name, the oldest first.
    pub missing: Vec<String>,
    /// Versions that are applied, and that this binary does not know: a newer one has been here.
    pub unknown: Vec<String>,
}

/// Compares the schema with this binary, and changes nothing: diesel's own question would make its
/// table where there is none.
pub async fn compare(connection: &mut Connection) -> Result<Difference> {
    #[derive(diesel::QueryableByName)]
    struct There {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    #[derive(diesel::QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let table = "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS there";
    let table: There = diesel::sql_query(table).get_result(connection).await?;
    let applied: Vec<Applied> = if table.there {
        let all =
            "SELECT version::text AS version FROM __diesel_schema_migrations ORDER BY version";
        diesel::sql_query(all).load(connection).await?
    } else {
        Vec::new()
    };
    let known: Vec<Box<dyn Migration<Pg>>> =
        (MIGRATIONS.migrations()).map_err(diesel::result::Error::QueryBuilderError)?;
    let mut known: Vec<_> = known
        .iter()
        .map(|migration| {
            (
                migration.name().version().to_string(),
                migration.name().to_string(),
            )
        })
        .collect();
    known.sort();
    let missing = known
        .iter()
        .filter(|(version, _)| applied.iter().all(|row| row.version != *version));
    let unknown = applied
        .iter()
        .filter(|row| known.iter().all(|(version, _)| row.version != *version));
    Ok(Difference {
        missing: missing.map(|(_, name)| name.clone()).collect(),
        unknown: unknown.map(|row| row.version.clone()).collect(),
    })
}

type Harness = AsyncMigrationHarness<super::Connection>;
type Outcome = diesel::migration::Result<Vec<String>>;

async fn on_own_runtime(
    database_url: &str,
    work: fn(&mut Harness) -> Outcome,
) -> std::result::Result<Vec<String>, MigrateError> {
    let url = database_url.to_owned();
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|cause| MigrateError::Migration(cause.into()))?;
        runtime.block_on(async {
            let mut connection = connect(&url).await?;
            connection.batch_execute(LOCK).await?;
            // The lock ends with the connection.
            let mut harness = AsyncMigrationHarness::new(connection);
            work(&mut harness).map_err(MigrateError::Migration)
        })
    })
    .await?
}
