//! Variables with which a person makes the tests go further than they usually do.

/// `FAULT_SEED`: the seed of the fault suite's dice.
pub fn seed(usual: u64) -> u64 {
    number("FAULT_SEED", usual)
}

/// `FAULT_KILLS`: how many processes are killed under load.
pub fn kills(usual: u64) -> u64 {
    number("FAULT_KILLS", usual)
}

/// `SCHEMATHESIS_EXAMPLES`: how many requests are made up for each operation.
pub fn examples(usual: u32) -> u32 {
    number("SCHEMATHESIS_EXAMPLES", usual)
}

/// `PROPTEST_CASES`: how many cases a property is tried with, where each takes its time.
pub fn cases(usual: u32) -> u32 {
    number("PROPTEST_CASES", usual)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests have no config module; these are their variables"
)]
fn number<T: std::str::FromStr>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text:?} is no number")),
        Err(_) => usual,
    }
}
