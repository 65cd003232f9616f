//! Whether callers have to authenticate.

use super::reader::{Reader, Section};
use super::variables::{BROKER_AUTH, BROKER_BIND};

/// Whether callers have to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Every request needs an API key or a token.
    Required,
    /// Every caller that reaches the listener has all rights.
    Off,
}

impl Section for Auth {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.value(&BROKER_AUTH, |text| match text {
            "required" => Ok(Self::Required),
            "off" => Ok(Self::Off),
            _ => Err("must be required or off".to_owned()),
        })
    }
}

/// Ensures that a server without authentication listens on a loopback address.
pub(super) fn ensure_loopback(auth: Auth, bind: std::net::SocketAddr, reader: &mut Reader<'_>) {
    if auth == Auth::Off && !bind.ip().to_canonical().is_loopback() {
        let (auth, name) = (&BROKER_AUTH, BROKER_BIND.name);
        let detail = format!(
            "must be required while {name} is {bind}: off is only allowed on a loopback address"
        );
        reader.fault(auth, detail);
    }
}
