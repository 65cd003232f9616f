//! Finds the published document of an upload, and its pages.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::document::PageText;
use crate::store::schema::documents;
use crate::store::{Connection, Result};

/// Finds the published document of an upload, which the caller may see: its id and its number of
/// pages.
pub async fn find_published(
    connection: &mut Connection,
    upload_id: Uuid,
) -> Result<Option<(Uuid, u32)>> {
    let row: Option<(Uuid, Option<i32>)> = documents::table
        .filter(documents::upload_id.eq(upload_id))
        .filter(documents::pages.is_not_null())
        .filter(documents::removable.eq(false))
        .select((documents::id, documents::pages))
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(|(id, pages)| {
        let pages = pages.and_then(|pages| u32::try_from(pages).ok());
        (id, pages.unwrap_or_default())
    }))
}

/// A range of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRange {
    /// The number of the page before the first one.
    pub after: u32,
    /// The largest number of pages.
    pub limit: u16,
    /// The bytes of text after which no other page is added.
    pub bytes: u32,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    page: i32,
    #[diesel(sql_type = Text)]
    text: String,
}

/// SQL: pages of a document, until their text has so many bytes. Postgres knows the length of a text
/// without reading it.
const PAGES: &str = "SELECT page, text FROM ( \
     SELECT page, text, sum(octet_length(text)) OVER (ORDER BY page) - octet_length(text) AS before \
     FROM (SELECT page, text FROM document_pages WHERE document_id = $1 AND page > $2 \
           ORDER BY page LIMIT $3) AS next) AS summed \
     WHERE before < $4 ORDER BY page";

/// Finds pages of a document, in their order. Pages that could not be read have no text, and are
/// left out.
pub async fn find_pages(
    connection: &mut Connection,
    document: Uuid,
    range: PageRange,
) -> Result<Vec<PageText>> {
    let rows: Vec<Row> = diesel::sql_query(PAGES)
        .bind::<SqlUuid, _>(document)
        .bind::<Integer, _>(i32::try_from(range.after).unwrap_or(i32::MAX))
        .bind::<BigInt, _>(i64::from(range.limit))
        .bind::<BigInt, _>(i64::from(range.bytes))
        .load(connection)
        .await?;
    let pages = rows.into_iter().map(|row| PageText {
        page: u32::try_from(row.page).unwrap_or_default(),
        text: row.text,
    });
    Ok(pages.collect())
}
