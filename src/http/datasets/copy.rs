//! `POST /datasets/{path}/action/copy`.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::openapi::Object;
use utoipa::{OpenApi, ToSchema};

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::principal::Scope;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::base_path::BasePath;
use crate::http::extract::caller::{Caller, DatasetsRead, UploadsWrite};
use crate::http::extract::idempotency::IdempotencyKey;
use crate::http::extract::json::Json;
use crate::http::extract::path::Dataset;
use crate::http::extract::response_deadline::ResponseDeadline;
use crate::http::openapi::{examples, schemas};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::uploads::wire::Upload;
use crate::usecases::Broker;
use crate::usecases::datasets::copy::{self, Copied, CopyTo, Outcome};

/// The target of a copy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyDataset {
    #[schema(schema_with = path_schema)]
    to: String,
    /// Whether an object at that path may be replaced; false by default.
    overwrite: Option<bool>,
    /// Replace the object at that path only if it has this ETag.
    if_match: Option<String>,
    /// Whether to delete the dataset at its old path once the copy is verified; false by default.
    r#move: Option<bool>,
}

fn path_schema() -> Object {
    schemas::dataset_path(
        "The path of the copy, with or without its leading slash.",
        "/data/new.csv",
    )
}

const PATH: &str = "/datasets/{path}/action/copy";

#[derive(OpenApi)]
#[openapi(paths(copy))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(copy),
    document: ApiDoc::openapi,
    problems: &[
        Refused(Code::InvalidRequest),
        Refused(Code::DatasetNotFound),
        Refused(Code::DatasetExists),
        Refused(Code::DatasetDrifted),
        Refused(Code::InvalidStatus),
        Refused(Code::ObjectMismatch),
        Refused(Code::SizeLimitExceeded),
        Refused(Code::ContentTypeNotAllowed),
        Refused(Code::QuotaExceeded),
        Refused(Code::IdempotencyKeyReused),
        Refused(Code::OutsidePrefix),
        Refused(Code::TokenSpent),
    ],
};

/// Copies or moves a dataset.
#[utoipa::path(post, path = PATH, operation_id = "copyDataset", tag = "Datasets",
    summary = "Copy or move a dataset",
    description = "The store copies the bytes, in parts if there are more than `BROKER_COPY_THRESHOLD_BYTES`. The copy is an upload like any other: it has the name, comments, metadata and headers of the dataset, a verification and an event of its own. A dataset that has drifted is not copied. With `move`, which also requires the scope `datasets:delete`, the upload at the old path is deleted once the copy is verified; a newer dataset at the old path is kept. A copy that exceeds the time limit of a request continues in the background: the response is a 202, and `GET /uploads/{id}` shows when the copy is Uploaded.",
    security(("bearer" = ["uploads:write", "datasets:read"])),
    params(
        ("path" = String, Path, description = "The path of the dataset, which contains slashes", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters. A repeated request with the same key and the same body within 24 hours, or later while the upload is Pending, makes no second copy: it returns the first one, with status 202 while it is Pending.", pattern = "^[!-~]{1,255}$")),
    request_body(content = CopyDataset, example = json!(example_request())),
    responses(
        (status = 201, description = "The copy, which is Uploaded",
            headers(("Location" = String, description = "`/uploads/{id}`")),
            body = Upload, example = json!(example_copied())),
        (status = 200, description = "The copy that an earlier request with this `Idempotency-Key` made",
            headers(("Location" = String, description = "`/uploads/{id}`")),
            body = Upload, example = json!(example_copied())),
        (status = 202, description = "The copy continues in the background",
            headers(("Location" = String, description = "`/uploads/{id}`")),
            body = Upload, example = json!(example_under_way())),
    ))]
pub async fn copy(
    caller: Caller<(UploadsWrite, DatasetsRead)>,
    broker: web::Data<Broker>,
    base: BasePath,
    key: IdempotencyKey,
    path: Dataset,
    deadline: ResponseDeadline,
    body: Json<CopyDataset>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let moves = body.r#move.unwrap_or(false);
    if moves {
        caller.require_scope(Scope::DatasetsDelete)?;
    }
    let asked = CopyTo {
        to: body.to,
        overwrite: body.overwrite,
        if_match: body.if_match,
        moves,
    };
    let (key, until) = (key.0.as_deref(), deadline.0);
    let outcome = copy::copy(&broker, &caller.principal(), &path.0, asked, key, until).await?;
    let (status, upload, removed) = match outcome {
        Outcome::Done(copied) => {
            let Copied {
                upload,
                is_repeated,
                removed,
            } = *copied;
            let status = match is_repeated {
                true => StatusCode::OK,
                false => StatusCode::CREATED,
            };
            (status, upload, removed)
        }
        Outcome::UnderWay(upload) => (StatusCode::ACCEPTED, *upload, None),
    };
    let copied = ActionDetails {
        subject: Some(path.0.as_str().to_owned()),
        ..ActionDetails::on_upload(Action::DatasetCopied, &upload)
    };
    let removed = removed.map(|upload| ActionDetails::on_upload(Action::UploadDeleted, &upload));
    let actions = std::iter::once(copied).chain(removed).collect();
    let location = base.join(&format!("/uploads/{}", upload.id));
    Ok(HttpResponse::build(status)
        .insert_header((header::LOCATION, location))
        .json(Upload::from(upload))
        .audited_all(actions))
}

fn example_request() -> Value {
    json!({"to": "/data/new.csv", "overwrite": false, "move": false})
}

fn example_copied() -> Value {
    at_new_path(examples::uploaded())
}

fn example_under_way() -> Value {
    at_new_path(examples::changed(json!({})))
}

fn at_new_path(mut upload: Value) -> Value {
    let new = json!({"path": "/data/new.csv", "s3_url": "s3://bucket/data/new.csv"});
    if let (Value::Object(upload), Value::Object(new)) = (&mut upload, new) {
        upload.extend(new);
    }
    upload
}
