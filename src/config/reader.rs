//! Reads variables, and collects all faults instead of stopping at the first one.

use std::fmt::Display;

use super::fault::Fault;
use super::redact::redact;
use super::report::{Effective, Origin};
use super::variable::{Fallback, Variable};

/// A part of the settings that can be read on its own.
pub trait Section: Sized {
    /// Reads the section. Returns `None` if a variable had a fault, which is recorded in the
    /// reader.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Reads only this section, for a command that needs no others.
    ///
    /// # Errors
    /// Every fault of its variables.
    fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(&lookup);
        let section = Self::read(&mut reader);
        reader.finish(section).map(|(section, _)| section)
    }
}

/// Looks up variables, and records the faults and the effective values.
pub struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<Fault>,
    effective: Vec<Effective>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            faults: Vec::new(),
            effective: Vec::new(),
        }
    }

    /// Returns the section with the effective values, or the faults. `section` is only `None` if
    /// there was a fault.
    pub(super) fn finish<T>(self, section: Option<T>) -> Result<(T, Vec<Effective>), Vec<Fault>> {
        match section {
            Some(section) if self.faults.is_empty() => Ok((section, self.effective)),
            _ => Err(self.faults),
        }
    }

    /// Reads a variable that is required or has a default.
    pub(super) fn value<T>(
        &mut self,
        variable: &'static Variable,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (text, origin) = match (self.text(variable), variable.fallback) {
            (Some(text), _) => (text, Origin::Set),
            (None, Fallback::Text(text)) => (text.to_owned(), Origin::Default),
            (None, _) => {
                let detail = format!("must be set. {}", variable.meaning);
                self.fault(variable, detail);
                return None;
            }
        };
        self.parsed(variable, &text, origin, parse)
    }

    /// Reads a variable that may be absent: `Some(None)`.
    pub(super) fn optional<T>(
        &mut self,
        variable: &'static Variable,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        match self.text(variable) {
            Some(text) => self.parsed(variable, &text, Origin::Set, parse).map(Some),
            None => {
                self.record(variable, None, Origin::Default);
                Some(None)
            }
        }
    }

    /// Reads a secret from its variable, or from the file that another variable names. A line break
    /// at the end of the file is not part of the secret.
    pub(super) fn secret<T>(
        &mut self,
        variable: &'static Variable,
        file: &'static Variable,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        let Some(path) = self.optional(file, |path| Ok(path.to_owned()))? else {
            return self.optional(variable, parse);
        };
        if self.text(variable).is_some() {
            let detail = format!("must not be set together with {}", variable.name);
            self.fault(file, detail);
            return None;
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| format!("must name a file that can be read: {cause}"));
        let value = text.and_then(|text| parse(text.trim_end_matches(['\r', '\n'])));
        match value {
            Ok(value) => {
                self.record(variable, None, Origin::Default);
                Some(Some(value))
            }
            Err(detail) => {
                self.fault(file, detail);
                None
            }
        }
    }

    /// Reads a variable whose default depends on other settings.
    pub(super) fn derived<T: Display>(
        &mut self,
        variable: &'static Variable,
        parse: impl Fn(&str) -> Result<T, String>,
        default: T,
    ) -> Option<T> {
        match self.text(variable) {
            Some(text) => self.parsed(variable, &text, Origin::Set, parse),
            None => {
                self.record(variable, Some(default.to_string()), Origin::Default);
                Some(default)
            }
        }
    }

    /// Whether a variable is set.
    pub(super) fn has(&self, variable: &Variable) -> bool {
        self.text(variable).is_some()
    }

    /// Reads a variable that a library interprets: only whether it is set matters.
    pub(super) fn is_set(&mut self, variable: &'static Variable) -> bool {
        let text = self.text(variable);
        let origin = match text {
            Some(_) => Origin::Set,
            None => Origin::Default,
        };
        let set = text.is_some();
        self.record(variable, text, origin);
        set
    }

    /// Records a fault of a variable that could be parsed but conflicts with another one.
    pub(super) fn fault(&mut self, variable: &Variable, detail: String) {
        let found = self.text(variable).map(|text| redact(variable.show, &text));
        self.faults.push(Fault {
            variable: variable.name,
            found,
            detail,
        });
    }

    fn parsed<T>(
        &mut self,
        variable: &'static Variable,
        text: &str,
        origin: Origin,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(text) {
            Ok(value) => {
                self.record(variable, Some(text.to_owned()), origin);
                Some(value)
            }
            Err(detail) => {
                self.fault(variable, detail);
                None
            }
        }
    }

    fn text(&self, variable: &Variable) -> Option<String> {
        let text = (self.lookup)(variable.name)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn record(&mut self, variable: &'static Variable, text: Option<String>, origin: Origin) {
        self.effective.push(Effective {
            variable,
            value: text.map(|text| redact(variable.show, &text)),
            origin,
        });
    }
}
