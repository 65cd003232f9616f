//! The order of the events of an upload.

/// SQL: the first waiting delivery `next` of an upload. The subquery is one index lookup, and is not
/// turned into a join over all waiting deliveries.
pub(super) const IS_FIRST_OF_UPLOAD: &str = "next.sequence = (SELECT min(earlier.sequence) \
     FROM webhook_deliveries AS earlier \
     WHERE earlier.webhook_id = next.webhook_id AND earlier.upload_id = next.upload_id)";
