//! What the broker knows about one operation of its HTTP API.

use actix_web::Route;
use utoipa::openapi::OpenApi;

use super::problem::catalogue::Kind;

/// One operation: a method on a path, its handler and its documentation.
///
/// Each handler declares a constant of this type next to itself. `operations` lists all of them;
/// the routes and the OpenAPI document are made from that list.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The path as OpenAPI writes it, such as `/datasets/{path}/action/copy`.
    pub path: &'static str,
    /// Makes the route: the method and the handler.
    pub route: fn() -> Route,
    /// Makes an OpenAPI document with this operation and its schemas only.
    pub document: fn() -> OpenApi,
    /// The problems that are specific to this operation. Those that follow from its request body,
    /// its scopes and the limits of the broker are added by `openapi::problems`.
    pub problems: &'static [Kind],
}

impl Operation {
    /// The first segment of the path with its leading slash, such as `/datasets`.
    pub fn scope(&self) -> &'static str {
        let end = self.path.match_indices('/').nth(1).map(|(end, _)| end);
        end.and_then(|end| self.path.get(..end))
            .unwrap_or(self.path)
    }
}
