//! Reads the fetched text, page by page.

use diesel::sql_types::{BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::text_detection::DetectedText;
use crate::store::{Connection, Result};

#[derive(diesel::QueryableByName)]
struct Size {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// The number of bytes of the text of a job.
pub async fn text_size(connection: &mut Connection, job: Uuid) -> Result<u64> {
    const SIZE: &str = "SELECT coalesce(sum(octet_length(text)), 0)::bigint AS bytes \
         FROM detected_text WHERE job_id = $1";
    let size: Size = diesel::sql_query(SIZE)
        .bind::<SqlUuid, _>(job)
        .get_result(connection)
        .await?;
    Ok(u64::try_from(size.bytes).unwrap_or_default())
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    page: i32,
    #[diesel(sql_type = Text)]
    text: String,
}

/// SQL: the text of the pages after `$2`, up to `$3`. Pages without text are left out.
const PAGES: &str = "SELECT page, string_agg(text, '' ORDER BY answer) AS text FROM detected_text \
     WHERE job_id = $1 AND page > $2 AND page <= $3 GROUP BY page ORDER BY page";

/// Finds the text of the pages after `after`, up to `last`, in their order. Pages without text are left
/// out.
pub async fn find_text(
    connection: &mut Connection,
    job: Uuid,
    after: u32,
    last: u32,
) -> Result<Vec<DetectedText>> {
    let number = |page: u32| i32::try_from(page).unwrap_or(i32::MAX);
    let rows: Vec<Row> = diesel::sql_query(PAGES)
        .bind::<SqlUuid, _>(job)
        .bind::<Integer, _>(number(after))
        .bind::<Integer, _>(number(last))
        .load(connection)
        .await?;
    let texts = rows.into_iter().map(|row| DetectedText {
        page: u32::try_from(row.page).unwrap_or_default(),
        text: row.text,
    });
    Ok(texts.collect())
}
