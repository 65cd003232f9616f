//! `100 Continue`: where it stands between the dispatcher, which always writes it before the
//! handler runs, and the socket, which sends it once the handler reads the body.

/// What the dispatcher writes for a request that expects it.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The state of the interim response of the current request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interim {
    /// The request does not expect one, or it is dealt with.
    #[default]
    None,
    /// The dispatcher will write one; first, everything before it has to be on its way.
    AwaitsFlush,
    /// Everything before it is on its way: the next bytes that the dispatcher writes are it.
    ComesNext,
    /// It was written by the dispatcher and is held back.
    Held,
    /// The body is read: this many of its bytes are sent.
    Due(usize),
}
