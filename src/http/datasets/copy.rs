//! `POST /datasets/{path}/action/copy`.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::openapi::Object;
use utoipa::{OpenApi, ToSchema};

use crate::domain::audit::{Action, Deed};
use crate::domain::principal::Scope;
use crate::domain::refusal::Code;
use crate::http::extract::answer_by::AnswerBy;
use crate::http::extract::base::Base;
use crate::http::extract::caller::{Caller, DatasetsRead, UploadsWrite};
use crate::http::extract::idempotency::IdempotencyKey;
use crate::http::extract::json::Json;
use crate::http::extract::path::Dataset;
use crate::http::noted::Noted as _;
use crate::http::openapi::{examples, schemas};
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::uploads::wire::Upload;
use crate::usecases::Broker;
use crate::usecases::datasets::copy::{self, Copied, CopyTo, Outcome};

/// Where a copy goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyDataset {
    #[schema(schema_with = path_schema)]
    to: String,
    /// Whether what stands there may be replaced; by default not.
    overwrite: Option<bool>,
    /// Replace exactly the version with this ETag.
    if_match: Option<String>,
    /// Whether the dataset is deleted at its old path once the copy is proven; by default not.
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

/// The handler.
#[utoipa::path(post, path = PATH, operation_id = "copyDataset", tag = "Datasets",
    summary = "Copy or move a dataset",
    description = "The store copies the bytes, in parts where there are more than `BROKER_COPY_THRESHOLD_BYTES`. The copy is an upload like any other, with the name, comments, metadata and headers of the dataset, its own proof and its own event. A dataset that is no longer the proven one is not copied. With `move`, which needs the scope `datasets:delete` too, the upload at the old path is deleted once the copy is proven; a newer dataset that came there meanwhile stays. A copy that takes longer than a request may goes on: 202, and `GET /uploads/{id}` shows when it is Uploaded.",
    security(("bearer" = ["uploads:write", "datasets:read"])),
    params(
        ("path" = String, Path, description = "The path of the dataset; it contains slashes", example = "data/employees.csv", min_length = 1, max_length = 1025, pattern = r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters. The same key with the same request within 24 hours, or later while the upload is Pending, copies nothing anew: it answers with the upload that was made, and 202 while that is Pending.", pattern = "^[!-~]{1,255}$")),
    request_body(content = CopyDataset, example = json!(example_request())),
    responses(
        (status = 201, description = "The copy, proven",
            headers(("Location" = String, description = "`/uploads/{id}`")),
            body = Upload, example = json!(example_copied())),
        (status = 200, description = "The copy that an earlier request with this `Idempotency-Key` made",
            headers(("Location" = String, description = "`/uploads/{id}`")),
            body = Upload, example = json!(example_copied())),
        (status = 202, description = "The copy goes on",
            headers(("Location" = String, description = "`/uploads/{id}`")),
            body = Upload, example = json!(example_under_way())),
    ))]
pub async fn copy(
    caller: Caller<(UploadsWrite, DatasetsRead)>,
    broker: web::Data<Broker>,
    base: Base,
    key: IdempotencyKey,
    path: Dataset,
    answer_by: AnswerBy,
    body: Json<CopyDataset>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let moves = body.r#move.unwrap_or(false);
    if moves {
        caller.must_also(Scope::DatasetsDelete)?;
    }
    let asked = CopyTo {
        to: body.to,
        overwrite: body.overwrite,
        if_match: body.if_match,
        moves,
    };
    let (key, until) = (key.0.as_deref(), answer_by.0);
    let outcome = copy::copy(&broker, &caller.principal(), &path.0, asked, key, until).await?;
    let (status, upload, removed) = match outcome {
        Outcome::Done(copied) => {
            let Copied {
                upload,
                before,
                removed,
            } = *copied;
            let status = match before {
                true => StatusCode::OK,
                false => StatusCode::CREATED,
            };
            (status, upload, removed)
        }
        Outcome::UnderWay(upload) => (StatusCode::ACCEPTED, *upload, None),
    };
    let copied = Deed {
        subject: Some(path.0.as_str().to_owned()),
        ..Deed::of(Action::DatasetCopied, &upload)
    };
    let removed = removed.map(|upload| Deed::of(Action::UploadDeleted, &upload));
    let deeds = std::iter::once(copied).chain(removed).collect();
    let location = base.join(&format!("/uploads/{}", upload.id));
    Ok(HttpResponse::build(status)
        .insert_header((header::LOCATION, location))
        .json(Upload::from(upload))
        .noted_all(deeds))
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
