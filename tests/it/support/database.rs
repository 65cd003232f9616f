//! One Postgres per test process, one database per test.
//!
//! The database is a copy of a template in which the migrations ran once. A schema per test would
//! not do: notification channels and advisory locks belong to the whole database.

use std::fs;
use std::pin::Pin;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tokio_postgres::NoTls;
use upload_broker::dev::postgres::{Error, Options, Postgres};

use super::leaks::register_secret;
use super::{block_on, pg_bin, process_folder, shared, unique};

/// What fills a template database: runs against its URL.
pub type Migrate = fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// A database that is filled once in a process, and copied for each test.
pub struct Template {
    migrate: Migrate,
    made: OnceLock<String>,
}

impl Template {
    /// A template that `migrate` fills when the first test asks for a copy.
    pub const fn new(migrate: Migrate) -> Template {
        Template {
            migrate,
            made: OnceLock::new(),
        }
    }

    /// The name of the filled database. Tests that come meanwhile wait for it.
    fn name(&self) -> &str {
        self.made.get_or_init(|| {
            let database = create("template", "template0");
            block_on((self.migrate)(database.url.clone()));
            let name = database.name.clone();
            // Kept for the whole process; the next run sweeps it.
            std::mem::forget(database);
            name
        })
    }
}

/// A database of one test; dropped with it, even if connections to it are still open.
pub struct Database {
    name: String,
    url: String,
    /// Whether it lies on the server of all tests.
    shared: bool,
}

/// The broker's own schema.
static MIGRATED: Template = Template::new(|url| {
    Box::pin(async move {
        let done = upload_broker::store::migrations::run(&url).await;
        done.unwrap_or_else(|error| panic!("the migrations fail: {error}"));
    })
});

impl Database {
    /// A database with the broker's tables: what most tests want.
    pub fn new() -> Database {
        Database::copy_of(&MIGRATED)
    }

    /// An empty database: for the migrations' own tests.
    pub fn empty() -> Database {
        create("t", "template0")
    }

    /// A copy of `template`.
    pub fn copy_of(template: &Template) -> Database {
        create("t", template.name())
    }

    /// A database on a server that the test has for itself, and that goes with it.
    pub fn elsewhere(url: String, name: &str) -> Database {
        keep_password(&url);
        let name = name.to_owned();
        Database {
            name,
            url,
            shared: false,
        }
    }

    /// The URL, for a superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name, for those who go through a [`super::gate::Gate`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same database as a client behind `address` sees it.
    pub fn url_through(&self, address: std::net::SocketAddr) -> String {
        let mut url = url::Url::parse(&self.url).expect("our own URL");
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

/// Where Postgres listens, for a gate in front of it.
pub fn address() -> std::net::SocketAddr {
    ([127, 0, 0, 1], server().port()).into()
}

/// The password of the server's superuser, for a pooler in front of it.
pub fn password() -> String {
    let url = server().url("postgres");
    let url = url::Url::parse(&url).expect("our own URL");
    url.password().expect("a password").to_owned()
}

/// A connection of the calling test, driven by its own runtime for as long as the client lives.
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

/// One statement on a connection of its own.
async fn admin(sql: &str) {
    let client = connect(&server().url("postgres")).await;
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

/// The server; started by the first who asks.
fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = start().unwrap_or_else(|error| panic!("{error}"));
        keep_password(&server.url("postgres"));
        block_on(sweep(&server));
        server
    })
}

/// From now on no log may hold the password in this URL.
fn keep_password(url: &str) {
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
    // The server of a run that was killed a moment ago may still be shutting down.
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        match Postgres::start(&options) {
            Err(Error::Running { .. }) if Instant::now() < patience => {
                thread::sleep(Duration::from_millis(20));
            }
            // What is kept between runs is a cache: another version of Postgres, or a machine
            // that lost its power, makes it worthless.
            Err(Error::Failed { program, output }) if options.dir.join("cluster").exists() => {
                eprintln!("{program} cannot use the kept data, starting afresh:\n{output}");
                fs::remove_dir_all(options.dir.join("cluster")).expect("a folder of ours");
            }
            other => return other,
        }
    }
}

/// Drops what a run that was killed has left.
async fn sweep(server: &Postgres) {
    let client = connect(&server.url("postgres")).await;
    let left = "SELECT datname FROM pg_database WHERE datname ~ '^(t|template)-'";
    for row in client.query(left, &[]).await.expect("pg_database") {
        let name: String = row.get(0);
        let drop = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
        client.batch_execute(&drop).await.expect("an old database");
    }
}
