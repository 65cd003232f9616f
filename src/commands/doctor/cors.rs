//! `cors`: can pages of `BROKER_CORS_ORIGINS` send to the bucket and read its answers?
//!
//! The store is asked as a browser asks, which needs no right and works with every store. Only
//! `--fix` reads and writes rules.

use super::patient::Patient;
use super::probing::not_written;
use super::verdict::Verdict;
use crate::domain::checksum::Algorithm;
use crate::objects::StoreError;
use crate::objects::inspect::CorsRule;
use crate::objects::probe::{Probe, ProbeError};
use crate::objects::sign::{Checksum, Precondition, PutObject};

/// The rule that is ours.
const ID: &str = "upload-broker";
const METHODS: [&str; 3] = ["GET", "HEAD", "PUT"];
/// What a page must be able to read: parts are told apart by it.
const EXPOSED: &str = "ETag";
/// How long a browser may remember the rule, in seconds.
const MAX_AGE: i32 = 3600;

pub(super) async fn examine(
    patient: &Patient,
    probe: &Probe<'_>,
    fix: bool,
) -> Result<Verdict, ProbeError> {
    let origins = &patient.settings.http.cors_origins;
    if origins.is_empty() {
        return Ok(Verdict::ok("BROKER_CORS_ORIGINS is not set: no pages"));
    }
    let refused = refused(probe, origins).await?;
    let Some(why) = refused else {
        return Ok(Verdict::ok(format!(
            "pages of {} can send and read",
            origins.join(", ")
        )));
    };
    if !fix {
        let rule = "AllowedMethods GET, HEAD, PUT; AllowedHeaders *; ExposeHeaders ETag";
        let fix = format!("run `upload-broker doctor --fix`, or add a rule: {rule}");
        return Ok(Verdict::failed(why, fix));
    }
    match mend(patient, origins).await {
        Ok(()) => {}
        Err(error) => {
            let fix = "allow s3:GetBucketCORS and s3:PutBucketCORS to whoever runs the doctor, or \
                set the rule where this store has it";
            return Ok(Verdict::fault(&error, fix));
        }
    }
    let refused = self::refused(probe, origins).await?;
    Ok(match refused {
        None => Verdict::ok(format!("a rule {ID:?} was added: {why} before")),
        Some(why) => Verdict::warning(
            format!("a rule {ID:?} was added, and S3 does not act by it yet: {why}"),
            "run the doctor again in a minute",
        ),
    })
}

/// What a page cannot do; `None` where pages of all origins can do everything.
async fn refused(probe: &Probe<'_>, origins: &[String]) -> Result<Option<String>, ProbeError> {
    let (key, id) = (probe.key("page"), probe.id());
    let object = PutObject {
        precondition: Precondition::None,
        ..PutObject::new(&key, "text/plain", &id)
    };
    for origin in origins {
        for (method, headers) in [("PUT", sent()), ("GET", vec!["range"])] {
            let preflight = probe.preflight(&key, origin, method, &headers).await?;
            let allowed = "access-control-allow-headers";
            let missing: Vec<_> = headers
                .into_iter()
                .filter(|name| !preflight.lists(allowed, name))
                .collect();
            let permits = preflight.is_success()
                && preflight.lists("access-control-allow-origin", origin)
                && preflight.lists("access-control-allow-methods", method);
            if !permits {
                let told = preflight.summary();
                return Ok(Some(format!("pages of {origin} may not {method} ({told})")));
            }
            if !missing.is_empty() {
                let missing = missing.join(", ");
                return Ok(Some(format!("pages of {origin} may not send {missing}")));
            }
        }
        let written = probe.put(&object, "page", &[("origin", origin)]).await?;
        if !written.is_success() {
            return Ok(Some(not_written(&written).why));
        }
        if !written.lists("access-control-expose-headers", EXPOSED) {
            return Ok(Some(format!("pages of {origin} may not read {EXPOSED}")));
        }
    }
    Ok(None)
}

/// Every header that a URL of ours may ask a page to send.
fn sent() -> Vec<&'static str> {
    let any = Some("");
    let full = PutObject {
        cache_control: any,
        content_disposition: any,
        content_encoding: any,
        content_language: any,
        storage_class: any,
        tagging: any,
        ..PutObject::new("", "", "")
    };
    let exact = PutObject {
        precondition: Precondition::Matches(""),
        ..full
    };
    let checksums = Algorithm::ALL.map(|algorithm| PutObject {
        checksum: Some(Checksum {
            header: algorithm.header(),
            value: "",
        }),
        ..full
    });
    let mut names: Vec<_> = [full, exact]
        .iter()
        .chain(&checksums)
        .flat_map(|object| object.signed_headers().into_iter().map(|(name, _)| name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Adds our rule, and leaves every other one as it is.
async fn mend(patient: &Patient, origins: &[String]) -> Result<(), StoreError> {
    let rules = merged(patient.store.cors().await?, origins);
    patient.store.set_cors(&rules).await
}

/// Ours stands first: a store goes by the first rule that fits, and another one that fits halfway
/// would keep the `ETag` from the page. Origins that our rule has from before stay in it.
fn merged(mut rules: Vec<CorsRule>, origins: &[String]) -> Vec<CorsRule> {
    let own = |rule: &CorsRule| rule.id.as_deref() == Some(ID);
    let mut all: Vec<String> = (rules.iter().filter(|rule| own(rule)))
        .flat_map(|rule| rule.origins.clone())
        .collect();
    let new = origins.iter().filter(|origin| !all.contains(origin));
    let new: Vec<_> = new.cloned().collect();
    all.extend(new);
    rules.retain(|rule| !own(rule));
    let text = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    let ours = CorsRule {
        id: Some(ID.to_owned()),
        origins: all,
        methods: text(&METHODS),
        headers: text(&["*"]),
        exposed: text(&[EXPOSED]),
        max_age: Some(MAX_AGE),
    };
    rules.insert(0, ours);
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_sends_whatever_a_url_may_ask_for() {
        let names = sent();
        for name in [
            "content-type",
            "if-match",
            "if-none-match",
            "x-amz-checksum-crc64nvme",
        ] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.contains(&"host"), "{names:?}");
    }
}
