//! `healthcheck`: sends one GET to `/livez`, so that the image needs no curl.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::output::{print_stderr, report_failure, report_invalid_settings};
use crate::config::{self, Http, Section as _};

const TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn run() -> ExitCode {
    let http = match Http::load(config::env) {
        Ok(http) => http,
        Err(faults) => return report_invalid_settings(&faults),
    };
    let address = reachable(http.bind);
    let response = async {
        match http.tls {
            Some(_) => request_over_tls(address).await,
            None => request_status(address).await,
        }
    };
    match tokio::time::timeout(TIMEOUT, response).await {
        Ok(Ok(status)) if status == "200" => ExitCode::SUCCESS,
        Ok(Ok(status)) => {
            print_stderr(&format!("{address} answered {status}"));
            ExitCode::FAILURE
        }
        Ok(Err(error)) => report_failure(&format!("{address} does not respond"), &error),
        Err(_) => {
            print_stderr(&format!("{address} did not respond within {TIMEOUT:?}"));
            ExitCode::FAILURE
        }
    }
}

/// The address at which a listener on all addresses can be reached from this machine.
pub(super) fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

/// Sends the request over TLS. The certificate is not verified: it names hosts instead of this
/// address, and the listener on this address is the broker itself.
async fn request_over_tls(address: SocketAddr) -> io::Result<String> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(io::Error::other)?;
    let response = client.get(format!("https://{address}/livez")).send().await;
    let status = response.map_err(io::Error::other)?.status();
    Ok(status.as_str().to_owned())
}

/// Sends the request, and returns the status code of the response.
async fn request_status(address: SocketAddr) -> io::Result<String> {
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
