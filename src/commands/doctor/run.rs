//! Runs all checks: which ones depend on others, and the order of the results.

use futures::join;

use super::context::CheckContext;
use super::time_limit::run_limited;
use super::verdict::{CheckResult, State, Verdict};
use super::{
    bucket_checks, certificate, clock, credentials, events_queue, issuer, migrations, postgres,
    postgres_tls, tenant_buckets, tls, topic, webhooks,
};

/// Runs every check, and returns the results in a fixed order. Checks that depend on another one
/// start after it. `publish` and `fix` are the options of the command line.
pub(super) async fn all(context: &CheckContext, publish: bool, fix: bool) -> Vec<CheckResult> {
    let topic = topic::check_topic(context, publish);
    let (certificate, issuer, s3, topic, queue, postgres) = join!(
        run_limited("certificate", context, async {
            certificate::check_certificate(context)
        }),
        run_limited("issuer", context, issuer::check_issuer(context)),
        store(context, fix),
        run_limited("topic", context, topic),
        run_limited(
            "events-queue",
            context,
            events_queue::check_events_queue(context)
        ),
        database(context),
    );
    let (postgres, tenants) = postgres;
    let mut results = s3;
    results.extend([topic, queue]);
    results.extend(postgres);
    results.extend([certificate, issuer]);
    results.extend(tenant_buckets::check_all(context, tenants, fix).await);
    results
}

/// The checks of the store and of the common bucket.
async fn store(context: &CheckContext, fix: bool) -> Vec<CheckResult> {
    let (credentials, clock, tls, bucket) = join!(
        run_limited("credentials", context, async {
            credentials::check_credentials(context)
        }),
        run_limited("clock", context, clock::check_clock(context)),
        run_limited("tls", context, async { tls::check_tls(context) }),
        bucket_checks::run(context, fix),
    );
    let mut results = vec![credentials, clock, tls];
    results.extend(bucket);
    results
}

/// The checks of Postgres. Also returns the buckets of tenants, if they can be read.
async fn database(context: &CheckContext) -> (Vec<CheckResult>, tenant_buckets::Found) {
    let mut connected = None;
    let postgres = postgres::check_postgres(context, &mut connected);
    let postgres = run_limited("postgres", context, postgres).await;
    let Some((mut connection, server)) = connected else {
        let dependent = ["postgres-tls", "migrations", "webhooks"].map(|check| {
            let why = "Postgres does not respond";
            CheckResult::new(check, Verdict::unknown(why, "see the check `postgres`"))
        });
        let results = [postgres].into_iter().chain(dependent);
        return (results.collect(), Ok(vec![]));
    };
    let tls = postgres_tls::verdict(&context.settings.database, &server);
    let tls = CheckResult::new("postgres-tls", tls);
    let migrations = migrations::check_migrations(&context.settings.database, &mut connection);
    let migrations = run_limited("migrations", context, migrations).await;
    let (webhooks, buckets) = match migrations.state {
        State::Ok => (
            webhooks::check_webhooks(&mut connection).await,
            tenant_buckets::find(&mut connection).await,
        ),
        // The tables may not exist, which the check `migrations` has already reported.
        _ => {
            let why = "the schema is not the one of this binary";
            let unknown = Verdict::unknown(why, "see the check `migrations`");
            (unknown, Ok(vec![]))
        }
    };
    let webhooks = CheckResult::new("webhooks", webhooks);
    (vec![postgres, tls, migrations, webhooks], buckets)
}
