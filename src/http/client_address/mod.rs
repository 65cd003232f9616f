//! Where a request comes from.
//!
//! That is the other end of the connection, unless this is a proxy that the settings trust: then
//! it is who the proxy says, in `Forwarded` (RFC 7239) or `X-Forwarded-For`. Each proxy adds to the
//! right of what came to it, so that the list is walked from there, past trusted proxies, to the
//! first address that is none: what stands further left anybody may have made up. A proxy writes
//! one of the two headers and may pass on the other as the client sent it: where both are there
//! and tell different addresses, neither counts. What cannot be read ends the walk at the last
//! proxy that could be.

mod forwarded;
mod scheme;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use actix_web::{HttpMessage as _, HttpRequest, web};

pub use self::scheme::came_by_tls;
use crate::config::Network;

/// The address of a client: the edge leaves it with every request, as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Of a request that has passed the edge.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().copied()
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// These.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client behind `peer`.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return ClientAddress(peer);
        }
        let told = |name: &HeaderName, read: fn(&str) -> Vec<Option<IpAddr>>| {
            line(headers, name).map(|line| self.walk(peer, &read(&line)).nearest)
        };
        let standard = told(&FORWARDED, forwarded::standard);
        let common = told(&X_FORWARDED_FOR, forwarded::common);
        ClientAddress(match (standard, common) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(address), _) | (None, Some(address)) => address,
            (None, None) => peer,
        })
    }

    /// From the proxy next to us to the client. `None` is a hop that cannot be told.
    fn walk(&self, peer: IpAddr, hops: &[Option<IpAddr>]) -> Walk {
        let mut walk = Walk {
            nearest: peer,
            looked: 0,
        };
        for hop in hops.iter().rev() {
            walk.looked += 1;
            let Some(hop) = hop.map(|hop| hop.to_canonical()) else {
                break;
            };
            walk.nearest = hop;
            if !self.trusts(hop) {
                break;
            }
        }
        walk
    }
}

/// Where a walk along the hops came to.
struct Walk {
    /// The address that it ended at.
    nearest: IpAddr,
    /// Hops that were looked at: what trusted proxies wrote, and nobody else.
    looked: usize,
}

/// All lines of a header as one; nothing where there is none.
fn line(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    // Odd letters spoil their own hop, and not what a proxy adds to the same line.
    let values: Vec<_> = headers
        .get_all(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The client of a request, left with it for whoever asks. None where the connection has no
/// address, as in a test without a socket.
pub fn learn(request: &ServiceRequest) -> Option<ClientAddress> {
    let peer = request.peer_addr()?.ip();
    let proxies = request.app_data::<web::Data<TrustedProxies>>();
    let client = match proxies {
        Some(proxies) => proxies.client(peer, request.headers()),
        None => ClientAddress(peer.to_canonical()),
    };
    request.extensions_mut().insert(client);
    Some(client)
}
