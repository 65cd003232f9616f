//! Documents: the text of uploads, page by page. Workers write it, clients read and search it.
//!
//! | Fault | What readers see |
//! |---|---|
//! | the worker dies while it writes pages | no text, until another attempt has ended |
//! | the lease is lost meanwhile | the text of the attempt that took over |
//! | the upload is replaced or deleted | no text, from the same moment on |

pub mod detection;
pub mod remove;
pub mod search;
pub mod text;
pub mod write;
