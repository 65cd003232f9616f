//! The authenticated caller. The scope that a handler requires is part of the type of its argument.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use crate::domain::principal::{Principal, Scope};
use crate::http::problem::Problem;

/// An authenticated caller with the scope `S`. Make it the first argument of a handler: arguments
/// are extracted in order, so that a caller without the scope is rejected before the rest of the
/// request is read.
#[derive(Debug)]
pub struct Caller<S>(Arc<Principal>, PhantomData<S>);

/// One or more required scopes, as a type.
pub trait RequiredScopes {
    /// The first of these scopes that the principal does not have.
    fn missing(principal: &Principal) -> Option<Scope>;
}

/// Requires only a valid credential.
impl RequiredScopes for () {
    fn missing(_: &Principal) -> Option<Scope> {
        None
    }
}

/// Requires the scopes of both types.
impl<A: RequiredScopes, B: RequiredScopes> RequiredScopes for (A, B) {
    fn missing(principal: &Principal) -> Option<Scope> {
        A::missing(principal).or_else(|| B::missing(principal))
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl RequiredScopes for $name {
            fn missing(principal: &Principal) -> Option<Scope> {
                (!principal.has_scope(Scope::$name)).then_some(Scope::$name)
            }
        }
    )*};
}

scopes! {
    /// Requires `uploads:write`.
    UploadsWrite,
    /// Requires `uploads:read`.
    UploadsRead,
    /// Requires `datasets:read`.
    DatasetsRead,
    /// Requires `datasets:delete`.
    DatasetsDelete,
    /// Requires `processing:write`.
    ProcessingWrite,
    /// Requires `admin`.
    Admin,
}

impl<S> Caller<S> {
    /// The principal, for work that may outlive the handler.
    pub fn principal(&self) -> Arc<Principal> {
        Arc::clone(&self.0)
    }

    /// Requires a scope in addition to those of the type.
    ///
    /// # Errors
    /// `insufficient-scope` if the caller does not have it.
    pub fn require_scope(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.has_scope(scope) {
            Ok(())
        } else {
            Err(Problem::missing_scope(scope))
        }
    }
}

impl<S> Deref for Caller<S> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<S: RequiredScopes> FromRequest for Caller<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        // Without a principal, the route is not behind the authentication. Rejecting is safe.
        ready(match extensions.get::<Arc<Principal>>() {
            Some(principal) => match S::missing(principal) {
                None => Ok(Self(Arc::clone(principal), PhantomData)),
                Some(scope) => Err(Problem::missing_scope(scope)),
            },
            None => Err(Problem::unauthenticated()),
        })
    }
}
