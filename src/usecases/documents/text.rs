//! Reads the text of an upload, page by page.

use uuid::Uuid;

use crate::domain::document::PageText;
use crate::domain::page::{Cursor, Page};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Status;
use crate::store::documents::{self, PageRange};
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
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

/// Reads pages of an upload. Refuses an upload without text.
pub async fn text(
    broker: &Broker,
    principal: &Principal,
    id: Uuid,
    selection: &Selection,
) -> Result<Text> {
    let range = range(selection)?;
    let mut connection = broker.connection().await?;
    let upload = find::by_id(&mut connection, principal, id).await?;
    let published = match has_bytes(upload.status) {
        true => documents::find_published(&mut connection, id).await?,
        false => None,
    };
    let Some((document, pages)) = published else {
        return Err(Refusal {
            upload_id: Some(id),
            status: Some(upload.status),
            ..Refusal::new(Code::TextMissing, "No text was extracted from the upload.")
        }
        .into());
    };
    let mut items = documents::find_pages(&mut connection, document, range).await?;
    let next = match selection {
        Selection::One(page) => {
            items.retain(|found| found.page == *page);
            None
        }
        Selection::From { .. } => (items.last().map(|last| last.page))
            .filter(|last| *last < pages)
            .map(Cursor::DocumentPage),
    };
    let text = Page { items, next };
    let path = upload.path;
    Ok(Text { path, pages, text })
}

fn range(selection: &Selection) -> Result<PageRange> {
    let (after, limit) = match selection {
        Selection::One(page) => (page.saturating_sub(1), 1),
        Selection::From { cursor, limit } => match cursor {
            None => (0, *limit),
            Some(Cursor::DocumentPage(page)) => (*page, *limit),
            Some(_) => {
                return Err(Refusal::field("/cursor", "belongs to another list").into());
            }
        },
    };
    Ok(PageRange {
        after,
        limit,
        bytes: RESPONSE_BYTES,
    })
}

/// Whether the object of the upload is a dataset, or was proven to be one before a processor failed.
fn has_bytes(status: Status) -> bool {
    matches!(
        status,
        Status::Uploaded | Status::Processing | Status::Processed | Status::Error
    )
}
