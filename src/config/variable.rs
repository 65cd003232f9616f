//! One row of the table of settings.

/// An environment variable: everything about it except how its value is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name of the variable.
    pub name: &'static str,
    /// What applies if the variable is not set.
    pub fallback: Fallback,
    /// How much of the value may be shown.
    pub show: Show,
    /// The meaning, in one sentence or two for humans.
    pub meaning: &'static str,
}

/// What applies if a variable is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The process does not start.
    Required,
    /// The feature is disabled.
    Unset,
    /// This text is parsed as if it had been set.
    Text(&'static str),
    /// A default that depends on other settings, described for humans.
    Derived(&'static str),
    /// The AWS SDK reads the variable and decides.
    Sdk,
}

/// How much of a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// All of it.
    Plain,
    /// The URL with its password hidden; nothing if it cannot be parsed.
    Url,
    /// Nothing.
    Secret,
}
