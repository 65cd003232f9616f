//! The statements of the text of documents, on tables with many pages.

use super::ask;
use crate::support::app::{App, id};

/// The text of the newest uploads, among them replaced ones.
pub const HISTORY: &str = "
    INSERT INTO documents (id, upload_id, pages, removable, created_at)
    SELECT id, id, 40, status = 'Superseded', created_at FROM uploads
    WHERE status IN ('Uploaded', 'Superseded') ORDER BY id DESC LIMIT 300;
    INSERT INTO document_pages (document_id, page, folders, text)
    SELECT documents.id, page, ARRAY[E'\\x01' || uploads.tenant || '/', E'\\x01' || uploads.tenant || '/data/'],
        'page of all documents, number' || page || ' word'
            || (extract(epoch FROM documents.created_at)::bigint / 60 % 1000)
    FROM documents JOIN uploads ON uploads.id = upload_id, generate_series(1, 40) page;
    UPDATE documents SET removable = false;
";

/// Reads and searches text.
pub async fn make_requests(app: &App) {
    let newest = app.get("/uploads?status=Uploaded&prefix=/data/&limit=1");
    let text = format!("/uploads/{}/text?limit=10", id(&newest.await.json()[0]));
    ask(app, &text).await;
    // Only replaced datasets have the word 800.
    for query in ["number7+word801", "word801&prefix=/data/", "word800"] {
        ask(app, &format!("/search?q={query}")).await;
    }
}
