//! One verb a file: the only place that opens a transaction or calls S3.
