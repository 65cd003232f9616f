//! `cors`: can web pages of `BROKER_CORS_ORIGINS` upload to the bucket and read its responses?
//!
//! The check sends the preflight requests that a browser would send, which needs no permission and
//! works with every store. Only `--fix` reads and changes the rules.

use super::context::CheckContext;
use super::verdict::Verdict;
use super::with_probe::put_rejected;
use crate::domain::checksum::Algorithm;
use crate::objects::StoreError;
use crate::objects::inspect::CorsRule;
use crate::objects::probe::{Probe, ProbeError};
use crate::objects::sign::{Checksum, Precondition, PutObject};

/// The id of the broker's rule.
const ID: &str = "upload-broker";
/// `POST` is for the forms of Uppy.
const METHODS: [&str; 4] = ["GET", "HEAD", "PUT", "POST"];
/// The response header that a page must be able to read: it identifies the parts of an upload.
const EXPOSED: &str = "ETag";
/// The response header that an Uppy client waits for.
const EXPOSED_TO_UPPY: &str = "Location";
/// How long a browser may cache the rule, in seconds.
const MAX_AGE: i32 = 3600;

pub(super) async fn check_cors(
    context: &CheckContext,
    probe: &Probe<'_>,
    fix: bool,
) -> Result<Verdict, ProbeError> {
    let origins = &context.settings.http.cors_origins;
    if origins.is_empty() {
        return Ok(Verdict::ok(
            "BROKER_CORS_ORIGINS is not set: no web pages are allowed",
        ));
    }
    let restriction = find_restriction(probe, origins).await?;
    let Some(why) = restriction else {
        return Ok(Verdict::ok(format!(
            "pages of {} can upload and read responses",
            origins.join(", ")
        )));
    };
    if !fix {
        let rule =
            "AllowedMethods GET, HEAD, PUT, POST; AllowedHeaders *; ExposeHeaders ETag, Location";
        let fix = format!("run `upload-broker doctor --fix`, or add a rule: {rule}");
        return Ok(Verdict::failed(why, fix));
    }
    match add_rule(context, origins).await {
        Ok(()) => {}
        Err(error) => {
            let fix = "allow s3:GetBucketCORS and s3:PutBucketCORS to the user who runs the doctor, or \
                configure the rule in this store's own way";
            return Ok(Verdict::error(&error, fix));
        }
    }
    let restriction = find_restriction(probe, origins).await?;
    Ok(match restriction {
        None => Verdict::ok(format!("a rule {ID:?} was added, because {why}")),
        Some(why) => Verdict::warning(
            format!("a rule {ID:?} was added, but S3 does not apply it yet: {why}"),
            "run the doctor again in a minute",
        ),
    })
}

/// What a page cannot do; `None` if pages of all origins can do everything.
async fn find_restriction(
    probe: &Probe<'_>,
    origins: &[String],
) -> Result<Option<String>, ProbeError> {
    let (key, id) = (probe.key("page"), probe.id());
    let object = PutObject {
        precondition: Precondition::None,
        ..PutObject::new(&key, "text/plain", &id)
    };
    for origin in origins {
        for (method, headers) in [("PUT", upload_headers()), ("GET", vec!["range"])] {
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
                let answer = preflight.summary();
                return Ok(Some(format!(
                    "pages of {origin} may not send {method} ({answer})"
                )));
            }
            if !missing.is_empty() {
                let missing = missing.join(", ");
                return Ok(Some(format!("pages of {origin} may not send {missing}")));
            }
        }
        let written = probe.put(&object, "page", &[("origin", origin)]).await?;
        if !written.is_success() {
            return Ok(Some(put_rejected(&written).why));
        }
        if !written.lists("access-control-expose-headers", EXPOSED) {
            return Ok(Some(format!("pages of {origin} may not read {EXPOSED}")));
        }
    }
    Ok(None)
}

/// Every request header that a pre-signed URL may require a page to send.
fn upload_headers() -> Vec<&'static str> {
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

/// Adds the broker's rule, and keeps all others.
async fn add_rule(context: &CheckContext, origins: &[String]) -> Result<(), StoreError> {
    let rules = merge_rule(context.store.cors().await?, origins);
    context.store.set_cors(&rules).await
}

/// The broker's rule is first, because a store applies the first rule that matches, and another
/// rule that only matches partly would hide the `ETag` from the page. Existing origins of the
/// broker's rule are kept.
fn merge_rule(mut rules: Vec<CorsRule>, origins: &[String]) -> Vec<CorsRule> {
    let is_own = |rule: &CorsRule| rule.id.as_deref() == Some(ID);
    let mut all: Vec<String> = (rules.iter().filter(|rule| is_own(rule)))
        .flat_map(|rule| rule.origins.clone())
        .collect();
    let new = origins.iter().filter(|origin| !all.contains(origin));
    let new: Vec<_> = new.cloned().collect();
    all.extend(new);
    rules.retain(|rule| !is_own(rule));
    let text = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
    let own_rule = CorsRule {
        id: Some(ID.to_owned()),
        origins: all,
        methods: text(&METHODS),
        headers: text(&["*"]),
        exposed: text(&[EXPOSED, EXPOSED_TO_UPPY]),
        max_age: Some(MAX_AGE),
    };
    rules.insert(0, own_rule);
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preflight_includes_every_header_that_a_url_may_require() {
        let names = upload_headers();
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
