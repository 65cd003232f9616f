//! One row of the table of settings.

/// A variable of the environment: everything about it except how its text is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name in the environment.
    pub name: &'static str,
    /// What holds when it is not set.
    pub fallback: Fallback,
    /// How much of its value may be shown.
    pub show: Show,
    /// What it means, one sentence for people.
    pub meaning: &'static str,
}

/// What holds when a variable is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: the process does not start without it.
    Required,
    /// Nothing: what it asks for is off.
    Unset,
    /// This text, read as if it had been set.
    Text(&'static str),
    /// A value that follows from other settings, told for people.
    Derived(&'static str),
    /// The AWS SDK reads it and decides.
    Sdk,
}

/// How much of a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// All of it.
    Plain,
    /// A URL, with its password hidden; nothing when it cannot be read as one.
    Url,
    /// Nothing.
    Secret,
}
