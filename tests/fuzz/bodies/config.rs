//! Settings, one per line: `NAME=value`.

use std::collections::BTreeMap;

use upload_broker::config::Settings;

/// The password in `DATABASE_URL`, and the secret access key.
const SECRETS: [&str; 2] = ["correct-horse", "battery-staple"];

/// Settings are accepted, or rejected with reasons. Neither the report nor the reasons contain a secret, however
/// invalid the rest of the variable is.
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
    // An input that contains the secret itself elsewhere is not a leak.
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
                "the result depends only on the settings"
            );
            format!("{}{settings:?}", settings.report())
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            let messages = faults.iter().map(ToString::to_string);
            format!("{}{faults:?}", messages.collect::<String>())
        }
    };
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}
