//! An upload token.

use secrecy::ExposeSecret as _;
use upload_broker::identity::upload_token::TokenKey;

/// What opens under the broker's secret says the same when it is sealed again, and opens under no
/// other secret.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let key = TokenKey::new(SECRET);
    let Some(token) = key.verify(text) else {
        return;
    };
    let again = key.sign(&token).expect("a token");
    assert_eq!(key.verify(again.expose_secret()), Some(token), "{text:?}");
    assert_eq!(TokenKey::new(b"another").verify(text), None, "{text:?}");
}

/// What good tokens are signed with.
pub const SECRET: &[u8] = b"a secret of the broker's";
