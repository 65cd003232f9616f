//! The state of `100 Continue`. The dispatcher always writes it before the handler runs; the socket
//! holds it back until the handler reads the body.

/// The bytes that the dispatcher writes for a request that expects `100 Continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The state of the interim response of the current request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interim {
    /// The request does not expect an interim response, or it was handled.
    #[default]
    None,
    /// The dispatcher will write it, after everything before it has been flushed.
    AwaitsFlush,
    /// Everything before it has been flushed: the dispatcher writes it next.
    ComesNext,
    /// The dispatcher has written it, and the socket holds it back.
    Held,
    /// The handler reads the body, so it is being sent. This many of its bytes have been sent.
    Due(usize),
}
