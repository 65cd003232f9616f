//! The parts' bytes, one after another, in a new body. Bounded memory: a chunk at a time.

use std::io::{self, ErrorKind, Read as _};

use super::super::bodies::{CHUNK, Draft};
use super::super::checksum::{Checksum, Hasher};
use super::super::errors::Fault;
use super::super::store::Store;
use super::{Part, Sum};

/// What the parts make: on disk, but in no index.
pub(super) struct Joined {
    pub draft: Draft,
    pub checksum: Checksum,
}

/// `None` when a part's body is gone: it was replaced, or the upload ended meanwhile. Blocks.
pub(super) fn join(store: &Store, parts: &[Part], sum: Sum) -> Result<Option<Joined>, Fault> {
    let mut draft = store.bodies().draft()?;
    let mut hasher = sum.algorithm.hasher();
    for part in parts {
        match append(store, part, &mut draft, &mut hasher) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            appended => appended?,
        }
    }
    draft.sync()?;
    let checksum = match sum.composite {
        true => sum.of_parts(parts),
        false => hasher.finish(),
    };
    Ok(Some(Joined { draft, checksum }))
}

fn append(store: &Store, part: &Part, draft: &mut Draft, hasher: &mut Hasher) -> io::Result<()> {
    let mut file = store.bodies().read(part.body)?;
    let mut buffer = vec![0; CHUNK];
    let mut size = 0_u64;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hasher.update(bytes);
        draft.write(bytes)?;
        size = size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    if size == part.size {
        return Ok(());
    }
    Err(io::Error::new(
        ErrorKind::InvalidData,
        "a part's file does not have the part's size",
    ))
}
