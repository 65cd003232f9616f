//! Information that Postgres reports about itself, for `doctor`. Read-only.

use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{Connection, Result};

/// The server of a connection.
#[derive(Clone, Debug, PartialEq, Eq, diesel::QueryableByName)]
pub struct Server {
    /// The version in the format of Postgres: `15.18 (Debian …)`.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// The version as a number that can be compared: 150018.
    #[diesel(sql_type = Integer)]
    pub number: i32,
    /// The protocol and cipher of this connection, if it is encrypted.
    #[diesel(sql_type = Nullable<Text>)]
    pub tls: Option<String>,
    /// Whether this connection comes from the machine of the server, according to the server.
    #[diesel(sql_type = Bool)]
    pub local: bool,
}

/// Queries the version of the server and the properties of this connection.
pub async fn server(connection: &mut Connection) -> Result<Server> {
    diesel::sql_query(
        "SELECT current_setting('server_version') AS version, \
         current_setting('server_version_num')::int AS number, \
         (SELECT concat_ws(', ', version, cipher) FROM pg_stat_ssl \
          WHERE pid = pg_backend_pid() AND ssl) AS tls, \
         coalesce(inet_client_addr() <<= '127.0.0.0/8' OR inet_client_addr() = '::1', true) \
         AS local",
    )
    .get_result(connection)
    .await
}
