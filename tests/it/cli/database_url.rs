//! `DATABASE_URL`: what `check-config` accepts can be connected to, and every command rejects an
//! unsupported option with the same message.

use crate::support::database::Database;
use crate::support::process::Run;
use crate::support::serving::Place;

use super::BAD_CONFIG;

#[tokio::test]
async fn supported_options_pass_check_config_and_connect() {
    let database = Database::empty();
    for option in [
        "sslmode=disable",
        "sslmode=prefer",
        "connect_timeout=10&application_name=broker&options=-c%20search_path%3Dpublic",
        "keepalives=1&keepalives_idle=5&tcp_user_timeout=10&target_session_attrs=read-write",
        "channel_binding=prefer&load_balance_hosts=random&sslnegotiation=postgres",
    ] {
        let url = format!("{}?{option}", database.url());
        for command in ["check-config", "migrate"] {
            let run = Run::new(&[command]).set("BROKER_S3_BUCKET", "datasets");
            let ended = run.set("DATABASE_URL", &url).finish().await;
            assert!(
                ended.status.success(),
                "{command} with {option}: {ended:#?}"
            );
        }
    }
}

#[tokio::test]
async fn unsupported_option_is_rejected_by_name_by_every_command() {
    let place = Place::new().await;
    for (option, instead) in [
        ("sslmode=allow", "prefer"),
        ("sslmode=no-verify", "require"),
        ("pgbouncer=true", "session mode"),
        ("gssencmode=disable", "GSSAPI"),
        ("schema=broker", "search_path"),
        ("nonsense=1", "leave it out"),
    ] {
        let url = format!("{}?{option}", place.database.url());
        let name = option.split('=').next().expect("a name");
        for command in ["check-config", "serve", "migrate", "doctor"] {
            let ended = place
                .run(&[command])
                .set("DATABASE_URL", &url)
                .finish()
                .await;
            ended.expect_failure(BAD_CONFIG, &["DATABASE_URL=", name, instead]);
        }
    }
}
