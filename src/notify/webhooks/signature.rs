//! The signature of a webhook.
//!
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;
use uuid::Uuid;

/// Returns the value of the header `webhook-signature`: one signature for each secret, separated by
/// spaces. `timestamp` is in seconds since 1970.
pub(super) fn sign<'a>(
    secrets: impl Iterator<Item = &'a SecretSlice<u8>>,
    id: Uuid,
    timestamp: i64,
    body: &str,
) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures: Vec<String> = secrets.map(|secret| sign_with(secret, &signed)).collect();
    signatures.join(" ")
}

fn sign_with(secret: &SecretSlice<u8>, signed: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret())
        .expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value was computed with Python: `hmac.new(key, message, hashlib.sha256)`.
    #[test]
    fn each_secret_has_its_signature() {
        let secrets = [vec![1; 24], vec![2; 32]].map(SecretSlice::from);
        let id = Uuid::from_u128(0x0199_a3c0_7211_7fb8_92d8_68d7_9a11_cd48);
        let signature = sign(secrets.iter(), id, 1_614_265_330, "{\"test\": 2432232314}");
        let expected = "v1,nz541np5IK8sLqxt2sl0wmQBnKubm2+YmwHU9USDtwk= \
             v1,sNp5xYbUSWSA/YjXe8N+zOiNuctRVBC3chnaUg7mtZA=";
        assert_eq!(signature, expected);
    }
}
