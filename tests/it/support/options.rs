//! Environment variables that make the tests more or less thorough.

/// `FAULT_SEED`: the seed of the random numbers in the fault suite.
pub fn seed(default: u64) -> u64 {
    number("FAULT_SEED", default)
}

/// `FAULT_KILLS`: the number of processes that are killed under load.
pub fn kills(default: u64) -> u64 {
    number("FAULT_KILLS", default)
}

/// `SCHEMATHESIS_EXAMPLES`: the number of generated requests per operation.
pub fn examples(default: u32) -> u32 {
    number("SCHEMATHESIS_EXAMPLES", default)
}

/// `TEST_LOG`: the level at which tests and the processes that they start log, by default `trace`. At
/// a higher level the tests are faster, but secrets in the missing lines are not found.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests have no config module; these are their variables"
)]
pub fn log_level() -> String {
    std::env::var("TEST_LOG").unwrap_or_else(|_| "trace".to_owned())
}

/// `PROPTEST_CASES`: the number of cases per property, for properties with slow cases.
pub fn cases(default: u32) -> u32 {
    number("PROPTEST_CASES", default)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests have no config module; these are their variables"
)]
fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text:?} is not a number")),
        Err(_) => default,
    }
}
