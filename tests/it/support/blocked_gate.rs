//! A gate that is blocked from the start.

use std::net::SocketAddr;

use super::gate::Gate;

/// A blocked gate in front of a service.
pub struct BlockedGate(Gate);

impl BlockedGate {
    /// Starts a blocked gate.
    pub async fn new(upstream: SocketAddr) -> BlockedGate {
        let gate = Gate::new(upstream);
        gate.block();
        BlockedGate(gate)
    }

    /// Returns the HTTP endpoint of the gate.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// Waits until a request arrives.
    pub async fn request_waits(&mut self) {
        self.0.request_waits().await;
    }

    /// Opens the gate.
    pub fn release(&self) {
        self.0.restore();
    }
}
