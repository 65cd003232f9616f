//! Resolves the host names of endpoints, to public addresses only.
//!
//! The HTTP client connects to exactly the addresses that are returned here, so a name that resolves
//! differently a moment later (DNS rebinding) does not reach another address.
//!
//! A lookup blocks a thread. It goes on after the client has given up, until the system gives up, too:
//! so a name server that does not answer must not take all threads of the process.

use std::net::ToSocketAddrs as _;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::domain::public_address::is_public;

/// The number of lookups at the same time. It is a small part of the threads that the runtime has for
/// work that blocks.
const MAX_LOOKUPS: usize = 64;

/// A host has no address in the public internet.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
pub(super) struct PrivateAddress;

/// Resolves names as the system does.
pub(super) struct Resolver {
    allow_private: bool,
    lookups: Arc<Semaphore>,
}

impl Resolver {
    /// Creates a resolver. With `allow_private`, it also returns addresses that are not public.
    pub(super) fn new(allow_private: bool) -> Self {
        Self {
            allow_private,
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (allow_private, lookups) = (self.allow_private, Arc::clone(&self.lookups));
        Box::pin(async move {
            let permit = lookups.acquire_owned().await?;
            let lookup = move || {
                // It is held for as long as the thread is blocked.
                let _permit = permit;
                // The client replaces the port 0.
                (name.as_str(), 0).to_socket_addrs()
            };
            let found = spawn_blocking(lookup).await??;
            let permitted: Vec<_> = found
                .filter(|address| allow_private || is_public(address.ip()))
                .collect();
            if permitted.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok::<Addrs, _>(Box::new(permitted.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn lookup_waits_while_as_many_as_permitted_are_in_progress() {
        let resolver = Resolver::new(true);
        let localhost = || resolver.resolve("localhost".parse().expect("a name"));
        let all = u32::try_from(MAX_LOOKUPS).expect("a number");
        let others = resolver.lookups.acquire_many(all).await.expect("permits");
        let waits = timeout(Duration::from_millis(50), localhost()).await;
        assert!(waits.is_err(), "it did not wait");
        drop(others);
        let found: Vec<_> = localhost().await.expect("addresses").collect();
        assert!(
            found.iter().all(|found| found.ip().is_loopback()),
            "{found:?}"
        );
        assert_eq!(resolver.lookups.available_permits(), MAX_LOOKUPS);
    }
}
