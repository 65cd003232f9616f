//! Postgres over TLS with each `sslmode` of `DATABASE_URL`: which servers are accepted, which are
//! rejected, and that the connection really is encrypted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use upload_broker::dev::postgres::{Options, Postgres};

use crate::support::pg_bin;
use crate::support::process::{FinishedProcess, Run};

/// A server with a certificate for `localhost`, and the CA that signed it.
pub struct Secured {
    server: Postgres,
    folder: TempDir,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a CA")
}

/// A folder under `/tmp`, which the user of the server can read when the tests run as root.
fn folder() -> TempDir {
    let open = fs::Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().permissions(open).tempdir();
    folder.expect("a temporary folder")
}

fn start(folder: &TempDir, settings: &[(&str, String)]) -> Postgres {
    let settings = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    let options = Options {
        bin: pg_bin(),
        durable: false,
        settings: settings.collect(),
        ..Options::new(folder.path().join("postgres"))
    };
    Postgres::start(&options).unwrap_or_else(|error| panic!("{error}"))
}

impl Secured {
    pub fn new() -> Secured {
        let folder = folder();
        let ca = authority("ours");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &ca).expect("a certificate");
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file");
            path
        };
        write("ca.pem", ca.pem());
        write("other-ca.pem", authority("another").pem());
        let certificate = write("server.pem", certificate.pem());
        let key = write("server.key", key.serialize_pem());
        hand_over(&folder, &key);
        let server = start(
            &folder,
            &[
                ("ssl", "on".into()),
                ("ssl_cert_file", certificate.display().to_string()),
                ("ssl_key_file", key.display().to_string()),
            ],
        );
        Secured { server, folder }
    }

    /// The URL with a host name and parameters. `DIR` in the parameters stands for the folder of
    /// the certificates.
    pub fn url(&self, host: &str, parameters: &str) -> String {
        let url = self.server.url("postgres").replace("127.0.0.1", host);
        let folder = self.folder.path().display().to_string();
        format!("{url}?{}", parameters.replace("DIR", &folder))
    }
}

/// Makes the key file acceptable to Postgres, which requires that only its own user can read it.
/// When the tests run as root, the server runs as another user: the owner of the data folder that a
/// first start creates.
fn hand_over(folder: &TempDir, key: &PathBuf) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    start(folder, &[]).stop().expect("a first start");
    let data = fs::metadata(folder.path().join("postgres/cluster/data")).expect("its data");
    chown(key, Some(data.uid()), Some(data.gid())).expect("a key to hand over");
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("a key of its own");
}

async fn migrate(url: String) -> FinishedProcess {
    Run::new(&["migrate"])
        .set("DATABASE_URL", url)
        .finish()
        .await
}

/// The number of encrypted sessions that the server has logged.
fn encrypted_sessions(server: &Postgres) -> usize {
    let log = fs::read_to_string(server.log()).expect("the server's log");
    log.matches("SSL enabled").count()
}

#[tokio::test]
async fn tls_is_used_and_server_is_verified_as_sslmode_says() {
    let secured = Secured::new();
    let log_sessions = "ALTER SYSTEM SET log_connections = on";
    let client = crate::support::database::connect(&secured.server.url("postgres")).await;
    client.batch_execute(log_sessions).await.expect("a setting");
    client
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .expect("a reload");

    for (host, parameters) in [
        ("127.0.0.1", "sslmode=require"),
        ("localhost", "sslmode=verify-full&sslrootcert=DIR/ca.pem"),
        // The certificate is for another name, which these modes do not compare.
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=DIR/ca.pem"),
        ("127.0.0.1", "sslmode=require&sslrootcert=DIR/ca.pem"),
    ] {
        let before = encrypted_sessions(&secured.server);
        migrate(secured.url(host, parameters)).await.ok();
        let after = encrypted_sessions(&secured.server);
        assert!(after > before, "{parameters}: the session is not encrypted");
    }
    for (host, parameters, why) in [
        (
            "localhost",
            "sslmode=verify-full&sslrootcert=DIR/other-ca.pem",
            "UnknownIssuer",
        ),
        ("localhost", "sslmode=verify-full", "UnknownIssuer"),
        (
            "127.0.0.1",
            "sslmode=verify-ca&sslrootcert=DIR/other-ca.pem",
            "UnknownIssuer",
        ),
        (
            "127.0.0.1",
            "sslmode=require&sslrootcert=DIR/other-ca.pem",
            "UnknownIssuer",
        ),
        (
            "127.0.0.1",
            "sslmode=verify-full&sslrootcert=DIR/ca.pem",
            "not valid for",
        ),
        (
            "localhost",
            "sslmode=verify-full&sslrootcert=DIR/missing.pem",
            "missing.pem",
        ),
    ] {
        let ended = migrate(secured.url(host, parameters)).await;
        ended.expect_failure(1, &[why]);
    }
}

#[tokio::test]
async fn server_without_tls_is_rejected_where_sslmode_requires_tls() {
    let folder = folder();
    let server = start(&folder, &[]);
    for mode in ["require", "verify-ca", "verify-full"] {
        let ended = migrate(format!("{}?sslmode={mode}", server.url("postgres"))).await;
        ended.expect_failure(1, &["does not support TLS"]);
    }
    migrate(server.url("postgres")).await.ok();
}
