//! Settings, a line each: `NAME=value`.

use std::collections::BTreeMap;

use upload_broker::config::Settings;

/// The password in `DATABASE_URL`, and the secret key.
const SECRETS: [&str; 2] = ["correct-horse", "battery-staple"];

/// Settings are taken or refused with reasons, and neither shows a secret, however broken the rest
/// of its variable is.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let [password, key] = SECRETS;
    let mut all: BTreeMap<&str, String> = (text.lines())
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    let url = all.remove("DATABASE_URL").unwrap_or_default();
    // Whoever writes the secret itself elsewhere is not meant.
    if SECRETS.iter().any(|secret| text.contains(secret)) {
        return;
    }
    all.insert(
        "DATABASE_URL",
        format!("postgres://broker:{password}@{url}"),
    );
    all.insert("AWS_SECRET_ACCESS_KEY", key.to_owned());
    let load = || Settings::load(|name| all.get(name).cloned());
    let shown = match load() {
        Ok(settings) => {
            let again = load().map(|settings| settings.report());
            assert_eq!(
                Ok(settings.report()),
                again,
                "it depends on more than its text"
            );
            format!("{}{settings:?}", settings.report())
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            let told = faults.iter().map(ToString::to_string);
            format!("{}{faults:?}", told.collect::<String>())
        }
    };
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}
