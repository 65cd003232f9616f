//! One Postgres server per test process, and one database per test.
//!
//! The database is a copy of a template in which the migrations were run once. A schema per test would not
//! suffice, because advisory locks and notification channels belong to the whole database.

use std::fs;
use std::pin::Pin;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;
use upload_broker::dev::postgres::{Error, Options, Postgres};

use super::leaks::register_secret;
use super::{block_on, pg_bin, process_folder, shared, unique};

/// A function that fills the template database at a URL.
pub type Migrate = fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A database that is filled once per process, and copied for each test.
pub struct Template {
    migrate: Migrate,
    made: OnceLock<String>,
}

impl Template {
    /// Creates a template that `migrate` fills when the first test needs a copy.
    pub const fn new(migrate: Migrate) -> Template {
        Template {
            migrate,
            made: OnceLock::new(),
        }
    }

    /// Returns the name of the filled database. Concurrent callers wait until it is filled.
    fn name(&self) -> &str {
        self.made.get_or_init(|| {
            let database = create("template", "template0");
            block_on((self.migrate)(database.url.clone()));
            let name = database.name.clone();
            // The template exists until the process ends. The next run removes it.
            std::mem::forget(database);
            name
        })
    }
}

/// The database of one test. It is dropped with this value, even if connections to it are still open.
pub struct Database {
    name: String,
    url: String,
    /// Whether the database is on the shared server.
    shared: bool,
}

/// The template with the schema of the broker.
static MIGRATED: Template = Template::new(|url| {
    Box::pin(async move {
        let done = upload_broker::store::migrations::run(&url).await;
        done.unwrap_or_else(|error| panic!("the migrations fail: {error}"));
    })
});

impl Database {
    /// Creates a database with the tables of the broker.
    pub fn new() -> Database {
        Database::copy_of(&MIGRATED)
    }

    /// Creates an empty database, for the tests of the migrations.
    pub fn empty() -> Database {
        create("t", "template0")
    }

    /// Creates a copy of `template`.
    pub fn copy_of(template: &Template) -> Database {
        create("t", template.name())
    }

    /// Creates a copy of another database, as a backup. It fails while anything is connected to that.
    pub fn backup_of(other: &Database) -> Database {
        create("t", other.name())
    }

    /// Wraps a database on a server of the test itself, which is removed with that server.
    pub fn elsewhere(url: String, name: &str) -> Database {
        register_password(&url);
        let name = name.to_owned();
        Database {
            name,
            url,
            shared: false,
        }
    }

    /// Returns the URL with the credentials of the superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the URL of the database through a proxy at `address`.
    pub fn url_through(&self, address: std::net::SocketAddr) -> String {
        let mut url = url::Url::parse(&self.url).expect("a valid URL");
        url.set_ip_host(address.ip()).expect("an IP address");
        url.set_port(Some(address.port())).expect("a port");
        url.into()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.shared {
            return;
        }
        let sql = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        block_on(admin(&sql));
    }
}

/// Returns the address of Postgres, for a proxy in front of it.
pub fn address() -> std::net::SocketAddr {
    ([127, 0, 0, 1], server().port()).into()
}

/// Returns the password of the superuser, for a pooler in front of Postgres.
pub fn password() -> String {
    let url = server().url("postgres");
    let url = url::Url::parse(&url).expect("a valid URL");
    url.password().expect("a password").to_owned()
}

/// Connects to a database. The shared runtime drives the connection as long as the client exists.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .unwrap_or_else(|error| panic!("no connection to Postgres: {error}"));
    shared().spawn(connection);
    client
}

fn create(kind: &str, template: &str) -> Database {
    let name = unique(kind);
    block_on(admin(&format!(
        "CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""
    )));
    let url = server().url(&name);
    Database {
        name,
        url,
        shared: true,
    }
}

/// Executes one statement on a new connection.
async fn admin(sql: &str) {
    let client = connect(&server().url("postgres")).await;
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

/// Returns the server, which the first call starts.
fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = start().unwrap_or_else(|error| panic!("{error}"));
        register_password(&server.url("postgres"));
        block_on(drop_leftovers(&server));
        server
    })
}

/// Registers the password in this URL as a secret that no log may contain.
fn register_password(url: &str) {
    let url = url::Url::parse(url).expect("a URL");
    if let Some(password) = url.password() {
        register_secret("a password of Postgres", password);
    }
}

fn start() -> Result<Postgres, Error> {
    let options = Options {
        bin: pg_bin(),
        durable: false,
        max_connections: 300,
        ..Options::new(process_folder::path().join("postgres"))
    };
    // The server of a run that was just killed may still be shutting down.
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match Postgres::start(&options) {
            Err(Error::Running { .. }) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            // The data folder is only kept between runs as a cache. Another version of Postgres or a power
            // cut makes it unusable.
            Err(Error::Failed { program, output }) if options.dir.join("cluster").exists() => {
                eprintln!(
                    "{program} cannot use the cached data folder, creating a new one:\n{output}"
                );
                fs::remove_dir_all(options.dir.join("cluster")).expect("the cached data folder");
            }
            other => return other,
        }
    }
}

/// Drops the databases that a killed run has left.
async fn drop_leftovers(server: &Postgres) {
    let client = connect(&server.url("postgres")).await;
    let left = "SELECT datname FROM pg_database WHERE datname ~ '^(t|template)-'";
    for row in client.query(left, &[]).await.expect("pg_database") {
        let name: String = row.get(0);
        let drop = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
        client.batch_execute(&drop).await.expect("an old database");
    }
}
