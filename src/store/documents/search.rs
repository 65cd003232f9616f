//! Searches the pages of the current datasets of a tenant.
//!
//! | Step | How much |
//! |---|---|
//! | pages that match, in the folder of the caller, by the index | at most [`MAX_MATCHES`] |
//! | those of current uploads with the prefix, ranked | at most [`MAX_CANDIDATES`] |
//! | the best of these, with a snippet each | the limit of the caller |

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Float, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::document::search_folders;
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

/// The largest number of matching pages in the folder of which it is checked whether they are those
/// of current uploads with the prefix.
const MAX_MATCHES: i64 = 100_000;

/// SQL: the best pages for the query `$1`. The steps are separate, so that the planner does not
/// compare all pages of a document one by one, which it does before the table has statistics; and
/// the upload of each page is found by its id, whatever the planner expects (`OFFSET 0`). The
/// statuses are a literal, as in all queries that need the current upload of a path.
const SEARCH: &str = "WITH query AS MATERIALIZED (SELECT search_query($1) AS words), \
     matched AS MATERIALIZED ( \
         SELECT document_id, page FROM query CROSS JOIN document_pages AS pages \
         WHERE numnode(query.words) > 0 AND pages.words @@ (query.words && $8::tsquery) \
         LIMIT $7), \
     candidates AS MATERIALIZED ( \
         SELECT matched.document_id, matched.page, current.path, current.upload_id, \
                (SELECT ts_rank(pages.words, query.words) FROM query CROSS JOIN document_pages AS pages \
                 WHERE pages.document_id = matched.document_id AND pages.page = matched.page) AS rank \
         FROM matched CROSS JOIN LATERAL ( \
             SELECT uploads.path, uploads.id AS upload_id \
             FROM documents JOIN uploads ON uploads.id = documents.upload_id \
             WHERE documents.id = matched.document_id \
             AND documents.pages IS NOT NULL AND NOT documents.removable \
             AND uploads.tenant = $2 \
             AND uploads.status IN ('Uploaded', 'Processing', 'Processed') \
             AND ($3 IS NULL OR uploads.path LIKE $3) AND ($4 IS NULL OR uploads.path LIKE $4) \
             OFFSET 0) AS current \
         LIMIT $5), \
     shown AS (SELECT * FROM candidates ORDER BY rank DESC, upload_id DESC, page LIMIT $6) \
     SELECT shown.path, shown.upload_id, shown.page, shown.rank, \
            (SELECT displayed_text(ts_headline('simple', searchable_text(pages.text), query.words, \
                'StartSel=\"' || E'\\x01' || '\", StopSel=\"' || E'\\x02' || '\", \
                MaxWords=35, MinWords=15')) FROM query CROSS JOIN document_pages AS pages \
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

/// The folder in which all candidates are, as an operand of a query. A page of another folder or
/// tenant does not count, not even as a match.
fn folder_operand(candidates: &Candidates<'_>) -> String {
    let starts = [candidates.prefix, candidates.within];
    let longest = starts.into_iter().flatten().max_by_key(|start| start.len());
    let folder = search_folders(candidates.tenant, longest.unwrap_or("/")).pop();
    let folder = folder.unwrap_or_default();
    format!("'{}'", folder.replace('\\', r"\\").replace('\'', "''"))
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
        .bind::<Text, _>(folder_operand(candidates))
        .load(connection)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_of_the_candidates_is_quoted() {
        let operand = |prefix, within| {
            folder_operand(&Candidates {
                tenant: "acme",
                prefix,
                within,
            })
        };
        assert_eq!(operand(None, None), "'\u{1}acme/'");
        assert_eq!(operand(Some("/in/re"), None), "'\u{1}acme/in/'");
        assert_eq!(operand(Some("/i"), Some("/in/")), "'\u{1}acme/in/'");
        assert_eq!(operand(Some("/in/a/b"), Some("/in/")), "'\u{1}acme/in/a/'");
        let quoted = r"'acme/o''neil\\x/'".replace("acme", "\u{1}acme");
        assert_eq!(operand(Some(r"/o'neil\x/"), None), quoted);
    }
}
