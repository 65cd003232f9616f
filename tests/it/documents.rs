//! Documents: the text of PDF files, from the upload to the search.

mod end_of_worker;
mod hostile;
mod isolation;
mod other_tools;
mod programs;
mod refusals;
mod scene;
mod search;
mod text;
