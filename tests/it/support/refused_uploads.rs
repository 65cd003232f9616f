//! Postgres that fails in a chosen way.

use super::app::App;

impl App {
    /// Makes Postgres reject every new upload with this error.
    pub async fn reject_new_uploads(&self, code: &str, words: &str) {
        let sql = format!(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = '{code}'; END $$; \
             CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON uploads \
             FOR EACH ROW EXECUTE FUNCTION refuse()"
        );
        let client = self.sql().await;
        client.batch_execute(&sql).await.expect("a trigger");
    }
}
