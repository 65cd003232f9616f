//! Where a request comes from.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;

/// The address of the client, for those who write it down: that of the connection.
pub fn address(request: &ServiceRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip().to_canonical())
}
