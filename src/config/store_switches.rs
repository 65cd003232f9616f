//! The configured abilities of a store; the others are detected.

use std::fmt;

use super::reader::{Reader, Section};
use super::variables::{
    BROKER_S3_CHECKSUMS, BROKER_S3_COMPLETE_IF_NONE_MATCH, BROKER_S3_CONDITIONAL_WRITES,
    BROKER_S3_DELETE_IF_MATCH, BROKER_S3_HEAD_CHECKSUMS, BROKER_S3_PUT_IF_MATCH,
    BROKER_S3_PUT_IF_NONE_MATCH,
};

/// The configuration of one ability of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// The broker detects whether the store has the ability.
    Auto,
    /// The store has the ability.
    On,
    /// The store does not have the ability.
    Off,
    /// The store has the ability if ETags are sent without quotes.
    Unquoted,
}

/// The configured abilities of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSwitches {
    /// `If-None-Match` on PUT.
    pub put_if_none_match: Switch,
    /// `If-Match` on PUT.
    pub put_if_match: Switch,
    /// Both headers on CompleteMultipartUpload.
    pub complete_if_none_match: Switch,
    /// `If-Match` on DELETE.
    pub delete_if_match: Switch,
    /// Whether the store rejects bytes that do not match the checksum of the request.
    pub checksums: Switch,
    /// Whether HEAD returns checksums on request.
    pub head_checksums: Switch,
}

impl Section for StoreSwitches {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let all = reader.value(&BROKER_S3_CONDITIONAL_WRITES, switch);
        // A value that cannot be parsed is already recorded as a fault.
        let default = all.unwrap_or(Switch::Auto);
        let put_if_none_match = reader.derived(&BROKER_S3_PUT_IF_NONE_MATCH, switch, default);
        let put_if_match = reader.derived(&BROKER_S3_PUT_IF_MATCH, quotable, default);
        let complete = reader.derived(&BROKER_S3_COMPLETE_IF_NONE_MATCH, switch, default);
        let delete_if_match = reader.derived(&BROKER_S3_DELETE_IF_MATCH, switch, default);
        let checksums = reader.value(&BROKER_S3_CHECKSUMS, switch);
        let head_checksums = reader.value(&BROKER_S3_HEAD_CHECKSUMS, switch);
        all?;
        Some(Self {
            put_if_none_match: put_if_none_match?,
            put_if_match: put_if_match?,
            complete_if_none_match: complete?,
            delete_if_match: delete_if_match?,
            checksums: checksums?,
            head_checksums: head_checksums?,
        })
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
            Self::Unquoted => "unquoted",
        })
    }
}

fn switch(text: &str) -> Result<Switch, String> {
    match text {
        "auto" => Ok(Switch::Auto),
        "on" | "true" => Ok(Switch::On),
        "off" | "false" => Ok(Switch::Off),
        _ => Err("must be auto, on or off".to_owned()),
    }
}

fn quotable(text: &str) -> Result<Switch, String> {
    match text {
        "unquoted" => Ok(Switch::Unquoted),
        text => switch(text).map_err(|_| "must be auto, on, unquoted or off".to_owned()),
    }
}
