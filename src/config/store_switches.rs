//! What the settings say of a store that is not AWS; the rest is found out.

use std::fmt;

use super::reader::{Reader, Section};
use super::variables::{
    BROKER_S3_CHECKSUMS, BROKER_S3_COMPLETE_IF_NONE_MATCH, BROKER_S3_CONDITIONAL_WRITES,
    BROKER_S3_DELETE_IF_MATCH, BROKER_S3_HEAD_CHECKSUMS, BROKER_S3_PUT_IF_MATCH,
    BROKER_S3_PUT_IF_NONE_MATCH,
};

/// What the settings say of one ability of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is found out.
    Auto,
    /// The store has it.
    On,
    /// The store does not have it.
    Off,
    /// The store has it, where ETags are sent without their quotes.
    Unquoted,
}

/// What the settings say of each ability of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSwitches {
    /// `If-None-Match` on PUT.
    pub put_if_none_match: Switch,
    /// `If-Match` on PUT.
    pub put_if_match: Switch,
    /// Both on CompleteMultipartUpload.
    pub complete_if_none_match: Switch,
    /// `If-Match` on DELETE.
    pub delete_if_match: Switch,
    /// Whether bytes are held against the checksum they are sent with.
    pub checksums: Switch,
    /// Whether HEAD may ask for checksums.
    pub head_checksums: Switch,
}

impl Section for StoreSwitches {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let all = reader.value(&BROKER_S3_CONDITIONAL_WRITES, switch);
        // One that cannot be read is a fault already.
        let usual = all.unwrap_or(Switch::Auto);
        let put_if_none_match = reader.derived(&BROKER_S3_PUT_IF_NONE_MATCH, switch, usual);
        let put_if_match = reader.derived(&BROKER_S3_PUT_IF_MATCH, quotable, usual);
        let complete = reader.derived(&BROKER_S3_COMPLETE_IF_NONE_MATCH, switch, usual);
        let delete_if_match = reader.derived(&BROKER_S3_DELETE_IF_MATCH, switch, usual);
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
