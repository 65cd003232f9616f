//! `clock`: compares this clock with the store's. The validity of URLs is determined by the store's
//! clock, and signatures that differ from it by more than 15 minutes are rejected.

use chrono::TimeDelta;

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::objects::probe::ClockComparison;

/// The clock difference that S3 rejects (`RequestTimeTooSkewed`, "List of error codes", S3 API
/// reference).
const REFUSED: TimeDelta = TimeDelta::minutes(15);
/// The clock difference that is reported: URLs expire that much earlier or later than stated.
const NOTICED: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn check_clock(context: &CheckContext) -> Verdict {
    let endpoint = match &context.signer {
        Ok(signer) => signer.endpoint(),
        Err(why) => return Verdict::failed(why, "set AWS_REGION or AWS_ENDPOINT_URL_S3"),
    };
    let url = format!("{}{}", endpoint.origin(), endpoint.base_path());
    match context.wire.clock(&url, &context.clock).await {
        Ok(Some(seen)) => verdict(seen),
        Ok(None) => Verdict::unknown("S3 sends no Date header", "keep NTP running"),
        Err(error) => Verdict::error(
            &error,
            "check AWS_ENDPOINT_URL_S3, BROKER_S3_PUBLIC_ENDPOINT and the network connection",
        ),
    }
}

fn verdict(seen: ClockComparison) -> Verdict {
    // The Date header has whole seconds, so on average half a second is cut off.
    let away = seen.local - seen.store - TimeDelta::milliseconds(500);
    let (apart, seconds) = (away.abs(), away.abs().num_seconds());
    let side = if away > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let why = format!("this clock is {seconds} s {side} S3's");
    let fix = "synchronize the clock with NTP (chrony, systemd-timesyncd)";
    if apart >= REFUSED {
        Verdict::failed(format!("{why}: signatures are rejected"), fix)
    } else if apart >= NOTICED {
        Verdict::warning(format!("{why}: URLs do not expire at the stated time"), fix)
    } else {
        Verdict::ok(format!(
            "the difference from S3's clock is less than {} s",
            seconds + 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::State;
    use super::*;

    #[test]
    fn verdict_depends_on_the_clock_difference() {
        let store = "2026-11-21T08:00:00Z".parse().expect("a time");
        for (seconds, state) in [
            (0, State::Ok),
            (9, State::Ok),
            (-9, State::Ok),
            (11, State::Warning),
            (-10, State::Warning),
            (901, State::Failed),
            (-900, State::Failed),
        ] {
            let local = store + TimeDelta::seconds(seconds);
            assert_eq!(
                verdict(ClockComparison { store, local }).state,
                state,
                "{seconds}"
            );
        }
    }
}
