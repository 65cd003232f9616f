//! `POST /tokens`.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::{OpenApi, ToSchema};

use crate::domain::audit::{Action, ActionDetails};
use crate::domain::principal::Scope;
use crate::domain::refusal::Code;
use crate::http::audited::Audited as _;
use crate::http::extract::caller::{Caller, UploadsWrite};
use crate::http::extract::json::OptionalJson;
use crate::http::openapi::schemas;
use crate::http::operation::Operation;
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind::Refused;
use crate::http::wire::{Time, bytes};
use crate::usecases::Broker;
use crate::usecases::identity::tokens::{self, NewToken};

/// The rights of the new token. All fields are optional.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// The folder that the token is restricted to, with or without its slashes; by default the
    /// folder of your own credential.
    #[schema(example = "/in/")]
    prefix: Option<String>,
    /// The scopes of the token; `uploads:write` by default. Your credential must have each of them.
    #[schema(schema_with = schemas::token_scopes)]
    scopes: Option<Vec<String>>,
    /// The lifetime in seconds; 900 by default. A token never outlives your own credential.
    #[schema(minimum = 1, maximum = 86400, example = 900)]
    expires_in: Option<u32>,
    /// The number of uploads that may be created with the token; unlimited by default. A rejected
    /// create does not count.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 1, example = 10)]
    max_uploads: Option<u64>,
    /// The total declared size in bytes of those uploads; unlimited by default. If it is set, each
    /// upload must declare its size.
    #[serde(default, deserialize_with = "bytes")]
    #[schema(minimum = 1, example = 1000000000)]
    max_bytes: Option<u64>,
}

/// A new token. It cannot be retrieved again.
#[derive(Serialize, ToSchema)]
pub struct Token {
    /// The token, for `Authorization: Bearer` or for `/t/{token}/…`. It is a credential: keep it
    /// secret.
    #[serde(serialize_with = "expose_once")]
    #[schema(value_type = String, example = "ubt_eyJ0ZW5hbnQi.c2lnbmF0dXJl")]
    pub token: SecretString,
    /// When the token expires.
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

/// Creates an upload token.
#[utoipa::path(post, path = PATH, operation_id = "createToken", tag = "Tokens",
    summary = "Create an upload token",
    description = "Creates a short-lived credential with few rights, for example for a browser: one folder, some scopes, a limited number of uploads and bytes. A token never has more rights than the credential that requests it, expires with it, and cannot be revoked on its own. Send it as a bearer token, or in the path if the client cannot send headers: `/t/{token}/uploads` is `/uploads`, and so on; the paths in the response then start with `/t/{token}` too. Each upload that is created with the token counts against its limits, whatever its later status.",
    security(("bearer" = ["uploads:write"])),
    request_body(content = Option<CreateToken>, description = "May be omitted", example = json!(example_request())),
    responses((status = 201, description = "The token", body = Token, example = json!(example_response()))))]
pub async fn create(
    caller: Caller<UploadsWrite>,
    broker: web::Data<Broker>,
    body: OptionalJson<CreateToken>,
) -> Result<HttpResponse, Problem> {
    let body = body.0;
    let scopes = scopes(body.scopes)?;
    for scope in &scopes {
        caller.require_scope(*scope)?;
    }
    let new = NewToken {
        prefix: body.prefix,
        scopes,
        expires_in: body.expires_in,
        max_uploads: body.max_uploads,
        max_bytes: body.max_bytes,
    };
    let issued = tokens::issue(&broker, &caller, new).await?;
    let subject = format!("token:{}", issued.fingerprint);
    let path = issued.prefix.as_ref().map(ToString::to_string);
    let details = ActionDetails {
        path: Some(path.unwrap_or_else(|| "/".to_owned())),
        ..ActionDetails::on_subject(Action::TokenCreated, subject).expiring_at(issued.expires_at)
    };
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Token {
            token: issued.token,
            expires_at: issued.expires_at.into(),
        })
        .audited(details))
}

/// Writes the token into the response. The buffer belongs to the server and the client, so that it
/// cannot be wiped here.
fn expose_once<S: Serializer>(token: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.expose_secret())
}

fn scopes(names: Option<Vec<String>>) -> Result<Vec<Scope>, Problem> {
    let Some(names) = names else {
        return Ok(vec![Scope::UploadsWrite]);
    };
    let mut scopes = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let scope: Scope = name.parse().map_err(|_| {
            let all = Scope::FOR_TOKENS.map(Scope::as_str).join(", ");
            Problem::field(&format!("/scopes/{index}"), format!("must be one of {all}"))
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
