//! Documents: the text of PDF files, from the upload to the search.

mod audited;
mod end_of_worker;
mod hostile;
mod isolation;
mod other_tools;
mod programs;
mod refusals;
mod removal;
mod scene;
mod search;
mod text;
mod words;
