//! Reads the text of an upload, page by page.

use uuid::Uuid;

use crate::domain::document::PageText;
use crate::domain::page::{Cursor, Page};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::Connection;
use crate::store::documents::{self, PageRange};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};
use crate::usecases::uploads::find;

/// The bytes of text after which no other page is added to a response.
const RESPONSE_BYTES: u32 = 4 * 1024 * 1024;

/// Which pages to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// One page, by its number.
    One(u32),
    /// Pages in their order.
    From {
        /// The position where the last response ended.
        cursor: Option<Cursor>,
        /// The largest number of pages.
        limit: u16,
    },
}

/// Some pages of a document.
#[derive(Clone, Debug)]
pub struct Text {
    /// The path of the dataset.
    pub path: DatasetPath,
    /// The number of pages of the whole document.
    pub pages: u32,
    /// The pages. Pages that could not be read are left out.
    pub text: Page<PageText>,
}

/// Reads pages of an upload. Refuses an upload without text, and a cursor of another text.
pub async fn text(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    selection: &Selection,
) -> Result<Text> {
    let (range, document) = range(selection)?;
    let mut connection = broker.connection().await?;
    // Otherwise the janitor might remove some of the pages meanwhile.
    let mut snapshot = connection.build_transaction().read_only().repeatable_read();
    snapshot
        .run::<_, Error, _>(async |connection| {
            let upload = find::by_id(connection, principal, id).await?;
            read(connection, upload, selection, range, document).await
        })
        .await
}

async fn read(
    connection: &mut Connection,
    upload: Upload,
    selection: &Selection,
    range: PageRange,
    expected: Option<Uuid>,
) -> Result<Text> {
    let published = match may_have_text(upload.status) {
        true => documents::find_published(connection, upload.id).await?,
        false => None,
    };
    let Some((document, pages)) = published else {
        return Err(Refusal {
            upload_id: Some(upload.id),
            status: Some(upload.status),
            ..Refusal::new(Code::TextMissing, "No text was extracted from the upload.")
        }
        .into());
    };
    if expected.is_some_and(|expected| expected != document) {
        return Err(Refusal::field("/cursor", "belongs to another text").into());
    }
    let mut items = documents::find_pages(connection, document, range).await?;
    let next = match selection {
        Selection::One(page) => {
            items.retain(|found| found.page == *page);
            None
        }
        Selection::From { .. } => (items.last().map(|last| last.page))
            .filter(|last| *last < pages)
            .map(|page| Cursor::DocumentPage { document, page }),
    };
    let text = Page { items, next };
    let path = upload.path;
    Ok(Text { path, pages, text })
}

/// The pages to read, and the document that they must belong to, if there is one.
fn range(selection: &Selection) -> Result<(PageRange, Option<Uuid>)> {
    let (after, limit, document) = match selection {
        Selection::One(page) => (page.saturating_sub(1), 1, None),
        Selection::From { cursor, limit } => match cursor {
            None => (0, *limit, None),
            Some(Cursor::DocumentPage { document, page }) => (*page, *limit, Some(*document)),
            Some(_) => {
                return Err(Refusal::field("/cursor", "belongs to another list").into());
            }
        },
    };
    let bytes = RESPONSE_BYTES;
    let range = PageRange {
        after,
        limit,
        bytes,
    };
    Ok((range, document))
}

/// Whether an upload with this status may have text. One in Error may: another of its processors has
/// failed.
fn may_have_text(status: Status) -> bool {
    matches!(
        status,
        Status::Uploaded | Status::Processing | Status::Processed | Status::Error
    )
}
