//! `POST /tokens`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::domain::audit::{Action, Deed};
use crate::domain::principal::Scope;
use crate::domain::refusal::Code;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::noted::Noted as _;
use crate::http::openapi::schemas;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::{Time, bytes};
use crate::usecases::Broker;
use crate::usecases::identity::tokens::{self, NewToken};

/// What the token shall be good for. Everything is optional.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// The folder that it opens, with or without its slashes; by default all that you may reach.
    #[schema(example = "/in/")]
    prefix: Option<String>,
    /// What it may do; by default `uploads:write`. You need to hold each of them.
    #[schema(schema_with = schemas::token_scopes)]
    scopes: Option<Vec<String>>,
    /// How long it lives, in seconds; by default 900, and no longer than your own credential.
    #[schema(minimum = 1, maximum = 86400, example = 900)]
    expires_in: Option<u32>,
    /// Uploads that it may make, refused ones aside; by default any number.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 1, example = 10)]
    max_uploads: Option<u64>,
    /// Bytes of all of them together, as they are declared: each has to declare its size then. By
    /// default any number.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 1, example = 1000000000)]
    max_bytes: Option<u64>,
}

/// A new token. It is shown this once.
#[derive(Serialize, ToSchema)]
pub struct Token {
    /// For `Authorization: Bearer`, or for `/t/{token}/…`. A credential: keep it secret.
    #[serde(serialize_with = "once")]
    #[schema(value_type = String, example = "ubt_eyJ0ZW5hbnQi.c2lnbmF0dXJl")]
    pub token: SecretString,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Time,
}

const PATH: &str = "/tokens";

#[derive(OpenApi)]
#[openapi(paths(create))]
struct ApiDoc;

/// The declaration of this operation.
pub const OPERATION: Operation = Operation {
    path: PATH,
    route: || web::post().to(create),
    document: ApiDoc::openapi,
    problems: &[Refused(Code::InvalidRequest), Refused(Code::TokenTooWide)],
};

/// The handler.
#[utoipa::path(post, path = PATH, operation_id = "createToken", tag = "Tokens",
    summary = "Make an upload token",
    description = "For a browser, or whoever else shall do a little for a while: one folder, some scopes, so many uploads and bytes. It never opens more than the credential that asks for it, ends with that, and cannot be taken back by itself. It travels as a bearer token, or in the path where a client can send no header: `/t/{token}/uploads` is `/uploads`, and so on; the paths in such an answer begin with `/t/{token}` too. Each upload that is made with it counts, what becomes of it does not matter.",
    security(("bearer" = ["uploads:write"])),
    request_body(content = Option<CreateToken>, description = "May be left out", example = json!(example_request())),
    responses((status = 201, description = "The token", body = Token, example = json!(example_response()))))]
pub async fn create(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    body: OptionalJson<CreateToken>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let scopes = scopes(body.scopes)?;
    for scope in &scopes {
        caller.must_also(*scope)?;
    }
    let new = NewToken {
        prefix: body.prefix,
        scopes,
        expires_in: body.expires_in,
        max_uploads: body.max_uploads,
        max_bytes: body.max_bytes,
    };
    let minted = tokens::mint(&broker, &caller, new).await?;
    let subject = format!("token:{}", minted.fingerprint);
    let path = minted.prefix.as_ref().map(ToString::to_string);
    let deed = Deed {
        path: Some(path.unwrap_or_else(|| "/".to_owned())),
        ..Deed::to(Action::TokenCreated, subject).until(minted.expires_at)
    };
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Token {
            token: minted.token,
            expires_at: minted.expires_at.into(),
        })
        .noted(deed))
}

/// Straight into the answer. That is the server's buffer and the client's: not ours to wipe.
fn once<S: Serializer>(token: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose_secret())
}

fn scopes(names: Option<Vec<String>>) -> Result<Vec<Scope>, Problem> {
    let Some(names) = names else {
        return Ok(vec![Scope::UploadsWrite]);
    };
    let mut scopes = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let scope: Scope = name.parse().map_err(|_| {
            let all = Scope::FOR_TOKENS.map(Scope::as_str).join(", ");
            Problem::field(&format!("/scopes/{at}"), format!("must be one of {all}"))
        })?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

fn example_request() -> Value {
    json!({
        "prefix": "/in/", "scopes": ["uploads:write"], "expires_in": 900,
        "max_uploads": 10, "max_bytes": 1_000_000_000,
    })
}

fn example_response() -> Value {
    json!({"token": "ubt_eyJ0ZW5hbnQi.c2lnbmF0dXJl", "expires_at": "2025-03-01T10:15:00.000Z"})
}
