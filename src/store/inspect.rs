//! What Postgres says of itself. For the doctor: it changes nothing.

use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::{Connection, Result};

/// The server at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, diesel::QueryableByName)]
pub struct Server {
    /// As Postgres writes it: `15.18 (Debian …)`.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// The same to compare: 150018.
    #[diesel(sql_type = Integer)]
    pub number: i32,
    /// Protocol and cipher of this connection, where it is encrypted.
    #[diesel(sql_type = Nullable<Text>)]
    pub tls: Option<String>,
    /// Whether this connection comes from the server's own machine, as far as the server sees.
    #[diesel(sql_type = Bool)]
    pub local: bool,
}

/// Asks the server who it is, and how we are connected.
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
