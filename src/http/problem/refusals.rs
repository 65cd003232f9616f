//! The rows of the catalogue for requests that a domain rule rejects.

use crate::domain::refusal::Code;

/// The HTTP status, the code, the title and the explanation.
pub type Row = (u16, &'static str, &'static str, &'static str);

/// Returns the row of a refusal code.
pub fn row(code: Code) -> Row {
    let (status, title, explanation) = match code {
        Code::InvalidRequest => (
            422,
            "The request is invalid",
            "`errors` names each invalid value, by a JSON pointer (RFC 6901) into the body, or by `/` and the name of a parameter.",
        ),
        Code::SizeLimitExceeded => (
            422,
            "The dataset exceeds the size limit",
            "The size exceeds the largest size that your tenant may upload. `detail` names the limit.",
        ),
        Code::ContentTypeNotAllowed => (
            422,
            "The content type is not allowed",
            "Your tenant may upload only datasets with certain content types. `detail` lists them.",
        ),
        Code::DatasetExists => (
            409,
            "An object already exists at the path",
            "The path holds a dataset, or an object that another program wrote. `upload_id` names the upload of the dataset, if there is one. Use another path, delete the dataset, or send `\"overwrite\": true`.",
        ),
        Code::ObjectMissing => (
            409,
            "The object has not arrived yet",
            "The bucket holds no object of this upload. PUT the bytes to the URL in `upload`, then acknowledge again. The upload stays Pending until it expires.",
        ),
        Code::PartsMissing => (
            409,
            "Parts of the upload are missing",
            "This is a multipart upload, and some parts have not arrived. `missing` lists them as ranges that include both ends. Send those parts, then acknowledge again. The upload stays Pending until it expires.",
        ),
        Code::ObjectMismatch => (
            422,
            "The object differs from the declaration",
            "`mismatches` lists each field that differs, with the expected and the actual value. The status of the upload is Error: delete it and create a new one. If parts are wrong, they were not assembled: `upload_status` is Pending, and the parts can be sent again.",
        ),
        Code::InvalidStatus => (
            409,
            "The status of the upload does not allow this operation",
            "The operation is not allowed while the upload has this status. `upload_status` names it.",
        ),
        Code::DatasetDrifted => (
            409,
            "The object is no longer the verified one",
            "Another program replaced the object at the path, or another upload depends on it. `DELETE /uploads/{id}?force=true` deletes the upload and keeps that object; `?force=remove` deletes the object too, unless another upload depends on it. `DELETE /datasets/{path}` succeeds only if no object remains at the path: `?force=remove` deletes the object there.",
        ),
        Code::UploadNotFound => (
            404,
            "The upload does not exist",
            "Your tenant has no upload with this id, or no upload was created for this path.",
        ),
        Code::IdempotencyKeyReused => (
            422,
            "The idempotency key was used for a different request",
            "A request with this `Idempotency-Key` and a different body was made within the last 24 hours, or its upload is still Pending. Send the same body again, or use a new key.",
        ),
        Code::QuotaExceeded => (
            409,
            "The quota of the tenant does not suffice",
            "Your tenant has a quota of bytes, of open uploads, or of both, and this upload would exceed it. `quota` names the quota, its limit, the amount in use and the requested amount. A dataset counts with its size, an open upload with its declared size. The amount in use decreases when an upload is cancelled, expires or fails, and when a dataset is deleted or replaced.",
        ),
        Code::OutsidePrefix => (
            403,
            "The path is outside of the folder of the credential",
            "The credential is restricted to a folder (`path_prefix` of a JWT, `prefix` of an upload token), and the path is not in it. Objects outside of that folder are not visible to the credential.",
        ),
        Code::TokenSpent => (
            403,
            "The allowance of the upload token is used up",
            "The token allows a limited number of uploads and bytes, and what remains is too little for this request. An upload that is cancelled still counts. Request a new token from the service that issued this one.",
        ),
        Code::TokenTooWide => (
            403,
            "The token would have more rights than the credential",
            "An upload token cannot have more rights than the credential that requests it. `errors` names each value that exceeds them.",
        ),
        Code::JobClaimed => (
            409,
            "Another worker has the job",
            "Another worker holds a lease of the job that has not ended. The job is free when the lease ends without a renewal, or when that worker gives it back: send the request again after `Retry-After` seconds.",
        ),
        Code::LeaseLost => (
            409,
            "The job no longer has this lease",
            "The lease ended and another worker took the job, the job was ended or given back, or the dataset was replaced or deleted. Nothing was changed. Stop the work, and remove what it has written.",
        ),
        Code::OutputMissing => (
            422,
            "An output does not exist",
            "Each entry of `outputs` must be the path of a dataset of your tenant. `errors` names the entries without an object. Write them first, then report again.",
        ),
        Code::TextMissing => (
            409,
            "The upload has no text",
            "No text was extracted from the upload: no job of `pdf-text` has succeeded yet, or the dataset was replaced or deleted. `GET /uploads/{id}/jobs` has the jobs of the upload.",
        ),
        Code::TooManyStreams => (
            429,
            "The tenant has too many live streams",
            "The number of live streams of events that a tenant may have open at once is limited in each process of the broker; `detail` names the limit. Close a stream, or try again after `Retry-After` seconds. A stream that its client has left frees its place within half a minute.",
        ),
        Code::ProcessingFailed => (
            409,
            "The processing of the dataset failed",
            "A job of this upload has failed for good, and none is left to run. `GET /uploads/{id}/jobs` has the reason of each job. The object is still at its path. `POST /uploads/{id}/processing/retry` queues the failed jobs again.",
        ),
        Code::DatasetNotFound => (
            404,
            "The dataset does not exist",
            "There is no object at this path.",
        ),
    };
    (status, code.as_str(), title, explanation)
}
