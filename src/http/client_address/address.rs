//! The address of a client, and the proxies that are trusted to state it.

use std::fmt;
use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use actix_web::{HttpMessage as _, HttpRequest, web};

use super::forwarded;
use crate::config::Network;

/// The address of a client. `middleware::edge` adds it to every request as an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address of a request that has passed `middleware::edge`.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().copied()
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The proxies whose headers are trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Trusts the proxies in these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The address of the client of a connection from `peer`.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return ClientAddress(peer);
        }
        let nearest = |name: &HeaderName, read: fn(&str) -> Vec<Option<IpAddr>>| {
            line(headers, name).map(|line| self.walk(peer, &read(&line)).nearest)
        };
        let standard = nearest(&FORWARDED, forwarded::standard);
        let common = nearest(&X_FORWARDED_FOR, forwarded::common);
        ClientAddress(match (standard, common) {
            (Some(one), Some(other)) if one != other => peer,
            (Some(address), _) | (None, Some(address)) => address,
            (None, None) => peer,
        })
    }

    /// Walks the hops from the nearest proxy to the client. `None` is a hop that could not be
    /// parsed.
    pub(super) fn walk(&self, peer: IpAddr, hops: &[Option<IpAddr>]) -> Walk {
        let mut walk = Walk {
            nearest: peer,
            visited: 0,
        };
        for hop in hops.iter().rev() {
            walk.visited += 1;
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

/// The result of a walk along the hops.
pub(super) struct Walk {
    /// The address at which it ended.
    nearest: IpAddr,
    /// The number of visited hops. All of them were written by trusted proxies.
    pub(super) visited: usize,
}

/// All lines of a header as one. `None` if there is no such header.
pub(super) fn line(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    // Invalid bytes affect only their own hop, and not those that a proxy appends to the same line.
    let values: Vec<_> = headers
        .get_all(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Determines the client address of a request, and adds it to the request as an extension. `None`
/// if the connection has no address, as in a test without a socket.
pub fn determine(request: &ServiceRequest) -> Option<ClientAddress> {
    let peer = request.peer_addr()?.ip();
    let proxies = request.app_data::<web::Data<TrustedProxies>>();
    let client = match proxies {
        Some(proxies) => proxies.client(peer, request.headers()),
        None => ClientAddress(peer.to_canonical()),
    };
    request.extensions_mut().insert(client);
    Some(client)
}
