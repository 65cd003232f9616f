//! An upload token.

use secrecy::ExposeSecret as _;
use upload_broker::identity::upload_token::TokenKey;

/// A token that is valid with the secret of the broker has the same content after it is issued again, and is not
/// valid with another secret.
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

/// The secret that valid tokens are signed with.
pub const SECRET: &[u8] = b"a secret of the broker's";
