//! The tables `text_detections` and `detected_text`: how far Amazon Textract is with the document of a
//! job, and the text that was fetched from it so far.
//!
//! A worker writes under the lease of its job: a write of a worker whose job was taken over,
//! cancelled or given back changes nothing, and returns `false`.
//!
//! | The worker dies | What remains | Who continues |
//! |---|---|---|
//! | between the start of a run and [`save_run`] | nothing | the next attempt, whose start has the same token and returns the same run |
//! | between two answers | the text of the first ones, and the token of the next one | the next attempt |
//! | after the last answer | the whole text | the next attempt, without calls |
//!
//! The rows of a job go when it succeeds, or when its upload is replaced or deleted.

mod answers;
mod find;
mod leased_job;
mod remove;
mod run;
mod text;
mod wake;

pub use answers::{NewAnswer, add_answer, discard_answers};
pub use find::find;
pub use leased_job::LeasedJob;
pub use remove::{remove, remove_of_uploads};
pub use run::{forget_run, save_run};
pub use text::{find_text, text_size};
pub use wake::{Woken, wake};
