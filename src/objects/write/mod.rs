//! Writes a local file as the object of an upload, as a client does with the URLs of a session.
//!
//! The request has exactly the headers that are signed into a client's URL: the upload id, the
//! type, the condition on an existing object, the checksum, the encryption. So the object is proven
//! like any other.
//!
//! | Fault | What happens |
//! |---|---|
//! | the connection breaks, or the store answers with a server error | the same bytes are sent again, with a back-off |
//! | the store stays away | a [`StoreError`](super::StoreError), after some 20 s |
//! | the answer to a PUT is lost | the next attempt may find the object of the first: [`Written::PreconditionFailed`]. A HEAD request shows which it is. |
//! | the answer to a part is lost | the part is sent again, and the last one counts |
//! | the file is shorter than stated, or the disk fails | an error: the store discards the request |

mod body;
mod checksum;
mod part;
mod put;
mod retry;

pub use checksum::checksum_of;
pub use part::WriteParts;
pub use put::Written;
