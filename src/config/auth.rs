//! Who may call.

use super::reader::{Reader, Section};
use super::variables::{BROKER_AUTH, BROKER_BIND};

/// Whether callers have to say who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// A key or token with every request.
    Required,
    /// Anyone who reaches the socket is the administrator.
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

/// Without authentication only this machine may reach the server.
pub(super) fn check_loopback(auth: Auth, bind: std::net::SocketAddr, reader: &mut Reader<'_>) {
    if auth == Auth::Off && !bind.ip().to_canonical().is_loopback() {
        let (auth, name) = (&BROKER_AUTH, BROKER_BIND.name);
        let detail = format!("must be required while {name} is {bind}: off is for loopback only");
        reader.fault(auth, detail);
    }
}
