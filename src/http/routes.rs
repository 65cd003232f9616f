//! Every route.

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, delete, get, post};
use actix_web::{Resource, Route};

use super::middleware::auth::only_callers;
use super::middleware::limit::limit_principals;
use super::{audit, datasets, problem, service, tokens, uploads};

/// The API and the service pages. HEAD works wherever GET does.
pub fn api(config: &mut ServiceConfig) {
    let uploads = web::scope("/uploads")
        .wrap(from_fn(limit_principals))
        .wrap(from_fn(only_callers))
        .service(
            web::resource("")
                .route(post().to(uploads::create::create))
                .route(get().to(uploads::list::list)),
        )
        .service(web::resource("/batch").route(post().to(uploads::batch::batch)))
        // Before `/{id}/acknowledge`, which would take "batch" for an id.
        .service(
            web::resource("/batch/acknowledge")
                .route(post().to(uploads::acknowledge_batch::acknowledge)),
        )
        .service(
            web::resource("/{id}")
                .route(get().to(uploads::read::read))
                .route(delete().to(uploads::delete::delete)),
        )
        .service(
            web::resource("/{id}/acknowledge").route(post().to(uploads::acknowledge::acknowledge)),
        )
        .service(
            web::resource("/{id}/parts")
                .route(post().to(uploads::sign_parts::sign))
                .route(get().to(uploads::list_parts::list)),
        )
        .service(web::resource("/{id}/extend").route(post().to(uploads::extend::extend)))
        .service(web::resource("/{id}/cancel").route(post().to(uploads::cancel::cancel)))
        .service(web::resource("/{id}/events").route(get().to(uploads::events::events)));

    // `{path}` holds slashes, so that the actions must come before it.
    let datasets = web::scope("/datasets")
        .wrap(from_fn(limit_principals))
        .wrap(from_fn(only_callers))
        .service(web::resource("").route(get().to(datasets::list::list)))
        .service(
            web::resource("/{path:.*}/action/acknowledge")
                .route(post().to(datasets::acknowledge::acknowledge)),
        )
        .service(web::resource("/{path:.*}/action/copy").route(post().to(datasets::copy::copy)))
        .service(
            web::resource("/{path:.*}/action/download")
                .route(get().to(datasets::download::download)),
        )
        .service(
            web::resource("/{path:.*}")
                .route(get().to(datasets::detail::detail))
                .route(delete().to(datasets::delete::delete)),
        );

    let audit = web::scope("/audit")
        .wrap(from_fn(limit_principals))
        .wrap(from_fn(only_callers))
        .service(web::resource("").route(get().to(audit::list::list)));

    let tokens = web::scope("/tokens")
        .wrap(from_fn(limit_principals))
        .wrap(from_fn(only_callers))
        .service(web::resource("").route(post().to(tokens::create::create)));

    config
        .service(uploads)
        .service(datasets)
        .service(audit)
        .service(tokens)
        .service(page("/", get().to(service::index::index)))
        .service(page("/heartbeat", get().to(service::health::heartbeat)))
        .service(page("/livez", get().to(service::health::livez)))
        .service(page("/readyz", get().to(service::readiness::readyz)))
        .service(page("/problems", get().to(problem::page::list)))
        .service(page("/problems/{code}", get().to(problem::page::show)));
}

/// The document and the pages that show it: on the API's own listener, on one apart, or nowhere.
pub fn docs(config: &mut ServiceConfig) {
    config
        .service(page("/openapi.yaml", get().to(service::docs::yaml)))
        .service(page("/openapi.json", get().to(service::docs::json)))
        .service(page("/docs", get().to(service::docs::to_ui)))
        .service(page("/docs/{file:.*}", get().to(service::docs::ui)));
}

/// Measurements: on the API's own listener, on one apart, or nowhere.
pub fn metrics(config: &mut ServiceConfig) {
    config.service(page("/metrics", get().to(service::metrics::metrics)));
}

/// A resource of its own, so that a wrong method is a 405 and not a 404.
fn page(path: &str, route: Route) -> Resource {
    web::resource(path).route(route)
}

#[cfg(test)]
mod tests;
