//! The settings as people read them: `check-config`, and the table of the page on settings
//! (`docs/src/guides/operators/settings.md`).

use std::fmt;

use super::variable::{Fallback, Variable};
use super::variables::VARIABLES;

/// Where an effective value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From the environment.
    Set,
    /// The default, because the variable is not set.
    Default,
}

/// The effective value of one variable, with secrets hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The variable.
    pub variable: &'static Variable,
    /// Its value, as far as it may be shown; `None` if it is not set and has no default.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.as_deref().unwrap_or("-");
        let origin = match self.origin {
            Origin::Set => "set",
            Origin::Default if self.value.is_none() => "not set",
            Origin::Default => "default",
        };
        // Control characters in a value must not control the terminal.
        let value = value.escape_debug().to_string();
        write!(f, "{:<38} {origin:<8} {value}", self.variable.name)
    }
}

/// The table of all settings in Markdown.
pub fn markdown_table() -> String {
    let mut table = String::from("| Variable | Default | Meaning |\n|---|---|---|\n");
    for variable in VARIABLES {
        let default = match variable.fallback {
            Fallback::Required => "**required**".to_owned(),
            Fallback::Unset => "–".to_owned(),
            Fallback::Text(text) => format!("`{text}`"),
            Fallback::Derived(how) => how.to_owned(),
            Fallback::Sdk => "AWS SDK".to_owned(),
        };
        let (name, meaning) = (variable.name, variable.meaning);
        table.push_str(&format!("| `{name}` | {default} | {meaning} |\n"));
    }
    table
}
