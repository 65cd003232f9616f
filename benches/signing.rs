//! Signing speed.

fn main() {}
