//! Images become thumbnails through the API alone, and hostile ones become failures with a reason.

mod corpus;
mod hostile;
mod scene;
mod thumbnails;
