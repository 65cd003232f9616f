//! The part of the bucket that a tenant lives in.
//!
//! Every key that reaches S3 comes out of [`Jail::key`] or [`Jail::key_prefix`], and every key
//! that reaches a client went through [`Jail::path`].

use std::sync::Arc;

use super::path::{DatasetPath, InvalidPath, MAX_KEY_BYTES};

/// The tenant of a single-team install, whose key prefix is empty.
pub const DEFAULT_TENANT: &str = "default";

/// A tenant's key prefix. The default tenant has the empty one, less the prefixes of the others.
#[derive(Clone, Debug)]
pub struct Jail {
    prefix: Arc<str>,
    others: Arc<[String]>,
}

impl Jail {
    /// `prefix` is empty or ends with `/`; `others` are the prefixes carved out of it.
    pub fn new(prefix: &str, others: Vec<String>) -> Self {
        Self {
            prefix: prefix.into(),
            others: others.into(),
        }
    }

    /// The S3 key of a path. Refuses a key that is too long or that lies in another's jail.
    pub fn key(&self, path: &DatasetPath) -> Result<String, InvalidPath> {
        let key = format!("{}{}", self.prefix, path.relative());
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        if self.is_anothers(&key) {
            return Err(InvalidPath::AnotherTenants);
        }
        Ok(key)
    }

    /// The S3 prefix of a listing under `/…` or `…`; the empty one lists the whole jail.
    pub fn key_prefix(&self, prefix: &str) -> Result<String, InvalidPath> {
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
        if prefix.chars().any(char::is_control) {
            return Err(InvalidPath::ControlCharacter);
        }
        let key = format!("{}{prefix}", self.prefix);
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        Ok(key)
    }

    /// The path of a key, or nothing where the key is not this tenant's.
    pub fn path(&self, key: &str) -> Option<DatasetPath> {
        if self.is_anothers(key) {
            return None;
        }
        let relative = key.strip_prefix(&*self.prefix)?;
        Some(DatasetPath::from_stored(format!("/{relative}")))
    }

    fn is_anothers(&self, key: &str) -> bool {
        self.others.iter().any(|other| key.starts_with(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(input: &str) -> DatasetPath {
        DatasetPath::parse(input).unwrap()
    }

    #[test]
    fn a_tenant_sees_only_its_prefix() {
        let jail = Jail::new("acme/", vec![]);
        assert_eq!(jail.key(&path("/a.csv")).as_deref(), Ok("acme/a.csv"));
        assert_eq!(jail.path("acme/a.csv"), Some(path("/a.csv")));
        assert_eq!(jail.path("acmes/a.csv"), None);
        assert_eq!(jail.key_prefix("/x").as_deref(), Ok("acme/x"));
    }

    #[test]
    fn the_default_tenant_does_not_see_the_others() {
        let jail = Jail::new("", vec!["acme/".into()]);
        assert_eq!(
            jail.key(&path("/acme/a.csv")),
            Err(InvalidPath::AnotherTenants)
        );
        assert_eq!(jail.path("acme/a.csv"), None);
        assert_eq!(jail.path("acme.csv"), Some(path("/acme.csv")));
    }

    #[test]
    fn the_prefix_counts_against_the_longest_key() {
        let jail = Jail::new("acme/", vec![]);
        let longest = "x".repeat(MAX_KEY_BYTES - 5);
        assert!(jail.key(&path(&longest)).is_ok());
        assert_eq!(
            jail.key(&path(&format!("{longest}x"))),
            Err(InvalidPath::TooLong)
        );
    }
}
