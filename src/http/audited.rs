//! How a handler passes audit records to `middleware::audit`: as extensions of its response.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;

use crate::domain::audit::ActionDetails;

/// The audit records of a response that has several.
struct Records(Vec<ActionDetails>);

/// A response to which a handler adds audit records.
pub trait Audited {
    /// Adds an audit record, if there is one.
    fn audited(self, details: impl Into<Option<ActionDetails>>) -> Self;

    /// Adds several audit records.
    fn audited_all(self, actions: Vec<ActionDetails>) -> Self;
}

impl Audited for HttpResponse {
    fn audited(mut self, details: impl Into<Option<ActionDetails>>) -> Self {
        if let Some(details) = details.into() {
            self.extensions_mut().insert(details);
        }
        self
    }

    fn audited_all(mut self, actions: Vec<ActionDetails>) -> Self {
        self.extensions_mut().insert(Records(actions));
        self
    }
}

/// Removes the audit records from a response and returns them.
pub(super) fn take(response: &mut ServiceResponse<BoxBody>) -> impl Iterator<Item = ActionDetails> {
    let mut extensions = response.response_mut().extensions_mut();
    let one = extensions.remove::<ActionDetails>();
    let more = extensions.remove::<Records>().map(|records| records.0);
    one.into_iter().chain(more.into_iter().flatten())
}
