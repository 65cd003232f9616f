//! `POST /uploads/{id}/acknowledge`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::wire::Upload;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::extract::path::UploadId;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::{Checksum, bytes};
use crate::usecases::Broker;
use crate::usecases::uploads::acknowledge::{self, Expected};

/// Defines the body of an acknowledge: the fields given here, and the values that every acknowledge
/// may have. A macro, because serde cannot both flatten a struct and reject unknown fields.
macro_rules! acknowledge_body {
    ($(#[$meta:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($own)*
            /// Replaces the name.
            name: Option<String>,
            /// Replaces the comments.
            comments: Option<String>,
            /// Replaces the metadata.
            metadata: Option<BTreeMap<String, String>>,
            /// The expected checksum of the whole object. It must equal the one that the store
            /// returns.
            checksum: Option<Checksum>,
            /// The expected size in bytes. It must equal the one that the store returns.
            #[serde(default, deserialize_with = "bytes")]
            #[schema(minimum = 0)]
            size: Option<u64>,
            /// The expected ETag: the one in the response to the PUT.
            etag: Option<String>,
        }

        impl From<$name> for Expected {
            fn from(body: $name) -> Self {
                Self {
                    name: body.name,
                    comments: body.comments,
                    metadata: body.metadata,
                    checksum: body.checksum.map(Checksum::into_pair),
                    size: body.size,
                    etag: body.etag,
                }
            }
        }
    };
}

acknowledge_body! {
    /// Values that the client knows only after the upload. All are optional.
    #[derive(Default)]
    Acknowledge {}
}

acknowledge_body! {
    /// An upload to acknowledge, and values that the client knows only after the upload.
    AcknowledgeOne {
        /// The id of the upload.
        pub(super) id: Uuid,
    }
}

const PATH: &str = "/uploads/{id}/acknowledge";

#[derive(OpenApi)]
#[openapi(paths(acknowledge))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(acknowledge),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::UploadNotFound),
        Refused(Code::InvalidStatus),
        Refused(Code::SizeLimitExceeded),
        Refused(Code::ObjectMissing),
        Refused(Code::PartsMissing),
        Refused(Code::ObjectMismatch),
        Refused(Code::DatasetExists),
    ],
};

/// Acknowledges an upload by its id.
#[utoipa::path(post, path = PATH, operation_id = "acknowledgeUpload", tag = "Uploads",
    summary = "Acknowledge an upload",
    description = "Call this after the PUT. The broker checks that the object at the path is the one that was declared, sets the upload to Uploaded and notifies SNS. Repeated and concurrent calls get the same response and cause one event. While the object is missing, the upload stays Pending and can be acknowledged again.",
    security(("bearer" = ["uploads:write"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    request_body(content = Option<Acknowledge>, description = "May be omitted", example = json!(example_request())),
    responses((status = 200, description = "The upload, which is now Uploaded", body = Upload, example = json!(examples::uploaded()))))]
pub async fn acknowledge(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
    body: OptionalJson<Acknowledge>,
) -> Result<HttpResponse, Problem> {
    let upload = acknowledge::by_id(&broker, &caller, id.0, body.0.into()).await?;
    let details = ActionDetails::on_upload(Action::UploadAcknowledged, &upload);
    Ok(HttpResponse::Ok()
        .json(Upload::from(upload))
        .audited(details))
}

/// The example of the body, for both ways to acknowledge one upload.
pub fn example_request() -> Value {
    json!({"comments": "Checked by hand", "etag": "\"9b2cf535f27731c974343645a3985328\""})
}
