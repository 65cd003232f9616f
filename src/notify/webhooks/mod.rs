//! Webhooks: sends events to the endpoints of tenants over HTTP, as the
//! [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
//! specification describes.
//!
//! A loop ([`relay`]) leases endpoints that have something to send. The work on one endpoint
//! ([`endpoint`]) reads a few of its due events, sends them, and records the outcomes, until nothing
//! is due. Endpoints do not wait for each other: each has calls of its own, and those that accept
//! nothing at present cannot take the places of the others.
//!
//! What happens at a fault:
//!
//! | Fault | Consequence |
//! |---|---|
//! | the process dies before it sends | the lease of the endpoint ends, and any relay sends the events |
//! | it dies between the answer of the endpoint and the deletion of the delivery | the same, and the endpoint gets these events a second time, under the same `webhook-id` |
//! | it is paused, or cut off from Postgres, for longer than the lease | it starts no further call once it detects that, and records nothing; another relay sends the events again |
//! | it is stopped | calls that have started are finished and recorded; the other events stay due, and the lease is released |
//! | two relays run | one of them leases the endpoint, the other one finds nothing to do |
//! | the endpoint does not answer in time, refuses the connection, has an invalid certificate, or answers with anything but 2xx | the event is tried again with a back-off, and the later events of its upload wait; if no event was accepted, the endpoint gets one event at a time, with a back-off, until it accepts one; then the events that failed meanwhile are due, and an event that failed before keeps its own back-off |
//! | the endpoint asks for a pause (`Retry-After` with 429 or 503) | nothing is sent to it before that time, within limits |
//! | the endpoint accepts something again after it failed for three hours or more | an event that fails further disables it after another hour at the earliest |
//! | an event has failed for three days, or the endpoint has accepted nothing for three days, or answers 410 | the endpoint is disabled, and its events keep waiting |
//! | its name resolves to an address that is not public | no connection is made; this counts as a failure |
//! | it fails between the claims of healthy and of failing endpoints | both are undone, and no endpoint waits for the end of a lease |
//! | an endpoint is slow | it gives its place to another one after a few seconds, and continues at its next turn |
//! | the stored URL is invalid | this counts as a failure |
//! | an operator enables the endpoint during a call | the call is finished, its outcome is not recorded, and the event is sent again |
//! | a name server does not answer | the call fails in time, and the lookups that go on take a limited number of threads |
//! | Postgres is unavailable | the loop tries again |

mod answer;
mod attempt;
mod client;
mod endpoint;
mod health;
mod recovery;
pub mod relay;
mod resolver;
mod signature;

pub use client::Client;
