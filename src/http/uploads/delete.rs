//! `DELETE /uploads/{id}`.

use actix_web::{HttpResponse, web};

use crate::domain::audit::{Action, Deed};
use crate::http::extract::caller::{Caller, DatasetsDelete};
use crate::http::extract::path::UploadId;
use crate::http::extract::query::{FromParams, Params, Query};
use crate::http::noted::Noted as _;
use crate::http::problem::Problem;
use crate::usecases::{Broker, delete};

/// `?force=true`.
#[derive(Debug)]
pub struct Force(pub bool);

impl FromParams for Force {
    const NAMES: &'static [&'static str] = &["force"];

    fn from_params(params: &Params) -> Result<Self, Problem> {
        Ok(Self(params.flag("force")?.unwrap_or(false)))
    }
}

/// The handler.
#[utoipa::path(delete, path = "/uploads/{id}", operation_id = "deleteUpload", tag = "Uploads",
    summary = "Delete an upload and its object",
    description = "Only one that is Uploaded, Processed or Error. The object goes too if it is this upload's own; where something else stands there, `force=true` ends the upload and leaves the object alone.",
    security(("bearer" = ["datasets:delete"])),
    params(
        ("id" = uuid::Uuid, Path, description = "The id of the upload"),
        ("force" = Option<bool>, Query, description = "Also where the object is no longer the proven one"),
    ),
    responses((status = 204, description = "It is gone")))]
pub async fn delete(
    caller: Caller<DatasetsDelete>,
    broker: web::Data<Broker>,
    id: UploadId,
    query: Query<Force>,
) -> Result<HttpResponse, Problem> {
    let Query(Force(force)) = query;
    let upload = delete::by_id(&broker, &caller, id.0, force).await?;
    let deed = Deed::of(Action::UploadDeleted, &upload);
    Ok(HttpResponse::NoContent().finish().noted(deed))
}
