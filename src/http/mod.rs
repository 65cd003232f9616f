//! HTTP: routes, problems, authentication, OpenAPI.
