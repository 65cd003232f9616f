//! `signatures`: does the store enforce signatures? If it does not, anyone can write anything.

use super::verdict::Verdict;
use super::with_probe::put_rejected;
use crate::objects::probe::{Probe, ProbeError};
use crate::objects::sign::PutObject;

const BYTES: &str = "signed";

pub(super) async fn check_signatures(probe: &Probe<'_>) -> Result<Verdict, ProbeError> {
    let (right, forged, longer) = (probe.key("right"), probe.key("forged"), probe.key("longer"));
    let id = probe.id();
    let of = |key| PutObject {
        content_length: Some(6),
        precondition: crate::objects::sign::Precondition::None,
        ..PutObject::new(key, "text/plain", &id)
    };
    let written = probe.put(&of(&right), BYTES, &[]).await?;
    if !written.is_success() {
        return Ok(put_rejected(&written));
    }
    let fix =
        "use a store that verifies the signatures of pre-signed URLs; this one is open to everyone";
    if probe
        .put_with_invalid_signature(&of(&forged), BYTES)
        .await?
        .is_success()
    {
        return Ok(Verdict::failed(
            "a URL with a wrong signature is accepted",
            fix,
        ));
    }
    // The body has one byte more than was signed.
    if probe.put(&of(&longer), "signed!", &[]).await?.is_success() {
        return Ok(Verdict::failed(
            "a body with another size than the signed one is accepted",
            fix,
        ));
    }
    Ok(Verdict::ok("wrong signatures and wrong sizes are rejected"))
}
