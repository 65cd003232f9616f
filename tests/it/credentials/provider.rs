//! A scripted credentials provider.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials as Given;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use tokio::sync::Semaphore;

/// A provider that returns prepared answers and counts its calls.
#[derive(Debug, Clone)]
pub struct Provider(Arc<Script>);

#[derive(Debug)]
struct Script {
    answers: Mutex<VecDeque<Result<Given, &'static str>>>,
    calls: Mutex<usize>,
    /// Each answer takes a permit: without permits the provider blocks.
    permits: Semaphore,
}

impl Provider {
    pub fn new(answers: impl IntoIterator<Item = Result<Given, &'static str>>) -> Self {
        Self(Arc::new(Script {
            answers: Mutex::new(answers.into_iter().collect()),
            calls: Mutex::new(0),
            permits: Semaphore::new(1_000),
        }))
    }

    /// The same provider, but each answer waits for a [`release`](Self::release).
    pub fn holding(self) -> Self {
        self.0.permits.forget_permits(1_000);
        self
    }

    /// The number of calls so far.
    pub fn calls(&self) -> usize {
        *self.0.calls.lock().unwrap()
    }

    /// Releases one answer.
    pub fn release(&self) {
        self.0.permits.add_permits(1);
    }

    async fn answer(&self) -> Result<Given, CredentialsError> {
        *self.0.calls.lock().unwrap() += 1;
        self.0.permits.acquire().await.unwrap().forget();
        let answer = self.0.answers.lock().unwrap().pop_front();
        answer
            .expect("the provider was asked more often than the test expects")
            .map_err(CredentialsError::provider_error)
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.answer())
    }
}
