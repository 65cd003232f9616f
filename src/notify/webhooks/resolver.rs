//! Resolves the host names of endpoints, to public addresses only.
//!
//! The HTTP client connects to exactly the addresses that are returned here, so a name that resolves
//! differently a moment later (DNS rebinding) does not reach another address.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::public_address::is_public;

/// A host has no address in the public internet.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
pub(super) struct PrivateAddress;

/// Resolves names as the system does.
pub(super) struct Resolver {
    /// Whether addresses that are not public are returned, too.
    pub(super) allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            // The client replaces the port 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
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
