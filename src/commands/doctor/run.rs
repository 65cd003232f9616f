//! Runs all checks: which ones depend on others, and the order of the results.

use futures::join;

use super::context::CheckContext;
use super::public_endpoint::check_public_endpoint;
use super::time_limit::run_limited;
use super::verdict::{CheckResult, State, Verdict};
use super::{
    bucket_checks, certificate, clock, credentials, issuer, jobs, migrations, postgres,
    postgres_tls, programs, queues, tenant_buckets, textract, tls, topic, webhooks,
};
use crate::domain::rules::ProcessingRules;

/// Runs every check, and returns the results in a fixed order. Checks that depend on another one
/// start after it; all depend on which endpoint of S3 answers. `publish` and `fix` are the options of
/// the command line.
pub(super) async fn all(
    context: &mut CheckContext,
    rules: &ProcessingRules,
    publish: bool,
    fix: bool,
) -> Vec<CheckResult> {
    let public_endpoint = check_public_endpoint(context).await;
    let context = &*context;
    let topic = topic::check_topic(context, publish);
    let (certificate, issuer, s3, topic, events, wakes, textract, postgres) = join!(
        run_limited("certificate", context, async {
            certificate::check_certificate(context)
        }),
        run_limited("issuer", context, issuer::check_issuer(context)),
        store(context, public_endpoint, fix),
        run_limited("topic", context, topic),
        run_limited("events-queue", context, queues::check_events_queue(context)),
        run_limited("worker-queue", context, queues::check_worker_queue(context)),
        run_limited("textract", context, textract::check_textract(context)),
        database(context),
    );
    let (postgres, tenants) = postgres;
    let mut results = s3;
    results.extend([topic, events, wakes, textract]);
    results.extend(postgres);
    let programs = programs::check_programs(&context.settings, rules);
    results.extend([certificate, issuer, CheckResult::new("programs", programs)]);
    results.extend(tenant_buckets::check_all(context, tenants, fix).await);
    results
}

/// The checks of the store and of the common bucket.
async fn store(
    context: &CheckContext,
    public_endpoint: CheckResult,
    fix: bool,
) -> Vec<CheckResult> {
    let (credentials, clock, tls, bucket) = join!(
        run_limited("credentials", context, async {
            credentials::check_credentials(context)
        }),
        run_limited("clock", context, clock::check_clock(context)),
        run_limited("tls", context, async { tls::check_tls(context) }),
        bucket_checks::run(context, fix),
    );
    let mut results = vec![credentials, clock, tls, public_endpoint];
    results.extend(bucket);
    results
}

/// The checks of Postgres. Also returns the buckets of tenants, if they can be read.
async fn database(context: &CheckContext) -> (Vec<CheckResult>, tenant_buckets::Found) {
    let mut connected = None;
    let postgres = postgres::check_postgres(context, &mut connected);
    let postgres = run_limited("postgres", context, postgres).await;
    let Some((mut connection, server)) = connected else {
        let dependent = ["postgres-tls", "migrations", "jobs", "webhooks"].map(|check| {
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
    if migrations.state != State::Ok {
        // The tables may not exist.
        let unknown = ["jobs", "webhooks"].map(|check| {
            let why = "the schema is not the one of this binary";
            CheckResult::new(check, Verdict::unknown(why, "see the check `migrations`"))
        });
        let results = [postgres, tls, migrations].into_iter().chain(unknown);
        return (results.collect(), Ok(vec![]));
    }
    let jobs = jobs::check_jobs(&mut connection, context.clock.now());
    let jobs = run_limited("jobs", context, jobs).await;
    let webhooks = webhooks::check_webhooks(&mut connection).await;
    let webhooks = CheckResult::new("webhooks", webhooks);
    let buckets = tenant_buckets::find(&mut connection).await;
    (vec![postgres, tls, migrations, jobs, webhooks], buckets)
}
