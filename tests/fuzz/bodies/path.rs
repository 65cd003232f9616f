//! A path, as a client sends it.

use upload_broker::domain::jail::Jail;
use upload_broker::domain::path::{DatasetPath, MAX_KEY_BYTES};

/// An accepted path maps to a valid key in the jail of its tenant and in no other jail, and the key maps back to
/// the same path.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let acme = Jail::new("acme/", Vec::new());
    let rest = Jail::new("", vec!["acme/".to_owned()]);
    for (jail, prefix, other) in [(&acme, "acme/", &rest), (&rest, "", &acme)] {
        if let Ok(Some(listed)) = jail.key_prefix(text) {
            assert!(listed.starts_with(prefix), "{text:?} lists {listed:?}");
        }
        let Ok(path) = DatasetPath::parse(text) else {
            continue;
        };
        assert_eq!(DatasetPath::parse(path.as_str()).as_ref(), Ok(&path));
        let Ok(key) = jail.key(&path) else {
            continue;
        };
        assert!(
            key.starts_with(prefix) && key.len() <= MAX_KEY_BYTES,
            "{key:?}"
        );
        assert!(!key.chars().any(char::is_control), "{key:?}");
        let is_valid = |segment: &str| !matches!(segment, "" | "." | "..");
        assert!(key.split('/').all(is_valid), "{key:?}");
        assert_eq!(jail.path(&key), Some(path), "{key:?}");
        assert_eq!(other.path(&key), None, "{key:?} is in another jail too");
    }
}
