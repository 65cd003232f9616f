//! What is asked for with every file of a `put`.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use sha2::{Digest as _, Sha256};

use super::item::Item;
use crate::client::api::wire::{Checksum, NewUpload};
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};
use crate::client::hex::hex_prefix;

/// From this size on, in bytes, a file comes in parts; the broker may do that for smaller ones too.
/// Below it, one request is soon repeated as a whole.
const IN_PARTS: u64 = 64 << 20;

/// Options that go into the session.
#[derive(Debug, Default, Args)]
pub(in crate::client) struct Options {
    /// Replace what stands at the path
    #[arg(long)]
    overwrite: bool,
    /// Replace exactly the version with this ETag
    #[arg(long, value_name = "ETAG", conflicts_with = "overwrite")]
    if_match: Option<String>,
    /// Keep with the upload, in the broker; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// A name for people; by default that of the file
    #[arg(long)]
    name: Option<String>,
    /// A note for people
    #[arg(long)]
    comments: Option<String>,
    /// By default from the ending of the path
    #[arg(long, value_name = "TYPE/SUBTYPE")]
    content_type: Option<String>,
    /// Computed here while reading, and compared by the store and the broker
    #[arg(long, value_enum, default_value_t = Choice::Crc64nvme)]
    checksum: Choice,
    /// Send nothing where a dataset of the same size and checksum stands at the path; with
    /// --overwrite, replace the others
    #[arg(long)]
    skip_existing: bool,
    /// Send in parts of so many MiB, 5 to 5120; by default 64 MiB and more, in parts that fit.
    /// Of standard input all parts have this size then, and are in memory: 10,000 of them at most
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(5..=5120))]
    part_size: Option<u64>,
}

/// A checksum to choose.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Choice {
    #[default]
    Crc64nvme,
    Crc32,
    Crc32c,
    Sha256,
    None,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Options {
    /// What fits one dataset only does not go with several.
    pub(super) fn check(&self, several: bool) -> Result<()> {
        if several && (self.if_match.is_some() || self.name.is_some()) {
            return Err(Error::settings(
                "--if-match and --name are for a single file",
            ));
        }
        Ok(())
    }

    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        match self.checksum {
            Choice::Crc64nvme => Some(Algorithm::Crc64nvme),
            Choice::Crc32 => Some(Algorithm::Crc32),
            Choice::Crc32c => Some(Algorithm::Crc32c),
            Choice::Sha256 => Some(Algorithm::Sha256),
            Choice::None => None,
        }
    }

    /// Whether datasets that have the bytes already are left as they are.
    pub(super) fn skip_existing(&self) -> bool {
        self.skip_existing
    }

    /// Whether a file may replace what stands at its path.
    pub(super) fn replaces(&self, item: &Item) -> bool {
        self.overwrite || self.if_match.is_some() || item.replaces
    }

    /// Whether a file of this size is to come in parts.
    pub(super) fn in_parts(&self, size: u64) -> bool {
        size >= self.part_size().unwrap_or(IN_PARTS)
    }

    /// Bytes of a part, where they were chosen.
    pub(super) fn part_size(&self) -> Option<u64> {
        self.part_size.map(|mib| mib << 20)
    }

    /// A session of one request.
    pub(super) fn whole(&self, path: &str, size: u64, checksum: Option<Checksum>) -> NewUpload {
        NewUpload {
            size: Some(size),
            checksum,
            ..self.about(path)
        }
    }

    /// A session in parts, of a size that is known or not. The store holds each part to its
    /// checksum, so that damage is noticed when it can still be mended.
    pub(super) fn parts(&self, path: &str, size: Option<u64>) -> NewUpload {
        NewUpload {
            size,
            multipart: Some(true),
            part_size: self.part_size().filter(|_| size.is_some()),
            part_checksums: self.algorithm().map(|algorithm| algorithm.to_string()),
            ..self.about(path)
        }
    }

    fn about(&self, path: &str) -> NewUpload {
        NewUpload {
            path: path.to_owned(),
            name: self.name.clone(),
            comments: self.comments.clone(),
            metadata: BTreeMap::from_iter(self.metadata.iter().cloned()),
            content_type: self.content_type.clone(),
            overwrite: self.overwrite,
            if_match: self.if_match.clone(),
            ..NewUpload::default()
        }
    }

    /// Tells one set of options from another: a session that was begun with others is not gone on
    /// with.
    pub(super) fn digest(&self) -> Result<String> {
        let about = serde_json::to_vec(&(self.parts("", None), self.part_size))
            .map_err(|error| Error::Failed(format!("cannot write JSON: {error}")))?;
        Ok(hex_prefix(&Sha256::digest(about), 8))
    }
}
