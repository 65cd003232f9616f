//! The order of things: what waits for what, and how long each may take.

use std::time::Duration;

use futures::join;

use super::Arguments;
use super::patient::Patient;
use super::verdict::{Line, State, Verdict};
use super::{
    bucket, certificate, checksums, clock, conditional_writes, cors, credentials, events_queue,
    issuer, lifecycle, migrations, multipart, postgres, postgres_tls, probing, public_access,
    rights, signatures, tenant_buckets, tls, topic, versioning,
};

/// How long a check may take, and a probe's removal again as long.
pub(super) const BOUND: Duration = Duration::from_secs(20);

/// Every check, each dependency's behind another, in an order that never changes.
pub(super) async fn all(patient: &Patient, arguments: &Arguments) -> Vec<Line> {
    let topic = topic::check(patient, arguments.publish);
    let (certificate, issuer, s3, topic, queue, postgres) = join!(
        one("certificate", patient, async {
            certificate::check(patient)
        }),
        one("issuer", patient, issuer::check(patient)),
        store(patient, arguments.fix),
        one("topic", patient, topic),
        one("events-queue", patient, events_queue::check(patient)),
        database(patient),
    );
    let (postgres, tenants) = postgres;
    let mut lines = s3;
    lines.extend([topic, queue]);
    lines.extend(postgres);
    lines.extend([certificate, issuer]);
    lines.extend(tenant_buckets::all(patient, tenants, arguments.fix).await);
    lines
}

async fn store(patient: &Patient, fix: bool) -> Vec<Line> {
    let (credentials, clock, tls, bucket) = join!(
        one("credentials", patient, async {
            credentials::check(patient)
        }),
        one("clock", patient, clock::check(patient)),
        one("tls", patient, async { tls::check(patient) }),
        a_bucket(patient, fix),
    );
    let mut lines = vec![credentials, clock, tls];
    lines.extend(bucket);
    lines
}

/// What is of a bucket: of the common one, or a tenant's.
pub(super) async fn a_bucket(patient: &Patient, fix: bool) -> Vec<Line> {
    let bucket = one("bucket", patient, bucket::check(patient)).await;
    let reached = bucket.state != State::Failed;
    let mut lines = vec![bucket];
    if !reached {
        lines.extend(BEHIND_THE_BUCKET.map(|check| {
            let why = "the bucket does not answer";
            Line::new(check, Verdict::unknown(why, "see the check `bucket`"))
        }));
        return lines;
    }
    let rest = join!(
        one("rights", patient, rights::check(patient)),
        probing::check("signatures", patient, async |probe| {
            signatures::examine(probe).await
        }),
        probing::check("conditional-writes", patient, async |probe| {
            conditional_writes::examine(patient.settings.s3.switches, probe).await
        }),
        probing::check("checksums", patient, async |probe| {
            checksums::examine(patient.settings.s3.switches, probe).await
        }),
        probing::check("multipart", patient, async |probe| {
            multipart::examine(patient, probe).await
        }),
        probing::check("cors", patient, async |probe| {
            cors::examine(patient, probe, fix).await
        }),
        one("versioning", patient, versioning::check(patient)),
        one("lifecycle", patient, lifecycle::check(patient)),
        one("public-access", patient, public_access::check(patient)),
    );
    let (a, b, c, d, e, f, g, h, i) = rest;
    lines.extend([a, b, c, d, e, f, g, h, i]);
    lines
}

/// What has nothing to say without a bucket, in the order of [`a_bucket`].
const BEHIND_THE_BUCKET: [&str; 9] = [
    "rights",
    "signatures",
    "conditional-writes",
    "checksums",
    "multipart",
    "cors",
    "versioning",
    "lifecycle",
    "public-access",
];

/// The answer has the buckets of tenants too, where they could be asked for.
async fn database(patient: &Patient) -> (Vec<Line>, tenant_buckets::Found) {
    let mut seen = None;
    let first = one("postgres", patient, postgres::check(patient, &mut seen)).await;
    let Some((mut connection, server)) = seen else {
        let behind = ["postgres-tls", "migrations"].map(|check| {
            let why = "Postgres does not answer";
            Line::new(check, Verdict::unknown(why, "see the check `postgres`"))
        });
        return ([first].into_iter().chain(behind).collect(), Ok(vec![]));
    };
    let tls = postgres_tls::verdict(&patient.settings.database, &server);
    let tls = Line::new("postgres-tls", tls);
    let migrations = migrations::check(&patient.settings.database, &mut connection);
    let migrations = one("migrations", patient, migrations).await;
    let buckets = match migrations.state {
        State::Ok => tenant_buckets::find(&mut connection).await,
        // There may be no such table; it is said already.
        _ => Ok(vec![]),
    };
    (vec![first, tls, migrations], buckets)
}

/// Runs a check to its end, to the end of its time, or to a signal.
async fn one(name: &'static str, patient: &Patient, check: impl Future<Output = Verdict>) -> Line {
    let bounded = tokio::time::timeout(BOUND, check);
    let verdict = match patient.stop.run_until_cancelled(bounded).await {
        Some(Ok(verdict)) => verdict,
        Some(Err(_)) => too_long(),
        None => interrupted(),
    };
    Line::new(name, verdict)
}

pub(super) fn too_long() -> Verdict {
    Verdict::failed(
        format!("it took longer than {} s", BOUND.as_secs()),
        "find out what hangs: a network that drops packets, a proxy, an overloaded service",
    )
}

pub(super) fn interrupted() -> Verdict {
    Verdict::unknown("interrupted", "run the doctor again")
}
