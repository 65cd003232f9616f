//! Whether a client came by TLS, where that ends at a proxy in front.
//!
//! The same proxies are believed as about addresses: the hop that counts is the one that the walk
//! to the client ends at, as the proxy wrote it that the client came to. `X-Forwarded-Proto` has
//! often one value only, whatever the number of proxies: then that is the one.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{FORWARDED, HeaderMap, X_FORWARDED_FOR, X_FORWARDED_PROTO};
use actix_web::web;

use super::{TrustedProxies, forwarded, line};

/// Whether the client of a request came to its proxy by TLS. Nothing where no trusted proxy says
/// so, and where its two headers contradict each other.
pub fn came_by_tls(request: &ServiceRequest) -> Option<bool> {
    let proxies = request.app_data::<web::Data<TrustedProxies>>()?;
    proxies.client_tls(request.peer_addr()?.ip(), request.headers())
}

impl TrustedProxies {
    pub(super) fn client_tls(&self, peer: IpAddr, headers: &HeaderMap) -> Option<bool> {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return None;
        }
        let standard = line(headers, &FORWARDED).and_then(|line| {
            let looked = self.walk(peer, &forwarded::standard(&line)).looked;
            at(&forwarded::standard_tls(&line), looked)
        });
        let common = line(headers, &X_FORWARDED_PROTO).and_then(|schemes| {
            let hops = line(headers, &X_FORWARDED_FOR).unwrap_or_default();
            let looked = self.walk(peer, &forwarded::common(&hops)).looked;
            at(&forwarded::common_tls(&schemes), looked)
        });
        match (standard, common) {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other),
        }
    }
}

/// What stands at the hop that a walk of so many ended at: the last one where nobody walked, the
/// first where there are fewer.
fn at(hops: &[Option<bool>], looked: usize) -> Option<bool> {
    let back = looked.clamp(1, hops.len().max(1));
    hops.len()
        .checked_sub(back)
        .and_then(|index| hops.get(index).copied().flatten())
}
