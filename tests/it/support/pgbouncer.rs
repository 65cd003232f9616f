//! PgBouncer, as Debian packages it, in front of the Postgres of the tests.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::database;
use super::observe::eventually;
use super::process::free_port;

/// A running PgBouncer. It stops when this value is dropped.
pub struct PgBouncer {
    address: SocketAddr,
    _process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts PgBouncer with this `pool_mode`, and with more sessions than a broker has connections.
    pub async fn start(pool_mode: &str) -> PgBouncer {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // PgBouncer may run as another user, and writes its log to this folder.
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(folder.path(), open).expect("the permissions of the folder");
        let (port, postgres) = (free_port(), database::address());
        let settings = folder.path().join("pgbouncer.ini");
        let log = folder.path().join("log");
        let text = format!(
            "[databases]\n\
             * = host={host} port={upstream}\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = trust\n\
             auth_file = {users}\n\
             pool_mode = {pool_mode}\n\
             default_pool_size = 40\n\
             logfile = {log}\n",
            host = postgres.ip(),
            upstream = postgres.port(),
            users = folder.path().join("users").display(),
            log = log.display(),
        );
        fs::write(&settings, text).expect("its settings");
        let users = format!("\"postgres\" \"{}\"\n", database::password());
        fs::write(folder.path().join("users"), users).expect("its users");
        let mut command = Command::new("pgbouncer");
        command.env(
            "PATH",
            "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin:/bin",
        );
        // PgBouncer refuses to run as root.
        if fs::metadata(folder.path()).is_ok_and(|folder| folder.uid() == 0) {
            command.args(["-u", "nobody"]);
        }
        command.arg("-q").arg(&settings).kill_on_drop(true);
        let _inside = super::shared().enter();
        let process = command
            .spawn()
            .unwrap_or_else(|error| panic!("no PgBouncer ({error}): make pooler"));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        eventually("PgBouncer listens", async || {
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        PgBouncer {
            address,
            _process: process,
            _folder: folder,
        }
    }

    /// Returns the address that PgBouncer listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
