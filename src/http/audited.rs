//! How a handler passes audit records to `middleware::audit`: as extensions of its response.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;

use crate::domain::audit::Deed;

/// The audit records of a response that has several.
struct Records(Vec<Deed>);

/// A response to which a handler adds audit records.
pub trait Audited {
    /// Adds an audit record, if there is one.
    fn audited(self, deed: impl Into<Option<Deed>>) -> Self;

    /// Adds several audit records.
    fn audited_all(self, deeds: Vec<Deed>) -> Self;
}

impl Audited for HttpResponse {
    fn audited(mut self, deed: impl Into<Option<Deed>>) -> Self {
        if let Some(deed) = deed.into() {
            self.extensions_mut().insert(deed);
        }
        self
    }

    fn audited_all(mut self, deeds: Vec<Deed>) -> Self {
        self.extensions_mut().insert(Records(deeds));
        self
    }
}

/// Removes the audit records from a response and returns them.
pub(super) fn take(response: &mut ServiceResponse<BoxBody>) -> impl Iterator<Item = Deed> {
    let mut extensions = response.response_mut().extensions_mut();
    let one = extensions.remove::<Deed>();
    let more = extensions.remove::<Records>().map(|records| records.0);
    one.into_iter().chain(more.into_iter().flatten())
}
