//! What a handler did goes with its answer, as far as the audit: see `middleware::witness`.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;

use crate::domain::audit::Deed;

/// Deeds that an answer carries.
struct Deeds(Vec<Deed>);

/// An answer to which a handler adds what it did.
pub trait Noted {
    /// With a deed for the audit, where there is one.
    fn noted(self, deed: impl Into<Option<Deed>>) -> Self;

    /// With these deeds for the audit.
    fn noted_all(self, deeds: Vec<Deed>) -> Self;
}

impl Noted for HttpResponse {
    fn noted(mut self, deed: impl Into<Option<Deed>>) -> Self {
        if let Some(deed) = deed.into() {
            self.extensions_mut().insert(deed);
        }
        self
    }

    fn noted_all(mut self, deeds: Vec<Deed>) -> Self {
        self.extensions_mut().insert(Deeds(deeds));
        self
    }
}

/// Takes what was done off the answer.
pub(super) fn take(response: &mut ServiceResponse<BoxBody>) -> impl Iterator<Item = Deed> {
    let mut noted = response.response_mut().extensions_mut();
    let one = noted.remove::<Deed>();
    let more = noted.remove::<Deeds>().map(|deeds| deeds.0);
    one.into_iter().chain(more.into_iter().flatten())
}
