//! The `upload-broker` binary.

fn main() {}
