//! Paths: which ones are accepted, how they survive a URL, and which keys they have.

use actix_web::FromRequest as _;
use actix_web::dev::Payload;
use actix_web::test::TestRequest;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use upload_broker::domain::jail::Jail;
use upload_broker::domain::path::DatasetPath;
use upload_broker::domain::prefix::PathPrefix;
use upload_broker::http::extract::path::Dataset;

use super::text;

/// The rules of the contract, implemented a second time.
fn is_path(input: &str) -> bool {
    let key = input.strip_prefix('/').unwrap_or(input);
    let segments: Vec<&str> = key.split('/').collect();
    let reserved = segments.len() > 1 && segments[segments.len() - 2] == "action";
    let dots = segments.iter().any(|segment| [".", ".."].contains(segment));
    (1..=1024).contains(&key.len())
        && !segments.contains(&"")
        && !dots
        && !reserved
        && !key.chars().any(char::is_control)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_valid_paths_are_accepted(input in text()) {
        let parsed = DatasetPath::parse(&input);
        prop_assert_eq!(parsed.is_ok(), is_path(&input), "{:?}: {:?}", input, parsed);
        if let Ok(path) = parsed {
            let key = input.strip_prefix('/').unwrap_or(&input);
            prop_assert_eq!(path.as_str(), format!("/{key}"));
            prop_assert_eq!(path.relative(), key);
            prop_assert_eq!(DatasetPath::parse(path.as_str()), Ok(path.clone()), "again");
            prop_assert!(!path.file_stem().is_empty());
        }
    }

    /// However it is encoded, a path comes out of a URL as it went in, or is rejected for itself.
    #[test]
    fn path_survives_encoding_in_a_url(input in text(), slashes_too in any::<bool>()) {
        let mut encoded = utf8_percent_encode(&input, NON_ALPHANUMERIC).to_string();
        if !slashes_too {
            // The leading slash is omitted or encoded, because `/datasets//a` is rejected.
            let relative = encoded.strip_prefix("%2F").unwrap_or(&encoded);
            encoded = relative.replace("%2F", "/");
        }
        let request = TestRequest::with_uri(&format!("/datasets/{encoded}")).to_http_request();
        let extracted = Dataset::from_request(&request, &mut Payload::None).into_inner();
        match (DatasetPath::parse(&input), extracted) {
            (Ok(path), Ok(Dataset(found))) => prop_assert_eq!(path, found),
            (Err(_), Err(_)) => {}
            (path, found) => prop_assert!(false, "{:?}: {:?}, {:?}", input, path, found),
        }
    }

    /// Any text after `/datasets/` is a valid path or is rejected.
    #[test]
    fn any_url_below_datasets_is_a_valid_path_or_rejected(tail in "([!-~]|%[0-9a-fA-F]{2}){0,60}") {
        let Ok(uri) = format!("/datasets/{tail}").parse::<actix_web::http::Uri>() else {
            return Ok(());
        };
        let request = TestRequest::with_uri(&uri.to_string()).to_http_request();
        if let Ok(Dataset(path)) = Dataset::from_request(&request, &mut Payload::None).into_inner() {
            prop_assert!(is_path(path.as_str()), "{:?}", path);
            prop_assert!(!tail.starts_with('/'), "{:?}", tail);
        }
    }

    /// In any jail, a key has an address exactly if that address leads back to the key.
    #[test]
    fn address_of_a_key_leads_back_to_the_key(relative in text(), acme in any::<bool>()) {
        let prefix = if acme { "acme/" } else { "" };
        let jail = Jail::new(prefix, vec![]);
        let key = format!("{prefix}{relative}");
        let address = jail.address(&key).expect("a key of this tenant");
        let fits = key.len() <= 1024;
        prop_assert_eq!(address.is_ok(), is_path(&format!("/{relative}")), "{:?}", relative);
        if let Ok(path) = address {
            prop_assert_eq!(path.as_str(), format!("/{relative}"));
            prop_assert_eq!(jail.key(&path).ok(), fits.then_some(key));
        }
    }

    /// A caller that is confined to a folder can reach exactly the keys that begin with the folder.
    /// Whatever prefix it asks for, a list contains only keys of the folder.
    #[test]
    fn confined_caller_reaches_only_keys_of_its_folder(input in text(), folder in text(), start in text()) {
        let Ok(Some(within)) = PathPrefix::parse(&folder) else {
            return Ok(());
        };
        let whole = Jail::new("acme/", vec![]);
        let jail = whole.clone().confined_to(Some(within.clone()));
        for input in [input.clone(), format!("{within}{input}"), format!("{folder}{input}")] {
            let Ok(path) = DatasetPath::parse(&input) else {
                continue;
            };
            let is_inside = path.as_str().starts_with(within.as_str());
            prop_assert_eq!(jail.admits(&path), is_inside);
            let Ok(key) = whole.key(&path) else {
                continue;
            };
            prop_assert_eq!(jail.key(&path).ok(), is_inside.then(|| key.clone()));
            prop_assert_eq!(jail.path(&key), is_inside.then_some(path));
        }
        let start = if start.len() % 2 == 0 { start } else { format!("{within}{start}") };
        if let Ok(Some(prefix)) = jail.key_prefix(&start) {
            prop_assert!(prefix.starts_with(&format!("acme{within}")), "{:?}", prefix);
        }
    }

    /// No path of one tenant has the key of another, and every key leads back to its path.
    #[test]
    fn tenant_paths_never_have_keys_of_another_tenant(input in text(), acme in any::<bool>()) {
        let input = if acme { format!("acme/{input}") } else { input };
        let Ok(path) = DatasetPath::parse(&input) else {
            return Ok(());
        };
        let tenant = Jail::new("acme/", vec![]);
        let rest = Jail::new("", vec!["acme/".into()]);
        for (jail, other) in [(&tenant, &rest), (&rest, &tenant)] {
            if let Ok(key) = jail.key(&path) {
                prop_assert!(key.len() <= 1024);
                prop_assert_eq!(jail.path(&key), Some(path.clone()));
                prop_assert_eq!(other.path(&key), None, "{:?}", key);
            }
        }
    }
}
