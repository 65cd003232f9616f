//! The trace context in headers.
//!
//! Source: W3C Trace Context, sections 3.2 and 3.3, <https://www.w3.org/TR/trace-context/>.

use std::borrow::Cow;
use std::str::FromStr as _;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use crate::telemetry::log::scrub::mask_tokens;

/// The largest number of bytes of a `tracestate` that is used. A longer one is dropped.
const MAX_STATE_BYTES: usize = 512;

/// The trace context of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteContext(pub(super) SpanContext);

impl RemoteContext {
    /// Parses the value of `traceparent`; `None` if it is invalid.
    ///
    /// A higher version than 00 may have further fields, which are ignored.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut fields = traceparent.split('-');
        let version = fields.next()?;
        let (trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?);
        let has_more = fields.next().is_some();
        let are_hex = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16);
        if !are_hex || !is_hex(flags, 2) || version == "ff" || (version == "00" && has_more) {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        let context = SpanContext::new(
            TraceId::from_hex(trace).ok()?,
            SpanId::from_hex(span).ok()?,
            TraceFlags::new(flags) & TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        );
        // Ids of zeros are invalid.
        context.is_valid().then_some(Self(context))
    }

    /// Adds the value of `tracestate`, unless it is invalid or contains a credential of the broker.
    #[must_use]
    pub fn with_state(self, tracestate: &str) -> Self {
        let is_clean = matches!(mask_tokens(tracestate), Cow::Borrowed(_));
        if tracestate.len() > MAX_STATE_BYTES || !is_clean {
            return self;
        }
        let Ok(state) = TraceState::from_str(tracestate) else {
            return self;
        };
        let Self(context) = self;
        Self(SpanContext::new(
            context.trace_id(),
            context.span_id(),
            context.trace_flags(),
            true,
            state,
        ))
    }
}

/// Formats a context as `traceparent`.
pub(super) fn traceparent_of(context: &SpanContext) -> String {
    let (trace, span) = (context.trace_id(), context.span_id());
    let flags = u8::from(context.is_sampled());
    format!("00-{trace}-{span}-{flags:02x}")
}

/// Whether a field has this length, and lower-case hexadecimal digits only.
fn is_hex(field: &str, length: usize) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    field.len() == length && field.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn valid_context_is_read_and_written() {
        for (text, written) in [
            (VALID, VALID),
            (
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
            ),
            // Unknown flags, and a later version with a further field.
            (
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
                VALID,
            ),
            (
                "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                VALID,
            ),
        ] {
            let context = RemoteContext::parse(text).expect(text);
            assert_eq!(traceparent_of(&context.0), written, "{text}");
        }
    }

    #[test]
    fn invalid_context_is_ignored() {
        for text in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
            "00-é",
        ] {
            assert_eq!(RemoteContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn state_is_kept_unless_it_is_invalid_or_a_credential() {
        let context = RemoteContext::parse(VALID).expect("a context");
        let state = |text: &str| context.clone().with_state(text).0.trace_state().header();
        assert_eq!(
            state("congo=t61rcWkgMzE,rojo=00f"),
            "congo=t61rcWkgMzE,rojo=00f"
        );
        let key = format!("a=ubk_{}", "aZ0_-".repeat(8));
        let long = format!("a={}", "x".repeat(MAX_STATE_BYTES));
        for dropped in [&key, &long, "no pair"] {
            assert_eq!(state(dropped), "", "{dropped}");
        }
    }
}
