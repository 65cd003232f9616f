//! The state that both ends of a connection share.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::interim::Interim;

/// The largest number of bytes that are read from a client after the decision to close its
/// connection. It is enough for the rest of a usual body, so that the client reads why its request
/// was rejected.
pub const MAX_DRAINED_BYTES: usize = 1024 * 1024;

/// Whether the dispatcher accepts further requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Requests {
    /// It does.
    #[default]
    Accepted,
    /// The service has requested the dispatcher to stop.
    Stopping,
    /// The dispatcher has stopped.
    Stopped,
}

/// The shared state of one connection. All its users run in one task, so that waking that task
/// wakes each of them. Cheap to clone; the clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Connection(Rc<State>);

#[derive(Debug)]
struct State {
    requests: Cell<Requests>,
    /// Whether the service has decided to close the connection after the current response.
    closing: Cell<bool>,
    interim: Cell<Interim>,
    /// Whether the client has closed its side.
    input_ended: Cell<bool>,
    /// The number of bytes that may still be read once no further request is accepted.
    drainable: Cell<usize>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            requests: Cell::default(),
            closing: Cell::default(),
            interim: Cell::default(),
            input_ended: Cell::default(),
            drainable: Cell::new(MAX_DRAINED_BYTES),
        }
    }
}

impl Connection {
    /// Closes the connection after the current response. Resolves when the dispatcher accepts no
    /// further request.
    pub async fn close(&self) {
        self.0.closing.set(true);
        poll_fn(|context| {
            if self.0.requests.get() == Requests::Stopped {
                return Poll::Ready(());
            }
            self.0.requests.set(Requests::Stopping);
            // The dispatcher checks this when it is polled next.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// For the dispatcher: resolves when it must accept no further request.
    pub async fn stop_requested(&self) {
        poll_fn(|_| match self.0.requests.get() {
            Requests::Accepted => Poll::Pending,
            Requests::Stopping | Requests::Stopped => Poll::Ready(()),
        })
        .await;
    }

    /// For the dispatcher: it accepts no further request.
    pub fn set_stopped(&self) {
        self.0.requests.set(Requests::Stopped);
    }

    /// Whether the service has decided to close the connection. False for an idle connection that
    /// is closed with the process, and for one whose request is still arriving then.
    pub fn is_closing(&self) -> bool {
        self.0.closing.get()
    }

    /// Counts bytes that were read from a client whose connection is closing.
    pub fn count_drained(&self, bytes: usize) {
        let left = self.0.drainable.get().saturating_sub(bytes);
        self.0.drainable.set(left);
    }

    /// Whether the connection is closing and the limit of bytes to read is reached.
    pub fn has_drained_enough(&self) -> bool {
        self.is_closing() && self.0.drainable.get() == 0
    }

    /// Holds back the `100 Continue` that the dispatcher writes next. Resolves when everything
    /// before it has been flushed.
    pub async fn hold_continue(&self) {
        self.0.interim.set(Interim::AwaitsFlush);
        poll_fn(|_| match self.0.interim.get() {
            Interim::AwaitsFlush => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }

    /// Sends the `100 Continue` that is held back, if one is.
    pub fn send_continue(&self) {
        match self.0.interim.get() {
            // The dispatcher has not written it yet: do not hold it back.
            Interim::ComesNext => self.0.interim.set(Interim::None),
            Interim::Held => self.0.interim.set(Interim::Due(0)),
            Interim::None | Interim::AwaitsFlush | Interim::Due(_) => {}
        }
    }

    /// Resolves when the client has closed its side. A client that waits for the rest of a response
    /// may do so, too; but one that follows a stream does not.
    pub async fn input_ended(&self) {
        poll_fn(|_| match self.0.input_ended.get() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// For the socket: the client has closed its side.
    pub fn set_input_ended(&self) {
        self.0.input_ended.set(true);
    }

    /// For the socket: the state of the interim response.
    pub fn interim(&self) -> Interim {
        self.0.interim.get()
    }

    /// For the socket: sets the state of the interim response.
    pub fn set_interim(&self, interim: Interim) {
        self.0.interim.set(interim);
    }

    /// For the socket: everything that the dispatcher wrote has been flushed.
    pub fn flushed(&self, context: &Context<'_>) {
        if self.0.interim.get() == Interim::AwaitsFlush {
            self.0.interim.set(Interim::ComesNext);
            context.waker().wake_by_ref();
        }
    }
}
