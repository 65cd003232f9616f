//! Searches the pages of the current datasets of a tenant.
//!
//! | Step | How much |
//! |---|---|
//! | pages that match, of this tenant, by the index | at most [`MAX_MATCHES`] |
//! | those of current uploads in the folders, ranked | at most [`MAX_CANDIDATES`] |
//! | the best of these, with a snippet each | the limit of the caller |

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Float, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::like_pattern::starts_with;
use crate::store::{Connection, Result};

/// The largest number of pages that are ranked. If more match, some of them are not found: a query
/// that matches so many is not specific.
const MAX_CANDIDATES: i64 = 1_000;
/// What precedes a match in a snippet. No text of a page contains it.
pub const MATCH_START: char = '\u{1}';
/// What follows a match in a snippet. No text of a page contains it.
pub const MATCH_END: char = '\u{2}';

/// The pages to search.
#[derive(Clone, Debug)]
pub struct Candidates<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The start of the paths of the uploads.
    pub prefix: Option<&'a str>,
    /// The folder of the uploads.
    pub within: Option<&'a str>,
}

/// A page that matches.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub struct FoundPage {
    /// The path of the dataset.
    #[diesel(sql_type = Text)]
    pub path: String,
    /// The upload of the dataset.
    #[diesel(sql_type = SqlUuid)]
    pub upload_id: Uuid,
    /// The number of the page.
    #[diesel(sql_type = Integer)]
    pub page: i32,
    /// How well it matches: larger is better.
    #[diesel(sql_type = Float)]
    pub rank: f32,
    /// A part of the page, with [`MATCH_START`] and [`MATCH_END`] around the words that match.
    #[diesel(sql_type = Text)]
    pub snippet: String,
}

/// The largest number of matching pages of which it is checked whether the caller may see them.
const MAX_MATCHES: i64 = 100_000;

/// SQL: the best pages for the query `$1`. The steps are separate, so that the planner does not
/// compare all pages of a document one by one, which it does before the table has statistics. The
/// statuses are a literal, as in all queries that need the current upload of a path.
const SEARCH: &str = "WITH query AS MATERIALIZED ( \
         SELECT websearch_to_tsquery('simple', $1) AS words), \
     matched AS MATERIALIZED ( \
         SELECT document_id, page FROM query CROSS JOIN document_pages AS pages \
         WHERE pages.words @@ (query.words && ('''' || E'\\x01' || $2 || '''')::tsquery) \
         LIMIT $7), \
     candidates AS MATERIALIZED ( \
         SELECT matched.document_id, matched.page, uploads.path, uploads.id AS upload_id, \
                (SELECT ts_rank(pages.words, query.words) FROM query CROSS JOIN document_pages AS pages \
                 WHERE pages.document_id = matched.document_id AND pages.page = matched.page) AS rank \
         FROM matched JOIN documents ON documents.id = matched.document_id \
         JOIN uploads ON uploads.id = documents.upload_id \
         WHERE documents.pages IS NOT NULL AND NOT documents.removable \
         AND uploads.tenant = $2 \
         AND uploads.status IN ('Uploaded', 'Processing', 'Processed') \
         AND ($3 IS NULL OR uploads.path LIKE $3) AND ($4 IS NULL OR uploads.path LIKE $4) \
         LIMIT $5), \
     shown AS (SELECT * FROM candidates ORDER BY rank DESC, upload_id DESC, page LIMIT $6) \
     SELECT shown.path, shown.upload_id, shown.page, shown.rank, \
            (SELECT ts_headline('simple', left(pages.text, 60000), query.words, \
                'StartSel=\"' || E'\\x01' || '\", StopSel=\"' || E'\\x02' || '\", \
                MaxWords=35, MinWords=15') FROM query CROSS JOIN document_pages AS pages \
             WHERE pages.document_id = shown.document_id AND pages.page = shown.page) AS snippet \
     FROM shown ORDER BY shown.rank DESC, shown.upload_id DESC, shown.page";

/// Lets the current transaction read tables by their indexes only. The text of pages is stored
/// outside of their table, which therefore seems small: comparing all pages seems cheaper than it
/// is.
pub async fn use_indexes(connection: &mut Connection) -> Result<()> {
    diesel::sql_query("SET LOCAL enable_seqscan = off")
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds at most `limit` pages that match `query`, best first. The query has the syntax of web
/// search engines, and is normalized as the pages are. Call it in a transaction after
/// [`use_indexes`].
pub async fn search(
    connection: &mut Connection,
    query: &str,
    candidates: &Candidates<'_>,
    limit: u16,
) -> Result<Vec<FoundPage>> {
    diesel::sql_query(SEARCH)
        .bind::<Text, _>(query)
        .bind::<Text, _>(candidates.tenant)
        .bind::<Nullable<Text>, _>(candidates.prefix.map(starts_with))
        .bind::<Nullable<Text>, _>(candidates.within.map(starts_with))
        .bind::<BigInt, _>(MAX_CANDIDATES)
        .bind::<BigInt, _>(i64::from(limit))
        .bind::<BigInt, _>(MAX_MATCHES)
        .load(connection)
        .await
}
