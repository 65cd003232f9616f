//! Real stores other than AWS: one process of each per test process, on free loopback ports and with its own
//! folder. Parallel tests use different buckets.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use upload_broker::dev::child::ServerProcess;

use super::cloud::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use super::process_folder;

/// A running store.
type Running = (ServerProcess, SocketAddr);

/// The longest time in which a store starts on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the address of SeaweedFS, which checks the conditions of writes and the checksums of bytes.
pub fn seaweedfs() -> SocketAddr {
    static STORE: OnceLock<Running> = OnceLock::new();
    STORE.get_or_init(|| start("seaweedfs", "weed", weed)).1
}

/// Returns the address of rclone in front of a folder, which checks neither.
pub fn rclone() -> SocketAddr {
    static STORE: OnceLock<Running> = OnceLock::new();
    STORE.get_or_init(|| start("rclone", "rclone", serve_s3)).1
}

/// Starts a store. If another process takes one of its ports, it is started again with other ports.
fn start(name: &str, program: &str, arguments: fn(&mut Command, &Path) -> SocketAddr) -> Running {
    let program = program_of(program);
    let folder = process_folder::path().join(name);
    let log = process_folder::path().join(format!("{name}.log"));
    for _ in 0..5 {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder under target/tmp");
        let output = File::create(&log).expect("a log file under target/tmp");
        let errors = output.try_clone().expect("a second handle of it");
        let mut command = Command::new(&program);
        // The configuration of the user is neither read nor written.
        (command.current_dir(&folder).env("HOME", &folder))
            .env("XDG_CONFIG_HOME", &folder)
            .stdout(output)
            .stderr(errors);
        let address = arguments(&mut command, &folder);
        let mut process = ServerProcess::spawn(&mut command, "TERM", Duration::from_secs(2))
            .expect("the store's process");
        if is_up(&mut process, address) {
            return (process, address);
        }
    }
    panic!("{name} does not start; see {}", log.display());
}

fn is_up(process: &mut ServerProcess, address: SocketAddr) -> bool {
    let end = Instant::now() + TIMEOUT;
    while Instant::now() < end {
        if process.try_wait().expect("its state").is_some() {
            return false;
        }
        if responds(address) {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Returns whether the store responds without a server error. SeaweedFS returns errors until all its parts have
/// started.
fn responds(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let status = |answer: &str| answer.split(' ').nth(1)?.parse::<u16>().ok();
    ask().is_ok_and(|answer| status(&answer).is_some_and(|status| status < 500))
}

fn weed(command: &mut Command, folder: &Path) -> SocketAddr {
    let identity = serde_json::json!({"identities": [{
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY_ID, "secretKey": SECRET_ACCESS_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }]});
    fs::write(folder.join("s3.json"), identity.to_string()).expect("a file");
    // The paths are relative, because the path of a socket must be short.
    command.args(["-logtostderr=true", "server", "-dir=.", "-ip=127.0.0.1"]);
    command.args(["-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.config=s3.json"]);
    command.args(["-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock"]);
    command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.args(["-master.telemetry=false", "-master.volumeSizeLimitMB=64"]);
    command.arg("-volume.max=0");
    let ports = free_ports::<8>();
    let names = [
        "s3.port",
        "s3.port.grpc",
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
    ];
    for (name, port) in names.into_iter().zip(ports) {
        command.arg(format!("-{name}={port}"));
    }
    (Ipv4Addr::LOCALHOST, ports[0]).into()
}

fn serve_s3(command: &mut Command, folder: &Path) -> SocketAddr {
    let data = folder.join("data");
    fs::create_dir_all(&data).expect("a folder");
    let [port] = free_ports();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    command.args(["serve", "s3", "--config", ""]);
    command.args(["--addr", &address.to_string()]);
    command.arg("--auth-key");
    command.arg(format!("{ACCESS_KEY_ID},{SECRET_ACCESS_KEY}"));
    command.arg(data);
    address
}

/// Returns different ports that are free now.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] = std::array::from_fn(|_| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback")
    });
    listeners.map(|listener| listener.local_addr().expect("its address").port())
}

/// Returns the path of a program in the folder that the Makefile creates.
fn program_of(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(".tools/stores/bin")
        .join(name);
    assert!(
        path.is_file(),
        "{} is missing: run `make test-stores` (or `make venv`, then cargo test)",
        path.display()
    );
    path
}
