//! A gate that keeps callers waiting from the start, and tells that they came.

use std::net::SocketAddr;

use super::gate::Gate;

/// A closed door in front of a service.
pub struct BlockedGate(Gate);

impl BlockedGate {
    /// A door that keeps everyone waiting.
    pub async fn new(upstream: SocketAddr) -> BlockedGate {
        let gate = Gate::new(upstream);
        gate.block();
        BlockedGate(gate)
    }

    /// The door as an HTTP endpoint.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// Returns when someone waits at the door.
    pub async fn request_waits(&mut self) {
        self.0.request_waits().await;
    }

    /// Lets everyone through, now and from now on.
    pub fn release(&self) {
        self.0.restore();
    }
}
