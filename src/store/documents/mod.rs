//! The tables `documents` and `document_pages`: the text of uploads, page by page.
//!
//! A document belongs to one attempt at a job: its id is the token of the lease. Pages are inserted
//! while the attempt runs, and nothing reads them until the document is published, in the
//! transaction that ends the job.
//!
//! | The worker dies | What remains | Removed by |
//! |---|---|---|
//! | before the end of the job | a document that is not published, with some pages | the janitor, once the job has another lease or none ([`lock_unused`]) |
//! | after the end of the job | a published document | nothing is left to do |
//!
//! | The upload | Its document |
//! |---|---|
//! | is replaced or deleted | is hidden in the same transaction ([`mark_removable`]), and removed by the janitor |
//! | is removed by retention | goes with the row |

mod find;
mod insert;
mod publish;
mod remove;
mod search;

pub use find::{PageRange, find_pages, find_published};
pub use insert::{NewDocument, insert, insert_pages};
pub use publish::publish;
pub use remove::{lock_unused, mark_removable, remove, remove_pages};
pub use search::{Candidates, FoundPage, MATCH_END, MATCH_START, search, use_indexes};
