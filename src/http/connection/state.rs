//! What both ends of a connection share.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::interim::Interim;

/// How many bytes are read from a client after the decision to close its connection: enough for
/// the rest of a usual body, so that its sender gets to read why it was refused.
pub const UNREAD_BYTES: usize = 1024 * 1024;

/// Whether further requests are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Requests {
    /// They are.
    #[default]
    Taken,
    /// The service asks the dispatcher to stop.
    Unwanted,
    /// The dispatcher has stopped.
    Ignored,
}

/// The shared state of one connection. All of it lives in one task, so that a wake-up of that task
/// is one of every part. Cheap to clone; the clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Connection(Rc<State>);

#[derive(Debug)]
struct State {
    requests: Cell<Requests>,
    /// The service has ended the connection: it closes after the current response.
    closing: Cell<bool>,
    interim: Cell<Interim>,
    /// What may still be read once no further request is taken.
    unread: Cell<usize>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            requests: Cell::default(),
            closing: Cell::default(),
            interim: Cell::default(),
            unread: Cell::new(UNREAD_BYTES),
        }
    }
}

impl Connection {
    /// Closes the connection after the current response. Resolves when the dispatcher takes no
    /// further request of it.
    pub async fn close(&self) {
        self.0.closing.set(true);
        poll_fn(|context| {
            if self.0.requests.get() == Requests::Ignored {
                return Poll::Ready(());
            }
            self.0.requests.set(Requests::Unwanted);
            // The dispatcher asks at the start of its next round.
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// For the dispatcher: resolves when it is to take no further request.
    pub async fn wants_no_requests(&self) {
        poll_fn(|_| match self.0.requests.get() {
            Requests::Taken => Poll::Pending,
            Requests::Unwanted | Requests::Ignored => Poll::Ready(()),
        })
        .await;
    }

    /// For the dispatcher: it takes no further request.
    pub fn ignores_requests(&self) {
        self.0.requests.set(Requests::Ignored);
    }

    /// Whether the service has closed the connection. An idle one that ends with the process is
    /// not meant, nor one whose request still arrives when the process stops.
    pub fn is_closing(&self) -> bool {
        self.0.closing.get()
    }

    /// Counts what was read from a client whose connection is closing.
    pub fn count_unread(&self, bytes: usize) {
        let left = self.0.unread.get().saturating_sub(bytes);
        self.0.unread.set(left);
    }

    /// Whether the connection is closing and all was read that is going to be.
    pub fn has_read_enough(&self) -> bool {
        self.is_closing() && self.0.unread.get() == 0
    }

    /// Holds back the `100 Continue` that the dispatcher writes next. Resolves when everything
    /// before it is on its way.
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
            // It is not here yet: let it through.
            Interim::ComesNext => self.0.interim.set(Interim::None),
            Interim::Held => self.0.interim.set(Interim::Due(0)),
            Interim::None | Interim::AwaitsFlush | Interim::Due(_) => {}
        }
    }

    /// For the socket: how the interim response stands.
    pub fn interim(&self) -> Interim {
        self.0.interim.get()
    }

    /// For the socket: the interim response stands so now.
    pub fn set_interim(&self, interim: Interim) {
        self.0.interim.set(interim);
    }

    /// For the socket: everything that the dispatcher wrote is on its way.
    pub fn flushed(&self, context: &Context<'_>) {
        if self.0.interim.get() == Interim::AwaitsFlush {
            self.0.interim.set(Interim::ComesNext);
            context.waker().wake_by_ref();
        }
    }
}
