//! `pdf-text` by Amazon Textract: from the upload to the search, with a service that speaks Textract's
//! protocol.

mod answers;
mod doctor;
mod errors;
mod kills;
mod large;
mod notifications;
mod refusals;
mod scene;
mod service;
