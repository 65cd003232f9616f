//! Parsers of values. An error is a phrase that says what is expected.

use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

/// `true` or `false`, or their synonyms `on` and `off`.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "true" | "on" => Ok(true),
        "false" | "off" => Ok(false),
        _ => Err("must be true or false (or on or off)".to_owned()),
    }
}

/// A parser of a whole number in `range`.
pub(super) fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    move |text| match text.parse::<T>() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "must be a whole number from {} to {}",
            range.start(),
            range.end()
        )),
    }
}

/// A parser of whole seconds in `range`.
pub(super) fn seconds(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<Duration, String> {
    let number = number(range);
    move |text| match number(text) {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(detail) => Err(format!("{detail}, in seconds")),
    }
}

/// A duration with or without fractional seconds. Its `Display` is the form of a setting: `2`,
/// `0.25`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seconds(pub(super) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_secs_f64().fmt(f)
    }
}

/// A parser of seconds, with or without a fraction, from a millisecond to `most` seconds.
pub(super) fn fractional_seconds(most: u64) -> impl Fn(&str) -> Result<Seconds, String> {
    let shortest = Duration::from_millis(1);
    let range = shortest..=Duration::from_secs(most);
    move |text| {
        let number = text.parse().ok();
        match number.and_then(|number| Duration::try_from_secs_f64(number).ok()) {
            Some(time) if range.contains(&time) => Ok(Seconds(time)),
            _ => Err(format!("must be a number from 0.001 to {most}, in seconds")),
        }
    }
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let detail = "must be an IP address and a port, such as 127.0.0.1:8080 or [::]:8080";
    text.parse().map_err(|_| detail.to_owned())
}

/// A parser of a comma-separated list. Spaces around items are ignored; an empty item is a fault.
pub(super) fn list<T>(
    item: impl Fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Vec<T>, String> {
    move |text| {
        let items = text.split(',').map(str::trim);
        items
            .map(|text| match text {
                "" => Err("must not have an empty item between commas".to_owned()),
                text => item(text),
            })
            .collect()
    }
}
