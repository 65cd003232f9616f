//! The bucket and the key prefix that a tenant is confined to.
//!
//! Every key that is sent to S3 comes from [`Jail::key`] or [`Jail::key_prefix`], and every path
//! that is sent to a client comes from [`Jail::path`].

use std::sync::Arc;

use super::path::{DatasetPath, InvalidPath, MAX_KEY_BYTES, PROBE_FOLDER, check_segments};
use super::prefix::PathPrefix;

/// The tenant of an installation with a single tenant. Its key prefix is empty.
pub const DEFAULT_TENANT: &str = "default";

/// The part of a bucket that a caller may reach: the key prefix of its tenant, or a folder in it.
///
/// The default tenant has the empty prefix, except for the prefixes of the other tenants. The folder
/// of probes belongs to no tenant.
#[derive(Clone, Debug)]
pub struct Jail {
    bucket: Option<Arc<str>>,
    prefix: Arc<str>,
    others: Arc<[String]>,
    folder: Option<PathPrefix>,
}

impl Jail {
    /// A jail in the common bucket. `prefix` is empty or ends with `/`; `others` are the prefixes
    /// of other tenants, which are excluded from it.
    pub fn new(prefix: &str, others: Vec<String>) -> Self {
        Self {
            bucket: None,
            prefix: prefix.into(),
            others: others.into(),
            folder: None,
        }
    }

    /// Moves the jail into a bucket of the tenant's own; `None` for the common bucket.
    pub fn in_bucket(self, bucket: Option<&str>) -> Self {
        let bucket = bucket.map(Arc::from);
        Self { bucket, ..self }
    }

    /// The bucket of the tenant's own, if it has one.
    pub fn bucket(&self) -> Option<&str> {
        self.bucket.as_deref()
    }

    /// Confines the jail to a folder; `None` for no further confinement.
    pub fn confined_to(self, folder: Option<PathPrefix>) -> Self {
        Self { folder, ..self }
    }

    /// The folder that the jail is confined to, if it is.
    pub fn folder(&self) -> Option<&PathPrefix> {
        self.folder.as_ref()
    }

    /// Whether the caller may know whether anything exists at `path`.
    pub fn admits(&self, path: &DatasetPath) -> bool {
        let contains = |folder: &PathPrefix| folder.contains(path.as_str());
        self.folder.as_ref().is_none_or(contains)
    }

    /// Returns the S3 key of `path`.
    ///
    /// # Errors
    /// The path is outside the folder, the key is too long, or it has the prefix of another tenant
    /// or is in [`PROBE_FOLDER`].
    pub fn key(&self, path: &DatasetPath) -> Result<String, InvalidPath> {
        if !self.admits(path) {
            return Err(InvalidPath::OutsidePrefix);
        }
        let key = format!("{}{}", self.prefix, path.relative());
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        if self.is_reserved(&key) {
            return Err(InvalidPath::ReservedPrefix);
        }
        Ok(key)
    }

    /// Returns the S3 prefix that lists the paths starting with `prefix`, which may omit the
    /// leading slash. An empty `prefix` lists the whole jail. `None` if no such path can be inside
    /// the folder.
    ///
    /// # Errors
    /// The prefix has a control character or is too long.
    pub fn key_prefix(&self, prefix: &str) -> Result<Option<String>, InvalidPath> {
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
        if prefix.chars().any(char::is_control) {
            return Err(InvalidPath::ControlCharacter);
        }
        let whole = format!("/{prefix}");
        let common = match &self.folder {
            Some(folder) => folder.intersect(&whole),
            None => Some(&*whole),
        };
        let Some(relative) = common.and_then(|common| common.strip_prefix('/')) else {
            return Ok(None);
        };
        let key = format!("{}{relative}", self.prefix);
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        Ok(Some(key))
    }

    /// Returns the first folder below `prefix` on the way to the folder that the caller is confined
    /// to. `None` if `prefix` is not above that folder.
    pub fn next_folder(&self, prefix: &str) -> Option<DatasetPath> {
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
        let folder = self.folder.as_ref()?.next_folder(&format!("/{prefix}"))?;
        Some(DatasetPath::from_stored(folder.to_owned()))
    }

    /// Returns the path of `key`; `None` if the key is outside the jail.
    pub fn path(&self, key: &str) -> Option<DatasetPath> {
        if self.is_reserved(key) {
            return None;
        }
        let relative = key.strip_prefix(&*self.prefix)?;
        let path = DatasetPath::from_stored(format!("/{relative}"));
        self.admits(&path).then_some(path)
    }

    /// Returns the path by which every operation reaches exactly the object at `key`. `None` if the
    /// key is outside the jail; `Some(Err(_))` if the key is inside, but no valid path leads to it.
    pub fn address(&self, key: &str) -> Option<Result<DatasetPath, InvalidPath>> {
        let path = self.path(key)?;
        Some(DatasetPath::parse(path.as_str()))
    }

    /// As [`address`](Self::address), for a folder: a key prefix that ends with a slash. A folder
    /// without a valid path contains no key with a valid path.
    pub fn folder_address(&self, prefix: &str) -> Option<Result<DatasetPath, InvalidPath>> {
        let path = self.path(prefix)?;
        let relative = path.relative();
        let inner = relative.strip_suffix('/').unwrap_or(relative);
        Some(check_segments(inner).map(|()| path))
    }

    fn is_reserved(&self, key: &str) -> bool {
        key.starts_with(PROBE_FOLDER) || self.others.iter().any(|other| key.starts_with(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(input: &str) -> DatasetPath {
        DatasetPath::parse(input).unwrap()
    }

    #[test]
    fn tenant_reaches_only_its_prefix() {
        let jail = Jail::new("acme/", vec![]);
        assert_eq!(jail.key(&path("/a.csv")).as_deref(), Ok("acme/a.csv"));
        assert_eq!(jail.path("acme/a.csv"), Some(path("/a.csv")));
        assert_eq!(jail.path("acmes/a.csv"), None);
        assert_eq!(jail.key_prefix("/x"), Ok(Some("acme/x".into())));
    }

    #[test]
    fn confined_caller_reaches_only_its_folder() {
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
    fn default_tenant_does_not_reach_other_tenants() {
        let jail = Jail::new("", vec!["acme/".into()]);
        assert_eq!(
            jail.key(&path("/acme/a.csv")),
            Err(InvalidPath::ReservedPrefix)
        );
        assert_eq!(jail.path("acme/a.csv"), None);
        assert_eq!(jail.path("acme.csv"), Some(path("/acme.csv")));
    }

    #[test]
    fn folder_of_probes_belongs_to_no_tenant() {
        let jail = Jail::new("", vec![]);
        let inside = path("/.upload-broker-doctor/a/once");
        assert_eq!(jail.key(&inside), Err(InvalidPath::ReservedPrefix));
        assert_eq!(jail.path(".upload-broker-doctor/a/once"), None);
        assert_eq!(jail.folder_address(PROBE_FOLDER), None);
        let beside = path("/in/.upload-broker-doctor/a");
        assert_eq!(jail.key(&beside).as_deref(), Ok(&beside.as_str()[1..]));
    }

    #[test]
    fn address_is_valid_only_if_path_maps_back_to_key() {
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
    fn key_length_limit_includes_tenant_prefix() {
        let jail = Jail::new("acme/", vec![]);
        let longest = "x".repeat(MAX_KEY_BYTES - 5);
        assert!(jail.key(&path(&longest)).is_ok());
        assert_eq!(
            jail.key(&path(&format!("{longest}x"))),
            Err(InvalidPath::TooLong)
        );
    }
}
