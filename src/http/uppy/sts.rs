//! `GET /s3/sts`: Companion hands out temporary credentials here, and the broker does not.

use actix_web::{HttpResponse, Resource, web};

use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;

/// The resource, which is no operation of the API: it only says why there is none.
pub fn resource() -> Resource {
    web::resource("/sts").route(web::get().to(refuse))
}

async fn refuse() -> Result<HttpResponse, Problem> {
    Err(Problem::new(
        Kind::NotFound,
        "The broker hands out no credentials for S3: they would permit to write any object of the bucket, without a proof. Use companionEndpoint or signRequest instead of getCredentials.",
    ))
}
