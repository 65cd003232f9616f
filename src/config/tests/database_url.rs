//! `DATABASE_URL`: which URLs are accepted or rejected, and the error messages.

use secrecy::ExposeSecret as _;

use super::{good, load};
use crate::config::{DatabaseServer, DatabaseUrl, Roots, TlsMode};

fn read(rest: &str) -> DatabaseUrl {
    DatabaseUrl::parse(rest).unwrap_or_else(|detail| panic!("{rest}: {detail}"))
}

fn server(host: &str, port: u16) -> DatabaseServer {
    DatabaseServer {
        host: host.to_owned(),
        address: None,
        port,
    }
}

#[test]
fn servers_are_parsed_as_in_libpq() {
    for (url, servers) in [
        ("postgres://one", vec![server("one", 5432)]),
        (
            "postgresql://u:a,b@one:1,[::1]:2/db",
            vec![server("one", 1), server("::1", 2)],
        ),
        (
            "postgres://%2Frun%2Fpostgresql/db",
            vec![server("/run/postgresql", 5432)],
        ),
        (
            "postgres:///db?host=/run/postgresql",
            vec![server("/run/postgresql", 5432)],
        ),
        (
            "postgres://u@/db?host=one,two&port=1,2",
            vec![server("one", 1), server("two", 2)],
        ),
        (
            "postgres://one:1,two:2/db?port=7",
            vec![server("one", 7), server("two", 7)],
        ),
        (
            "postgres:///db?hostaddr=127.0.0.1",
            vec![DatabaseServer {
                address: Some([127, 0, 0, 1].into()),
                ..server("127.0.0.1", 5432)
            }],
        ),
    ] {
        assert_eq!(read(url).servers(), servers, "{url}");
    }
    for bad in [
        "postgres://",
        "postgres:///db",
        "postgres://one,/db",
        "postgres://one:x/db",
        "postgres://one:70000/db",
        "postgres://[::1/db",
        "postgres://[::1]x/db",
        "postgres:///db?host=",
        "postgres://one,two/db?port=1,2,3",
        "postgres://one/db?hostaddr=127.0.0.1,127.0.0.2",
        "postgres://one/db?hostaddr=localhost",
        "postgres://one/%FF",
        "postgres://one/a%00b",
        "mysql://one/db",
        "host=one",
    ] {
        let detail = DatabaseUrl::parse(bad).expect_err(bad);
        assert!(detail.starts_with("must "), "{bad}: {detail}");
    }
}

#[test]
fn tls_mode_and_roots_are_parsed_as_in_libpq() {
    let file = || Roots::File("/ca.pem".to_owned());
    for (query, mode, roots) in [
        ("", TlsMode::Prefer, Roots::System),
        ("?sslmode=disable", TlsMode::Disable, Roots::System),
        ("?sslmode=require", TlsMode::Require, Roots::System),
        ("?sslmode=verify-ca", TlsMode::VerifyCa, Roots::System),
        ("?sslmode=verify-full", TlsMode::VerifyFull, Roots::System),
        ("?sslrootcert=system", TlsMode::VerifyFull, Roots::System),
        (
            "?sslrootcert=/ca.pem&sslmode=verify-full",
            TlsMode::VerifyFull,
            file(),
        ),
        (
            "?sslmode=require&sslrootcert=%2Fca.pem",
            TlsMode::VerifyCa,
            file(),
        ),
    ] {
        let url = read(&format!("postgres://db/x{query}"));
        let options = url.options();
        assert_eq!((options.tls, &options.roots), (mode, &roots), "{query}");
    }
}

#[test]
fn unsupported_option_is_rejected_by_name_with_advice() {
    for good in [
        "connect_timeout=10",
        "application_name=broker",
        "options=-c%20search_path%3Dbroker",
        "keepalives=1&keepalives_idle=5&keepalives_interval=1&keepalives_retries=3",
        "tcp_user_timeout=10",
        "target_session_attrs=read-write",
        "channel_binding=prefer",
        "channel_binding=require&sslmode=require",
        "sslnegotiation=direct&sslmode=require",
        "load_balance_hosts=random",
        "user=me&password=a%FFb&dbname=y",
    ] {
        read(&format!("postgres://db/x?{good}"));
    }
    for (bad, said) in [
        ("sslmode=allow", "prefer"),
        ("sslmode=no-verify", "require"),
        ("sslmode=REQUIRE", "verify-full"),
        ("pgbouncer=true", "session mode"),
        ("gssencmode=disable", "GSSAPI"),
        ("schema=broker", "search_path"),
        ("connection_limit=5", "BROKER_DB_POOL_SIZE"),
        ("sslcert=/me.pem", "client certificates"),
        ("ssl=true", "sslmode=require"),
        ("nonsense=1", "leave it out"),
        ("connect_timeout=soon", "whole number"),
        ("target_session_attrs=read-only", "read-write"),
        ("channel_binding=always", "require"),
        ("channel_binding=require&sslmode=disable", "sslmode=require"),
        ("sslnegotiation=direct", "sslmode=require"),
        ("sslrootcert=/ca.pem", "sslmode=require"),
        ("sslrootcert=system&sslmode=require", "sslmode=verify-full"),
    ] {
        let url = format!("postgres://u:hunter2@db/x?{bad}");
        let faults = load(&[("DATABASE_URL", &url)]).map(|_| ()).expect_err(bad);
        let name = bad.split('=').next().unwrap_or_default();
        let [fault] = &faults[..] else {
            panic!("{bad}: {faults:?}");
        };
        assert!(fault.starts_with("DATABASE_URL="), "{bad}: {fault}");
        assert!(
            fault.contains(name) && fault.contains(said),
            "{bad}: {fault}"
        );
        assert!(!fault.contains("hunter2"), "{bad}: {fault}");
    }
}

#[test]
fn unencoded_end_of_password_is_rejected_and_not_shown() {
    for url in [
        "postgres://u:12?hunter2=x@db/x",
        "postgres://u:12/x?hunter2=x@db/x",
        "postgres://u:12#hunter2@db/x",
    ] {
        let faults = load(&[("DATABASE_URL", url)]).map(|_| ()).expect_err(url);
        assert!(faults[0].contains("percent-encoded"), "{faults:?}");
        assert!(!faults[0].contains("hunter2"), "{faults:?}");
    }
    let settings = good(&[("DATABASE_URL", "postgres://u:12%3Fhunter2%3Dx%40@db/x")]);
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn database_may_be_given_by_its_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("password");
    std::fs::write(&secret, "hunter2\n").expect("a file");
    let secret = secret.to_str().expect("text");
    let settings = good(&[
        ("DATABASE_URL", ""),
        ("BROKER_DB_HOST", "db.example.com"),
        ("BROKER_DB_NAME", "broker"),
        ("BROKER_DB_USER", "me"),
        ("BROKER_DB_PASSWORD_FILE", secret),
        ("BROKER_DB_SSLMODE", "require"),
    ]);
    let url = &settings.database.url;
    assert_eq!(url.servers(), [server("db.example.com", 5432)]);
    assert_eq!(url.options().user.as_deref(), Some("me"));
    assert_eq!(url.options().password_file.as_deref(), Some(secret));
    assert_eq!(url.options().tls, TlsMode::Require);
}

#[test]
fn url_and_secrets_may_be_in_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    };
    let url = file("url", "postgres://me:hunter2@db/broker\n");
    let token = file("token", &format!("{}\r\n", "t".repeat(32)));
    let settings = good(&[
        ("DATABASE_URL", ""),
        ("DATABASE_URL_FILE", &url),
        ("BROKER_TOKEN_SECRET_FILE", &token),
    ]);
    assert_eq!(settings.database.url.servers(), [server("db", 5432)]);
    let secret = settings.identity.token_secret.expect("a secret");
    assert_eq!(secret.expose_secret(), "t".repeat(32));
}

#[test]
fn parts_of_login_that_contradict_each_other_are_rejected_by_name() {
    for (changes, expected) in [
        (
            &[("BROKER_DB_HOST", "db")][..],
            "BROKER_DB_HOST=\"db\": must not be set together with DATABASE_URL",
        ),
        (
            &[("BROKER_DB_USER", "me")],
            "BROKER_DB_USER=\"me\": must not be set without BROKER_DB_HOST",
        ),
        (
            &[
                ("DATABASE_URL", ""),
                ("BROKER_DB_HOST", "db"),
                ("BROKER_DB_PORT", "0"),
            ],
            "BROKER_DB_PORT=\"0\": must be a whole number from 1 to 65535",
        ),
        (
            &[
                ("DATABASE_URL", ""),
                ("BROKER_DB_HOST", "db"),
                ("BROKER_DB_SSLMODE", "on"),
            ],
            "BROKER_DB_HOST=\"db\": and the other parts: must have disable",
        ),
        (
            &[("DATABASE_URL", ""), ("DATABASE_URL_FILE", "/nowhere/url")],
            "DATABASE_URL_FILE=\"/nowhere/url\": must name a file that can be read",
        ),
        (
            &[
                ("BROKER_TOKEN_SECRET", "x"),
                ("BROKER_TOKEN_SECRET_FILE", "/etc/hostname"),
            ],
            "BROKER_TOKEN_SECRET_FILE=\"/etc/hostname\": must not be set together with BROKER_TOKEN_SECRET",
        ),
    ] {
        let faults = load(changes).expect_err("a fault");
        assert!(
            faults.iter().any(|fault| fault.starts_with(expected)),
            "{expected}: {faults:#?}"
        );
    }
}
