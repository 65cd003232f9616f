//! `POST /uploads/{id}/acknowledge`.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use super::wire::Upload;
use crate::domain::audit::{Action, Deed};
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::extract::path::UploadId;
use crate::http::noted::Noted as _;
use crate::http::openapi::examples;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::{Checksum, bytes};
use crate::usecases::Broker;
use crate::usecases::uploads::acknowledge::{self, Claims};

/// A body with the claims of an acknowledge beside its own members: serde cannot both flatten a
/// struct and refuse members that it does not know.
macro_rules! with_claims {
    ($(#[$meta:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($own)*
            /// A new name.
            name: Option<String>,
            /// New comments.
            comments: Option<String>,
            /// New metadata, in place of the old.
            metadata: Option<BTreeMap<String, String>>,
            /// Of the whole object; compared with what the store returns.
            checksum: Option<Checksum>,
            /// Bytes; compared with what the store returns.
            #[serde(default, deserialize_with = "bytes")]
            #[schema(minimum = 0)]
            size: Option<u64>,
            /// The ETag that S3 answered to the PUT.
            etag: Option<String>,
        }

        impl From<$name> for Claims {
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

with_claims! {
    /// What the client knows only now. Everything is optional.
    #[derive(Default)]
    Acknowledge {}
}

with_claims! {
    /// An upload to acknowledge, and what the client knows only now.
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

/// The handler.
#[utoipa::path(post, path = PATH, operation_id = "acknowledgeUpload", tag = "Uploads",
    summary = "Acknowledge an upload",
    description = "The bytes are there: the broker looks at the object, proves that it is what was promised, marks the upload Uploaded and tells SNS. Again, or many at once: the same answer and one event. While the object is missing the upload stays Pending and may be acknowledged again.",
    security(("bearer" = ["uploads:write"])),
    params(("id" = uuid::Uuid, Path, description = "The id of the upload")),
    request_body(content = Option<Acknowledge>, description = "May be left out", example = json!(example_request())),
    responses((status = 200, description = "The session, proven", body = Upload, example = json!(examples::uploaded()))))]
pub async fn acknowledge(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    id: UploadId,
    body: OptionalJson<Acknowledge>,
) -> Result<HttpResponse, Problem> {
    let upload = acknowledge::by_id(&broker, &caller, id.0, body.0.into()).await?;
    let deed = Deed::of(Action::UploadAcknowledged, &upload);
    Ok(HttpResponse::Ok().json(Upload::from(upload)).noted(deed))
}

/// The example of the body, for both ways to acknowledge one upload.
pub fn example_request() -> Value {
    json!({"comments": "Checked by hand", "etag": "\"9b2cf535f27731c974343645a3985328\""})
}
