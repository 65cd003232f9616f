//! `src/store/schema.rs` matches the tables that the migrations create.
//!
//! diesel's own generator needs libpq and minutes of compiling. This test reads the same catalogue
//! and fails with the lines that differ. `make schema` generates the file again.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::support::database::{self, Database};

/// Maps the name of a table to its primary key and its columns with their types, in order.
type Tables = BTreeMap<String, String>;

/// The `table!` blocks of a generated schema. Comments and the other macros do not matter here.
fn parse(schema: &str) -> Tables {
    let mut tables = Tables::new();
    for block in schema.split("diesel::table! {").skip(1) {
        // A table with a type that diesel does not know imports it.
        let lines = block.lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with("use "));
        let head = lines.next().expect("a table's name");
        let (name, key) = head.split_once(' ').expect("name (key) {");
        let mut text = format!("{}\n", key.trim_end_matches(" {"));
        for line in lines.take_while(|line| *line != "}") {
            // `#[sql_name]`, `#[max_length]` and comments are not columns.
            if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
                writeln!(text, "{column} -> {kind}").unwrap();
            }
        }
        tables.insert(name.to_owned(), text);
    }
    tables
}

/// The tables of a database, as diesel would write them.
async fn read(url: &str) -> Tables {
    let sql = "
        SELECT c.table_name::text, c.column_name::text, c.udt_name::text, c.is_nullable = 'YES',
               (SELECT string_agg(k.column_name, ', ' ORDER BY k.ordinal_position)
                FROM information_schema.key_column_usage k
                JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name)
                WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_name = c.table_name
                  AND t.table_schema = c.table_schema) AS key
        FROM information_schema.columns c JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
          AND table_name NOT IN ('__diesel_schema_migrations', 'document_pages')
        ORDER BY c.table_name, c.ordinal_position";
    let client = database::connect(url).await;
    let mut tables = Tables::new();
    for row in client.query(sql, &[]).await.expect("the catalogue") {
        let (table, column, kind): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (nullable, key): (bool, Option<String>) = (row.get(3), row.get(4));
        let text = tables
            .entry(table)
            .or_insert_with(|| format!("({})\n", key.unwrap_or_default()));
        writeln!(text, "{column} -> {}", diesel_type(&kind, nullable)).unwrap();
    }
    tables
}

/// Converts the name of a Postgres type to diesel's spelling: `int8` is `Int8`, and `_text` is an
/// array.
fn diesel_type(kind: &str, nullable: bool) -> String {
    let plain = match kind.strip_prefix('_') {
        // The elements of a Postgres array may always be NULL.
        Some(element) => format!("Array<{}>", diesel_type(element, true)),
        None => kind[..1].to_uppercase() + &kind[1..],
    };
    if nullable {
        format!("Nullable<{plain}>")
    } else {
        plain
    }
}

#[tokio::test]
async fn committed_schema_matches_the_migrations() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/schema.rs");
    let committed = parse(&fs::read_to_string(path).expect("src/store/schema.rs"));
    let database = Database::new();
    let made = read(database.url()).await;
    assert!(!made.is_empty(), "the migrations make no table");
    let names: Vec<_> = committed.keys().collect();
    assert_eq!(
        names,
        made.keys().collect::<Vec<_>>(),
        "tables: run `make schema`"
    );
    for (table, columns) in made {
        assert_eq!(committed[&table], columns, "{table}: run `make schema`");
    }
}

#[tokio::test]
async fn schema_comparison_finds_drift_in_type_nullability_order_and_key() {
    let database = Database::empty();
    let client = database::connect(database.url()).await;
    let sql =
        "CREATE TABLE pairs (a int8, b uuid, c text[], d timestamptz NOT NULL, PRIMARY KEY (b, a))";
    client.batch_execute(sql).await.unwrap();
    let made = read(database.url()).await;
    let same = "diesel::table! {\n    pairs (b, a) {\n        a -> Int8,\n        b -> Uuid,\n\
        c -> Nullable<Array<Nullable<Text>>>,\n        d -> Timestamptz,\n    }\n}\n\
        diesel::allow_tables_to_appear_in_same_query!(pairs,);";
    assert_eq!(parse(same), made);
    let drifts = [
        ("a -> Int8", "a -> Int4"),
        ("b -> Uuid", "b -> Nullable<Uuid>"),
        (
            "a -> Int8,\n        b -> Uuid",
            "b -> Uuid,\n        a -> Int8",
        ),
        ("(b, a)", "(a)"),
    ];
    for (from, to) in drifts {
        assert_ne!(parse(&same.replace(from, to)), made, "{from} became {to}");
    }
}
