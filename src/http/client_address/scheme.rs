//! Whether a client uses TLS, if a proxy in front of the broker terminates it.
//!
//! The same proxies are trusted as for addresses. The scheme is taken from the hop at which the
//! walk to the client ends; the proxy that the client connected to has written it.
//! `X-Forwarded-Proto` often has only one value, whatever the number of proxies: then that value is
//! used.

use std::net::IpAddr;

use actix_web::http::header::{FORWARDED, HeaderMap, X_FORWARDED_FOR, X_FORWARDED_PROTO};
use actix_web::{HttpRequest, web};

use super::address::{TrustedProxies, line};
use super::forwarded;

/// Whether the client of a request uses TLS to its proxy. `None` if no trusted proxy states it, or
/// if the two headers contradict each other.
pub fn client_uses_tls(request: &HttpRequest) -> Option<bool> {
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
            let visited = self.walk(peer, &forwarded::standard(&line)).visited;
            at(&forwarded::standard_tls(&line), visited)
        });
        let common = line(headers, &X_FORWARDED_PROTO).and_then(|schemes| {
            let hops = line(headers, &X_FORWARDED_FOR).unwrap_or_default();
            let visited = self.walk(peer, &forwarded::common(&hops)).visited;
            at(&forwarded::common_tls(&schemes), visited)
        });
        match (standard, common) {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other),
        }
    }
}

/// The value of the hop at which a walk over `visited` hops ended. It is the last value if no hop
/// was visited, and the first one if there are fewer values than visited hops.
fn at(hops: &[Option<bool>], visited: usize) -> Option<bool> {
    let back = visited.clamp(1, hops.len().max(1));
    hops.len()
        .checked_sub(back)
        .and_then(|index| hops.get(index).copied().flatten())
}
