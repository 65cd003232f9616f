//! Publishes a document, in the transaction that ends its job.
//!
//! A job that has succeeded never runs again, and an upload has one job of a processor. So there is
//! no earlier document that this one replaces; if there were, the unique index would refuse this one.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::store::schema::documents;
use crate::store::{Connection, Result};

/// Publishes the document with the id `token`, which has `pages` pages. The caller has locked the row of
/// the upload.
///
/// # Errors
/// `NotFound` if there is no such document.
pub async fn publish(
    connection: &mut Connection,
    upload_id: Uuid,
    token: Uuid,
    pages: u32,
) -> Result<()> {
    let pages = i32::try_from(pages).unwrap_or(i32::MAX);
    let this = documents::table
        .filter(documents::id.eq(token))
        .filter(documents::upload_id.eq(upload_id));
    let published = diesel::update(this)
        .set(documents::pages.eq(pages))
        .execute(connection)
        .await?;
    match published {
        0 => Err(diesel::result::Error::NotFound),
        _ => Ok(()),
    }
}
