//! Timeouts of single calls.

use std::time::Duration;

use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_smithy_types::timeout::TimeoutConfig;

/// A configuration that allows `timeout` for one attempt of a call, and as long for all attempts
/// together.
///
/// For calls during which S3 sends single blanks to keep the connection open: these are too few to
/// count as a live stream, so the protection against stalled streams is off.
pub(super) fn with_timeout(timeout: Duration) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(timeout)
        .operation_timeout(timeout)
        .build();
    Builder::new()
        .timeout_config(timeouts)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}
