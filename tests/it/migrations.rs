//! Migrations can be applied, reverted and applied again, with the same schema as a result.

use upload_broker::store::migrations;

use crate::support::database::{Database, connect};

#[tokio::test]
async fn migrations_can_be_applied_reverted_and_applied_again() {
    let database = Database::empty();
    let applied = migrations::run(database.url()).await.expect("up");
    assert!(!applied.is_empty(), "there is nothing to apply");
    let first = schema_of(&database).await;
    assert!(
        first.iter().any(|line| line.contains("uploads_current")),
        "{first:#?}"
    );

    let reverted = migrations::revert_all(database.url()).await.expect("down");
    assert_eq!(reverted.len(), applied.len());
    let bare = schema_of(&database).await;
    assert!(bare.is_empty(), "left behind: {bare:#?}");

    migrations::run(database.url()).await.expect("up again");
    assert_eq!(schema_of(&database).await, first);
    let again = migrations::run(database.url()).await.expect("up to date");
    assert!(again.is_empty(), "{again:?}");
}

#[tokio::test]
async fn concurrent_replicas_apply_each_migration_once() {
    let alone = migrations::run(Database::empty().url())
        .await
        .expect("a run");
    let database = Database::empty();
    let url = database.url();
    let runs = futures::future::join_all((0..4).map(|_| migrations::run(url))).await;
    let applied: usize = runs.into_iter().map(|run| run.expect("a run").len()).sum();
    assert_eq!(applied, alone.len(), "each migration runs once");
}

/// Every column, constraint, index, function and trigger of this project, as text.
async fn schema_of(database: &Database) -> Vec<String> {
    let sql = "
        SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
          FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE E'\\\\_\\\\_%'
        UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
          FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE E'\\\\_\\\\_%'
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE E'\\\\_\\\\_%'
        UNION ALL SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE 'diesel%'
        UNION ALL SELECT tgname || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        ORDER BY 1";
    let client = connect(database.url()).await;
    let rows = client.query(sql, &[]).await.expect("the catalogue");
    rows.iter().map(|row| row.get(0)).collect()
}
