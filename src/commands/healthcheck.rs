//! `healthcheck`: one GET of `/livez`, without curl in the image.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::output::{bad_config, complain, fail};
use crate::config::{self, Http, Section as _};

const BOUND: Duration = Duration::from_secs(3);

pub(super) async fn run() -> ExitCode {
    let http = match Http::load(config::env) {
        Ok(http) => http,
        Err(faults) => return bad_config(&faults),
    };
    let address = reachable(http.bind);
    let asked = async {
        match http.tls {
            Some(_) => ask_securely(address).await,
            None => ask(address).await,
        }
    };
    match tokio::time::timeout(BOUND, asked).await {
        Ok(Ok(status)) if status == "200" => ExitCode::SUCCESS,
        Ok(Ok(status)) => {
            complain(&format!("{address} answers {status}"));
            ExitCode::FAILURE
        }
        Ok(Err(error)) => fail(&format!("{address} does not answer"), &error),
        Err(_) => {
            complain(&format!("{address} did not answer within {BOUND:?}"));
            ExitCode::FAILURE
        }
    }
}

/// Where a listener on every address can be reached from here.
pub(super) fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

/// The same by TLS. The certificate names hosts, not this address, and whoever listens here is us:
/// it is not looked at.
async fn ask_securely(address: SocketAddr) -> io::Result<String> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(io::Error::other)?;
    let answer = client.get(format!("https://{address}/livez")).send().await;
    let status = answer.map_err(io::Error::other)?.status();
    Ok(status.as_str().to_owned())
}

/// The status code of the answer.
async fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /livez HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    let head = String::from_utf8_lossy(&head);
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .unwrap_or("something that is not HTTP/1.1");
    Ok(status.to_owned())
}
