//! A store whose certificate is signed by a private authority.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::cloud;
use crate::support::observe::eventually;
use crate::support::process::Run;
use crate::support::serving::{Caller, Place};
use crate::support::shared;
use crate::tls::pki::Authority;

/// Starts a TLS proxy in front of the cloud's S3 and returns its endpoint.
async fn behind_tls(authority: &Authority) -> String {
    let (certificate, key) = authority.files("store", "localhost");
    let chain = CertificateDer::pem_file_iter(certificate).expect("a file");
    let chain: Result<Vec<_>, _> = chain.collect();
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.expect("certificates"), key)
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            let store: SocketAddr = cloud::address();
            shared().spawn(async move {
                // A client that does not trust the certificate hangs up.
                let Ok(mut client) = acceptor.accept(client).await else {
                    return;
                };
                let mut store = TcpStream::connect(store).await.expect("the store");
                let _ = copy_bidirectional(&mut client, &mut store).await;
            });
        }
    });
    format!("https://localhost:{}", address.port())
}

fn with(run: Run, endpoint: &str, setting: Option<(&str, &Path)>) -> Run {
    let run = run.set("AWS_ENDPOINT_URL_S3", endpoint);
    match setting {
        Some((name, path)) => run.set(name, path.display()),
        None => run,
    }
}

async fn s3(caller: &Caller) -> Value {
    caller.get("/readyz").await.json()["checks"]["s3"].clone()
}

#[tokio::test]
async fn store_of_private_authority_is_trusted_with_either_variable() {
    let authority = Authority::new();
    let (endpoint, bundle) = (behind_tls(&authority).await, authority.bundle());
    let place = Place::new().await;
    for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let setting = Some((name, bundle.as_path()));
        let (process, caller) = place.start(with(place.serve(), &endpoint, setting)).await;
        eventually("S3 is reached", async || s3(&caller).await == "ok").await;
        caller.get("/datasets").await.expect_ok();
        process.stop("TERM").await.ok();
        // The doctor also writes with the HTTP client of uploaders.
        let run = place.run(&["doctor", "--json"]);
        let ended = with(run, &endpoint, setting).finish().await.ok();
        let lines = ended.out.lines().map(serde_json::from_str::<Value>);
        let mut lines = lines.map(|line| line.expect("JSON"));
        let signatures = lines.find(|line| line["check"] == "signatures");
        assert_eq!(
            signatures.expect("a line")["state"],
            "ok",
            "{name}: {ended:#?}"
        );
    }
}

#[tokio::test]
async fn store_of_private_authority_is_not_trusted_by_default() {
    let authority = Authority::new();
    let endpoint = behind_tls(&authority).await;
    let place = Place::new().await;
    let (process, caller) = place.start(with(place.serve(), &endpoint, None)).await;
    assert_eq!(s3(&caller).await, "unavailable");
    process.stop("TERM").await.ok();
}

#[tokio::test]
async fn invalid_certificate_bundle_prevents_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (absent, junk) = (
        folder.path().join("absent.pem"),
        folder.path().join("junk.pem"),
    );
    std::fs::write(&junk, "no certificate").expect("a file");
    let place = Place::new().await;
    for path in [absent, junk] {
        let run = place.serve().set("AWS_CA_BUNDLE", path.display());
        let file = path.display().to_string();
        let said = ["AWS_CA_BUNDLE cannot be used", file.as_str()];
        run.finish().await.expect_failure(1, &said);
    }
}
