//! `signatures`: does the store hold clients to what is signed? One that does not lets anybody
//! write anything.

use super::probing::not_written;
use super::verdict::Verdict;
use crate::objects::probe::{Probe, ProbeError};
use crate::objects::sign::PutObject;

const BYTES: &str = "signed";

pub(super) async fn examine(probe: &Probe<'_>) -> Result<Verdict, ProbeError> {
    let (right, forged, longer) = (probe.key("right"), probe.key("forged"), probe.key("longer"));
    let id = probe.id();
    let of = |key| PutObject {
        content_length: Some(6),
        precondition: crate::objects::sign::Precondition::None,
        ..PutObject::new(key, "text/plain", &id)
    };
    let written = probe.put(&of(&right), BYTES, &[]).await?;
    if !written.is_success() {
        return Ok(not_written(&written));
    }
    let fix = "use a store that checks signatures of pre-signed URLs; this one is open to all";
    if probe
        .put_with_invalid_signature(&of(&forged), BYTES)
        .await?
        .is_success()
    {
        return Ok(Verdict::failed(
            "a URL with a wrong signature is taken",
            fix,
        ));
    }
    // One byte more than was signed.
    if probe.put(&of(&longer), "signed!", &[]).await?.is_success() {
        return Ok(Verdict::failed(
            "another size than the signed one is taken",
            fix,
        ));
    }
    Ok(Verdict::ok(
        "a wrong signature and another size are refused",
    ))
}
