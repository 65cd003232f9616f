//! Database migrations, which are embedded in the binary.
//!
//! Replicas that start at the same time run migrations one after the other, because of an advisory
//! lock. Diesel runs each migration in a transaction, so a crash leaves the schema as it was before
//! that migration.

use diesel::migration::{Migration, MigrationSource as _};
use diesel::pg::Pg;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl as _, SimpleAsyncConnection as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::pool::{ConnectError, connect};
use super::{Connection, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
/// The number of the lock is arbitrary. It must not be used by another program in the same
/// database.
const LOCK: &str = "SELECT pg_advisory_lock(7251034511)";

/// Why the schema could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres cannot be reached.
    #[error("cannot connect to Postgres")]
    Connect(#[from] ConnectError),
    /// Another process holds the lock, or the connection was closed.
    #[error("cannot take the migration lock")]
    Lock(#[from] diesel::result::Error),
    /// A migration failed. The schema is as it was before that migration.
    #[error("a migration failed: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
    /// The thread that ran the migrations panicked.
    #[error("the migration thread panicked")]
    Thread(#[from] tokio::task::JoinError),
}

/// Runs the pending migrations, and returns the names of those that were applied.
///
/// The migration harness blocks its thread and needs a multi-threaded runtime for that, so it gets
/// a runtime of its own.
pub async fn run(database_url: &str) -> std::result::Result<Vec<String>, MigrateError> {
    on_own_runtime(database_url, |harness| {
        let applied = harness.run_pending_migrations(MIGRATIONS)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Reverts all migrations, the newest first. All rows are lost.
pub async fn revert_all(database_url: &str) -> std::result::Result<Vec<String>, MigrateError> {
    on_own_runtime(database_url, |harness| {
        let reverted = harness.revert_all_migrations(MIGRATIONS)?;
        Ok(reverted.iter().map(ToString::to_string).collect())
    })
    .await
}

/// How the schema differs from the schema of this binary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The names of the migrations that are not applied yet, the oldest first.
    pub missing: Vec<String>,
    /// The versions of applied migrations that this binary does not know. A newer binary has
    /// applied them.
    pub unknown: Vec<String>,
}

/// Compares the schema with that of this binary, without changes: the query of Diesel itself would
/// create its table if it does not exist.
pub async fn compare(connection: &mut Connection) -> Result<Difference> {
    #[derive(diesel::QueryableByName)]
    struct TableExists {
        #[diesel(sql_type = Bool)]
        exists: bool,
    }
    #[derive(diesel::QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let table = "SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS exists";
    let table: TableExists = diesel::sql_query(table).get_result(connection).await?;
    let applied: Vec<Applied> = if table.exists {
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
            // The lock is released when the connection is closed.
            let mut harness = AsyncMigrationHarness::new(connection);
            work(&mut harness).map_err(MigrateError::Migration)
        })
    })
    .await?
}
