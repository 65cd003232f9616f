//! The rows of the catalogue for what the rules refuse.

use crate::domain::refusal::Code;

/// Status, code, title and explanation.
pub type Row = (u16, &'static str, &'static str, &'static str);

/// The row of a refusal.
pub fn row(code: Code) -> Row {
    let (status, title, explanation) = match code {
        Code::InvalidRequest => (
            422,
            "Something in the request is not as it must be",
            "`errors` points at each fault: a JSON pointer (RFC 6901) into the body, or `/` and the name of a parameter.",
        ),
        Code::SizeLimitExceeded => (
            422,
            "The dataset is over the size limit",
            "The size is larger than your tenant may upload here. `detail` names the limit.",
        ),
        Code::ContentTypeNotAllowed => (
            422,
            "The content type is not on the list",
            "Your tenant may upload datasets of certain content types only. `detail` names them.",
        ),
        Code::DatasetExists => (
            409,
            "Something stands at that path",
            "A dataset, or an object of someone else, stands at the path. `upload_id` names its upload where there is one. Take another path, delete the dataset, or send `\"overwrite\": true`.",
        ),
        Code::ObjectMissing => (
            409,
            "The bytes are not there yet",
            "No object of this upload was found in the bucket. PUT it to the URL in `upload`, then acknowledge again; the upload stays Pending until it expires.",
        ),
        Code::PartsMissing => (
            409,
            "Not all parts are there yet",
            "The upload comes in parts, and some have not come. `missing` names them, as ranges with both ends. Send those, then acknowledge again; the upload stays Pending until it expires.",
        ),
        Code::ObjectMismatch => (
            422,
            "What came is not what was declared",
            "The object differs from the declaration; `mismatches` names each field with what was expected and found. The upload is in Error; delete it and start a new one. Where parts are wrong, nothing was made of them: `upload_status` is Pending then, and they can be sent anew.",
        ),
        Code::InvalidStatus => (
            409,
            "The upload is in another state",
            "The state of the upload, named by `upload_status`, does not allow this operation.",
        ),
        Code::DatasetDrifted => (
            409,
            "The object is no longer the proven one",
            "The object at the path was replaced without the broker, or another upload counts on it. `DELETE /uploads/{id}?force=true` deletes the upload and leaves that object alone; `?force=remove` removes the object too, unless another upload counts on it. `DELETE /datasets/{path}` succeeds only where nothing is left at the path: `?force=remove` removes what stands there.",
        ),
        Code::UploadNotFound => (
            404,
            "There is no such upload",
            "No upload of your tenant has this id, or none was made for this path.",
        ),
        Code::IdempotencyKeyReused => (
            422,
            "The idempotency key belongs to another request",
            "A request with this `Idempotency-Key` but another body was made within the last 24 hours, or its upload is still Pending. Send the same body again, or take a new key.",
        ),
        Code::QuotaExceeded => (
            409,
            "There is no room for it",
            "Your tenant has a quota of bytes, of open uploads, or of both, and this upload would pass one: `quota` names it, with its limit, what is in use and what was asked for. Datasets count with their size and open uploads with the declared one. Room comes with every upload that is cancelled, expires or fails, and with every dataset that is deleted or replaced.",
        ),
        Code::OutsidePrefix => (
            403,
            "The path is not open to this credential",
            "The credential is confined to a folder (`path_prefix` of a JWT, `prefix` of an upload token), and the path lies elsewhere. What stands elsewhere does not exist for it.",
        ),
        Code::TokenSpent => (
            403,
            "The upload token is used up",
            "The token was good for so many uploads and bytes, and what it was used for leaves too little. Nothing that was made with it is given back, cancelled or not. Ask for another one where this one came from.",
        ),
        Code::TokenTooWide => (
            403,
            "The token would allow more than you may",
            "An upload token opens no more than the credential that asks for it. `errors` points at what is too wide.",
        ),
        Code::DatasetNotFound => (
            404,
            "There is no such dataset",
            "No object stands at this path.",
        ),
    };
    (status, code.as_str(), title, explanation)
}
