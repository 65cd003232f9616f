//! Who calls, and proof that it may: the scope that a handler needs stands in its type.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use crate::domain::principal::{Principal, Scope};
use crate::http::problem::Problem;

/// An authenticated caller that holds the scope `S`. Make it the first argument of a handler:
/// arguments are asked in order, so that a caller without the scope is refused before anything
/// else of the request is looked at.
#[derive(Debug)]
pub struct Caller<S>(Arc<Principal>, PhantomData<S>);

/// Scopes as a type.
pub trait Needs {
    /// The first of them that the principal does not hold.
    fn missing(principal: &Principal) -> Option<Scope>;
}

/// Both.
impl<A: Needs, B: Needs> Needs for (A, B) {
    fn missing(principal: &Principal) -> Option<Scope> {
        A::missing(principal).or_else(|| B::missing(principal))
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl Needs for $name {
            fn missing(principal: &Principal) -> Option<Scope> {
                (!principal.may(Scope::$name)).then_some(Scope::$name)
            }
        }
    )*};
}

scopes! {
    /// `uploads:write`.
    UploadsWrite,
    /// `uploads:read`.
    UploadsRead,
    /// `datasets:read`.
    DatasetsRead,
    /// `datasets:delete`.
    DatasetsDelete,
    /// `admin`.
    Admin,
}

impl<S> Caller<S> {
    /// The principal, for work that outlives the handler.
    pub fn principal(&self) -> Arc<Principal> {
        Arc::clone(&self.0)
    }

    /// Asks for one more scope than the type says.
    pub fn must_also(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.may(scope) {
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

impl<S: Needs> FromRequest for Caller<S> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        // Without a principal it is a route outside the authenticated scopes: refusing is the safe
        // side.
        ready(match extensions.get::<Arc<Principal>>() {
            Some(principal) => match S::missing(principal) {
                None => Ok(Self(Arc::clone(principal), PhantomData)),
                Some(scope) => Err(Problem::missing_scope(scope)),
            },
            None => Err(Problem::unauthenticated()),
        })
    }
}
