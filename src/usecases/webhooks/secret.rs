//! Makes the secrets of endpoints, in the format of Standard Webhooks.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::usecases::error::{Error, Result};

/// The prefix, by which people and secret scanners recognise a leaked secret.
const PREFIX: &str = "whsec_";
/// The number of random bytes.
const BYTES: usize = 32;

/// Makes a secret: its bytes, which are stored, and its text, which is printed once.
pub(super) fn fresh() -> Result<(Zeroizing<[u8; BYTES]>, SecretString)> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(&mut *bytes).map_err(|cause| Error::Internal(cause.to_string().into()))?;
    let encoded = Zeroizing::new(STANDARD.encode(bytes.as_slice()));
    let text = SecretString::from([PREFIX, &encoded].concat());
    Ok((bytes, text))
}
