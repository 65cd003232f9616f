//! What a handler did goes with its answer, as far as the audit: see `middleware::witness`.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;

use crate::domain::audit::ActionDetails;

/// Deeds that an answer carries.
struct Actions(Vec<ActionDetails>);

/// An answer to which a handler adds what it did.
pub trait Noted {
    /// With a deed for the audit, where there is one.
    fn noted(self, details: impl Into<Option<ActionDetails>>) -> Self;

    /// With these deeds for the audit.
    fn noted_all(self, actions: Vec<ActionDetails>) -> Self;
}

impl Noted for HttpResponse {
    fn noted(mut self, details: impl Into<Option<ActionDetails>>) -> Self {
        if let Some(details) = details.into() {
            self.extensions_mut().insert(details);
        }
        self
    }

    fn noted_all(mut self, actions: Vec<ActionDetails>) -> Self {
        self.extensions_mut().insert(Actions(actions));
        self
    }
}

/// Takes what was done off the answer.
pub(super) fn take(response: &mut ServiceResponse<BoxBody>) -> impl Iterator<Item = ActionDetails> {
    let mut noted = response.response_mut().extensions_mut();
    let one = noted.remove::<ActionDetails>();
    let more = noted.remove::<Actions>().map(|actions| actions.0);
    one.into_iter().chain(more.into_iter().flatten())
}
