//! Property-based tests: what holds for every path, header, cursor and credential.

mod credentials;
mod cursors;
mod fuzzed;
mod headers;
mod paths;

/// A string of any characters, or of characters that are likely to cause errors.
fn text() -> impl proptest::strategy::Strategy<Value = String> {
    proptest::prop_oneof![
        "\\PC{0,40}",
        "(/|\\.|%|\\+| |a|action|é|\u{0}|\u{7f}|%2F|%2e){0,12}",
        "[a-z/]{0,1100}",
    ]
}
