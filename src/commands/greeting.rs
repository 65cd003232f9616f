//! The text that `dev` prints when it is ready.

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// Three lines that can be pasted into any POSIX shell, any number of times.
pub(super) fn greeting(url: &str, bucket: &str, key: &SecretString) -> Zeroizing<String> {
    let key = key.expose_secret();
    let auth = Zeroizing::new(format!("-H 'Authorization: Bearer {key}'"));
    let field = |pattern: &str| format!(r#"$(echo "$S" | sed 's/.*{pattern}":"\([^"]*\)".*/\1/')"#);
    let (target, id) = (field("\"url"), field("^{\"id"));
    let id = id.replacen(".*^", "^", 1);
    let text = format!(
        r#"
upload-broker runs at {url}
documentation {url}/docs   bucket {bucket}   API key {key}

Create an upload session, PUT the bytes directly to S3, then acknowledge and list:

S=$(curl -s {url}/uploads {auth} -H 'Content-Type: application/json' -d '{{"path":"/data/hello-'$(date +%s)'.csv","name":"Hello","size":7}}'); echo "$S"

curl -s -w 'S3 answers %{{http_code}}\n' -X PUT "{target}" -H 'content-type: text/csv' -H 'if-none-match: *' -H "x-amz-meta-upload-id: {id}" --data-binary 'id,name'

curl -s -X POST "{url}/uploads/{id}/acknowledge" {auth}; echo; curl -s '{url}/datasets?prefix=/data/&include=upload' {auth}; echo

Notifications are printed below. Ctrl-C stops everything; the state is kept for the next start.
"#,
        auth = *auth,
    );
    Zeroizing::new(text)
}
