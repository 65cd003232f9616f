//! The options of `put` that go into every session request.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use sha2::{Digest as _, Sha256};

use super::item::Item;
use crate::client::api::wire::{Checksum, NewUpload};
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};
use crate::client::hex::hex_prefix;

/// Files of this size in bytes or more are sent in parts; the broker may choose parts for smaller
/// ones, too. A smaller file is quickly repeated as a whole.
const MULTIPART_THRESHOLD: u64 = 64 << 20;

/// The options that go into a session request.
#[derive(Debug, Default, Args)]
pub(in crate::client) struct Options {
    /// Replace an existing dataset
    #[arg(long)]
    overwrite: bool,
    /// Replace only the version with this ETag
    #[arg(long, value_name = "ETAG", conflicts_with = "overwrite")]
    if_match: Option<String>,
    /// Metadata that the broker stores with the upload; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// Display name; default: the name of the file
    #[arg(long)]
    name: Option<String>,
    /// Comment
    #[arg(long)]
    comments: Option<String>,
    /// Content type; default: derived from the extension of the path
    #[arg(long, value_name = "TYPE/SUBTYPE")]
    content_type: Option<String>,
    /// Checksum algorithm; the value is computed while reading, and compared by the store and the
    /// broker
    #[arg(long, value_enum, default_value_t = Choice::Crc64nvme)]
    checksum: Choice,
    /// Skip files whose dataset already has the same size and checksum; with --overwrite, replace
    /// the other datasets
    #[arg(long)]
    skip_existing: bool,
    /// Part size in MiB, 5 to 5120; default: files of 64 MiB or more are sent in parts of a
    /// suitable size. For standard input, which has at most 10,000 parts, every part has this size
    /// and is kept in memory
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(5..=5120))]
    part_size: Option<u64>,
}

/// The values of `--checksum`.
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
    /// Rejects options that only fit a single file when there are several.
    pub(super) fn check(&self, several: bool) -> Result<()> {
        if several && (self.if_match.is_some() || self.name.is_some()) {
            return Err(Error::settings(
                "--if-match and --name can only be used with a single file",
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

    /// Whether files whose dataset already has the same bytes are skipped.
    pub(super) fn skip_existing(&self) -> bool {
        self.skip_existing
    }

    /// Whether a file may replace an existing dataset.
    pub(super) fn replaces(&self, item: &Item) -> bool {
        self.overwrite || self.if_match.is_some() || item.replaces
    }

    /// Whether a file of this size is sent in parts.
    pub(super) fn in_parts(&self, size: u64) -> bool {
        size >= self.part_size().unwrap_or(MULTIPART_THRESHOLD)
    }

    /// The part size in bytes, if one was chosen.
    pub(super) fn part_size(&self) -> Option<u64> {
        self.part_size.map(|mib| mib << 20)
    }

    /// The session request of a file that is sent in one request.
    pub(super) fn whole(&self, path: &str, size: u64, checksum: Option<Checksum>) -> NewUpload {
        NewUpload {
            size: Some(size),
            checksum,
            ..self.about(path)
        }
    }

    /// The session request of a file that is sent in parts; `size` is `None` for standard input.
    /// The store compares each part with its checksum, so that damage is noticed while the part can
    /// still be sent again.
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

    /// A digest of the options. A session that was created with other options is not continued.
    pub(super) fn digest(&self) -> Result<String> {
        let about = serde_json::to_vec(&(self.parts("", None), self.part_size))
            .map_err(|error| Error::Failed(format!("cannot write JSON: {error}")))?;
        Ok(hex_prefix(&Sha256::digest(about), 8))
    }
}
