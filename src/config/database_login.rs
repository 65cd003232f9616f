//! Where Postgres is and how to log in: one URL, a file that contains it, or its parts.

use secrecy::{ExposeSecret as _, SecretString};

use super::database_url::DatabaseUrl;
use super::database_url::parts::DatabaseParts;
use super::parse::number;
use super::reader::Reader;
use super::variable::Variable;
use super::variables::{
    BROKER_DB_HOST, BROKER_DB_NAME, BROKER_DB_PASSWORD, BROKER_DB_PASSWORD_FILE, BROKER_DB_PORT,
    BROKER_DB_SSLMODE, BROKER_DB_SSLROOTCERT, BROKER_DB_USER, DATABASE_URL, DATABASE_URL_FILE,
};

/// The variables that have no effect without `BROKER_DB_HOST`.
const FURTHER_PARTS: [&Variable; 7] = [
    &BROKER_DB_PORT,
    &BROKER_DB_NAME,
    &BROKER_DB_USER,
    &BROKER_DB_PASSWORD,
    &BROKER_DB_PASSWORD_FILE,
    &BROKER_DB_SSLMODE,
    &BROKER_DB_SSLROOTCERT,
];

/// Reads the URL, or makes it of its parts.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<DatabaseUrl> {
    let url = reader.secret(&DATABASE_URL, &DATABASE_URL_FILE, DatabaseUrl::parse);
    let parts = read_parts(reader);
    match (url?, parts?) {
        (Some(url), None) => Some(url),
        (None, Some(parts)) => match DatabaseUrl::parse(parts.to_url().expose_secret()) {
            Ok(url) => Some(url),
            Err(detail) => {
                reader.fault(&BROKER_DB_HOST, format!("and the other parts: {detail}"));
                None
            }
        },
        (Some(_), Some(_)) => {
            let detail = format!("must not be set together with {}", DATABASE_URL.name);
            reader.fault(&BROKER_DB_HOST, detail);
            None
        }
        (None, None) => {
            let detail = format!("must be set. {}", DATABASE_URL.meaning);
            reader.fault(&DATABASE_URL, detail);
            None
        }
    }
}

fn read_parts(reader: &mut Reader<'_>) -> Option<Option<DatabaseParts>> {
    let text = |text: &str| Ok(text.to_owned());
    let host = reader.optional(&BROKER_DB_HOST, text);
    let port = reader.optional(&BROKER_DB_PORT, number(1..=u16::MAX));
    let name = reader.optional(&BROKER_DB_NAME, text);
    let user = reader.optional(&BROKER_DB_USER, text);
    let password = reader.optional(&BROKER_DB_PASSWORD, |text| Ok(SecretString::from(text)));
    let password_file = reader.optional(&BROKER_DB_PASSWORD_FILE, readable);
    let sslmode = reader.optional(&BROKER_DB_SSLMODE, text);
    let sslrootcert = reader.optional(&BROKER_DB_SSLROOTCERT, readable);
    let Some(host) = host? else {
        let mut is_complete = true;
        for part in FURTHER_PARTS {
            if reader.has(part) {
                let detail = format!("must not be set without {}", BROKER_DB_HOST.name);
                reader.fault(part, detail);
                is_complete = false;
            }
        }
        return is_complete.then_some(None);
    };
    Some(Some(DatabaseParts {
        host,
        port: port?,
        name: name?,
        user: user?,
        password: password?,
        password_file: password_file?,
        sslmode: sslmode?,
        sslrootcert: sslrootcert?,
    }))
}

/// The path of a file that can be read now.
fn readable(path: &str) -> Result<String, String> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(path.to_owned()),
        Err(cause) => Err(format!("must name a file that can be read: {cause}")),
    }
}
