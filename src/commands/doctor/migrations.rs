//! `migrations`: is the database schema the one that this binary needs?

use super::verdict::Verdict;
use crate::config::Database;
use crate::store::Connection;
use crate::store::migrations::compare;

pub(super) async fn check_migrations(database: &Database, connection: &mut Connection) -> Verdict {
    let difference = match compare(connection).await {
        Ok(difference) => difference,
        Err(error) => return Verdict::error(&error, "see the log of Postgres"),
    };
    if !difference.unknown.is_empty() {
        return Verdict::warning(
            format!(
                "a newer version of the broker has migrated the schema: {}",
                difference.unknown.join(", ")
            ),
            "use that version of the broker here, too",
        );
    }
    let missing = difference.missing.join(", ");
    match (difference.missing.len(), database.migrate) {
        (0, _) => Verdict::ok("all migrations are applied"),
        (count, true) => Verdict::warning(
            format!("{count} migrations are not applied: {missing}"),
            "run `upload-broker migrate`; `serve` also does it when it starts (BROKER_MIGRATE)",
        ),
        (count, false) => Verdict::failed(
            format!("{count} migrations are not applied: {missing}"),
            "run `upload-broker migrate`",
        ),
    }
}
