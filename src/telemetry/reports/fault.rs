//! What is reported.

/// A fault of the broker.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What kind of fault.
    pub kind: FaultKind,
    /// The private cause. Credentials in it are masked before it is sent.
    pub cause: String,
    /// The request that failed; `None` in a background loop.
    pub request: Option<RequestFacts>,
    /// The name of the background loop that failed; `None` in a request.
    pub task: Option<&'static str>,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An internal error, which is answered with 500.
    InternalError,
    /// A panic.
    Panic,
    /// A background loop ended.
    LoopEnded,
}

impl FaultKind {
    /// The name in Sentry.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::InternalError => "internal-error",
            Self::Panic => "panic",
            Self::LoopEnded => "loop-ended",
        }
    }
}

/// What is reported of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// The request id.
    pub id: String,
    /// The id of the trace.
    pub trace_id: Option<String>,
    /// The id of the span.
    pub span_id: Option<String>,
    /// The method.
    pub method: String,
    /// The pattern of the route, if one matched.
    pub route: Option<String>,
    /// The tenant of the caller, if the caller is known.
    pub tenant: Option<String>,
}
