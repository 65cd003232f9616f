//! The bucket, and the part of it, that a tenant lives in.
//!
//! Every key that reaches S3 comes out of [`Jail::key`] or [`Jail::key_prefix`], and every key
//! that reaches a client went through [`Jail::path`].

use std::sync::Arc;

use super::path::{DatasetPath, InvalidPath, MAX_KEY_BYTES, check_segments};
use super::prefix::PathPrefix;

/// The tenant of a single-team install, whose key prefix is empty.
pub const DEFAULT_TENANT: &str = "default";

/// A tenant's key prefix. The default tenant has the empty one, less the prefixes of the others.
/// A credential may be confined to a folder in it; the rest is nobody's then.
#[derive(Clone, Debug)]
pub struct Jail {
    bucket: Option<Arc<str>>,
    prefix: Arc<str>,
    others: Arc<[String]>,
    within: Option<PathPrefix>,
}

impl Jail {
    /// `prefix` is empty or ends with `/`; `others` are the prefixes carved out of it.
    pub fn new(prefix: &str, others: Vec<String>) -> Self {
        Self {
            bucket: None,
            prefix: prefix.into(),
            others: others.into(),
            within: None,
        }
    }

    /// The same jail in a bucket of the tenant's own; without one, in the common bucket.
    pub fn in_bucket(self, bucket: Option<&str>) -> Self {
        let bucket = bucket.map(Arc::from);
        Self { bucket, ..self }
    }

    /// The bucket of the tenant's own.
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// The same jail, confined to a folder.
    pub fn confined_to(self, within: Option<PathPrefix>) -> Self {
        Self { within, ..self }
    }

    /// The folder that it is confined to.
    pub fn folder(&self) -> Option<&PathPrefix> {
        self.within.as_ref()
    }

    /// Whether a path may be known of.
    pub fn admits(&self, path: &DatasetPath) -> bool {
        let holds = |within: &PathPrefix| within.contains(path.as_str());
        self.within.as_ref().is_none_or(holds)
    }

    /// The S3 key of a path. Refuses a key that is too long or that lies in another's jail.
    pub fn key(&self, path: &DatasetPath) -> Result<String, InvalidPath> {
        if !self.admits(path) {
            return Err(InvalidPath::OutsidePrefix);
        }
        let key = format!("{}{}", self.prefix, path.relative());
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        if self.is_anothers(&key) {
            return Err(InvalidPath::OtherTenant);
        }
        Ok(key)
    }

    /// The S3 prefix of a listing under `/…` or `…`; the empty one lists the whole jail. Nothing
    /// where there is nothing to be seen.
    pub fn key_prefix(&self, prefix: &str) -> Result<Option<String>, InvalidPath> {
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
        if prefix.chars().any(char::is_control) {
            return Err(InvalidPath::ControlCharacter);
        }
        let whole = format!("/{prefix}");
        let met = match &self.within {
            Some(within) => within.intersect(&whole),
            None => Some(&*whole),
        };
        let Some(relative) = met.and_then(|met| met.strip_prefix('/')) else {
            return Ok(None);
        };
        let key = format!("{}{relative}", self.prefix);
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        Ok(Some(key))
    }

    /// The first folder on the way from `/…` or `…` down to the folder that the caller is confined
    /// to; nothing where it is not above that.
    pub fn next_folder(&self, prefix: &str) -> Option<DatasetPath> {
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
        let folder = self.within.as_ref()?.next_folder(&format!("/{prefix}"))?;
        Some(DatasetPath::from_stored(folder.to_owned()))
    }

    /// The path of a key, or nothing where the key is not this tenant's.
    pub fn path(&self, key: &str) -> Option<DatasetPath> {
        if self.is_anothers(key) {
            return None;
        }
        let relative = key.strip_prefix(&*self.prefix)?;
        let path = DatasetPath::from_stored(format!("/{relative}"));
        self.admits(&path).then_some(path)
    }

    /// The path by which every operation reaches exactly the object at `key`; an error where no
    /// path does, and nothing where the key is not this caller's.
    pub fn address(&self, key: &str) -> Option<Result<DatasetPath, InvalidPath>> {
        let path = self.path(key)?;
        Some(DatasetPath::parse(path.as_str()))
    }

    /// The same of a folder, a key prefix that ends with a slash. One without an address holds no
    /// key that has one.
    pub fn folder_address(&self, prefix: &str) -> Option<Result<DatasetPath, InvalidPath>> {
        let path = self.path(prefix)?;
        let relative = path.relative();
        let inner = relative.strip_suffix('/').unwrap_or(relative);
        Some(check_segments(inner).map(|()| path))
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
        assert_eq!(jail.key_prefix("/x"), Ok(Some("acme/x".into())));
    }

    #[test]
    fn a_confined_caller_sees_only_its_folder() {
        let jail = Jail::new("acme/", vec![]).confined_to(PathPrefix::parse("/in/").unwrap());
        assert_eq!(jail.key(&path("/in/a")).as_deref(), Ok("acme/in/a"));
        assert_eq!(jail.path("acme/in/a"), Some(path("/in/a")));
        for outside in ["/inbox/a", "/a", "/in"] {
            let key = jail.key(&path(outside));
            assert_eq!(key, Err(InvalidPath::OutsidePrefix), "{outside}");
            assert_eq!(jail.path(&format!("acme{outside}")), None, "{outside}");
        }
        assert_eq!(jail.key_prefix(""), Ok(Some("acme/in/".into())));
        assert_eq!(jail.key_prefix("/in/x"), Ok(Some("acme/in/x".into())));
        assert_eq!(jail.key_prefix("/out/"), Ok(None));
    }

    #[test]
    fn the_default_tenant_does_not_see_the_others() {
        let jail = Jail::new("", vec!["acme/".into()]);
        assert_eq!(
            jail.key(&path("/acme/a.csv")),
            Err(InvalidPath::OtherTenant)
        );
        assert_eq!(jail.path("acme/a.csv"), None);
        assert_eq!(jail.path("acme.csv"), Some(path("/acme.csv")));
    }

    #[test]
    fn a_key_has_an_address_where_its_path_leads_back_to_it() {
        let jail = Jail::new("acme/", vec![]);
        assert_eq!(jail.address("acme/a.csv"), Some(Ok(path("/a.csv"))));
        assert_eq!(jail.address("other/a.csv"), None);
        for (key, reason) in [
            ("acme/", InvalidPath::Empty),
            ("acme//a.csv", InvalidPath::EmptySegment),
            ("acme/a//b", InvalidPath::EmptySegment),
            ("acme/folder/", InvalidPath::EmptySegment),
            ("acme/a/../b", InvalidPath::DotSegment),
            ("acme/./b", InvalidPath::DotSegment),
            ("acme/x/action/y", InvalidPath::ReservedSegment),
            ("acme/bell\u{7}", InvalidPath::ControlCharacter),
        ] {
            assert_eq!(jail.address(key), Some(Err(reason)), "{key}");
        }
        let folder = |path: &str| Some(Ok(DatasetPath::from_stored(path.to_owned())));
        assert_eq!(jail.folder_address("acme/data/"), folder("/data/"));
        assert_eq!(jail.folder_address("acme/x/action/"), folder("/x/action/"));
        for key in ["acme//", "acme/a//", "acme/../", "acme/bell\u{7}/"] {
            assert!(matches!(jail.folder_address(key), Some(Err(_))), "{key}");
        }
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
