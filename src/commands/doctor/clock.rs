//! `clock`: ours against the store's. URLs begin and end by the store's clock, and signatures more
//! than a quarter of an hour away from it are refused.

use chrono::TimeDelta;

use super::patient::Patient;
use super::verdict::Verdict;
use crate::objects::probe::ClockComparison;

/// What S3 takes (`RequestTimeTooSkewed`, "List of error codes", S3 API reference).
const REFUSED: TimeDelta = TimeDelta::minutes(15);
/// What is noticed: URLs end that much earlier or later than they say.
const NOTICED: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn check(patient: &Patient) -> Verdict {
    let endpoint = match &patient.signer {
        Ok(signer) => signer.endpoint(),
        Err(why) => return Verdict::failed(why, "set AWS_REGION, or AWS_ENDPOINT_URL_S3"),
    };
    let url = format!("{}{}", endpoint.origin(), endpoint.base_path());
    match patient.wire.clock(&url, &patient.clock).await {
        Ok(Some(seen)) => verdict(seen),
        Ok(None) => Verdict::unknown("S3 does not say what time it is", "keep NTP running"),
        Err(error) => Verdict::fault(
            &error,
            "check AWS_ENDPOINT_URL_S3, BROKER_S3_PUBLIC_ENDPOINT and the network on the way there",
        ),
    }
}

fn verdict(seen: ClockComparison) -> Verdict {
    // The store's date has whole seconds: on the average half a second is cut off.
    let away = seen.local - seen.store - TimeDelta::milliseconds(500);
    let (apart, seconds) = (away.abs(), away.abs().num_seconds());
    let side = if away > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    let why = format!("this clock is {seconds} s {side} S3's");
    let fix = "set the clock: keep NTP (chrony, systemd-timesyncd) running";
    if apart >= REFUSED {
        Verdict::failed(format!("{why}: signatures are refused"), fix)
    } else if apart >= NOTICED {
        Verdict::warning(format!("{why}: URLs do not end when they say"), fix)
    } else {
        Verdict::ok(format!("within {} s of S3's", seconds + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::State;
    use super::*;

    #[test]
    fn a_clock_is_right_wrong_or_useless() {
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
