//! Concatenates the bytes of parts in a new body, one chunk at a time, in bounded memory.

use std::io::{self, ErrorKind, Read as _};

use super::super::bodies::{CHUNK, Draft};
use super::super::checksum::{Checksum, Hasher};
use super::super::errors::StoreError;
use super::super::store::Store;
use super::checksum_method::ChecksumMethod;
use super::records::Part;

/// The concatenated parts. They are on disk, and the index does not refer to them yet.
pub(super) struct Joined {
    pub draft: Draft,
    pub checksum: Checksum,
}

/// Concatenates parts. Returns `None` if the body of a part does not exist any more, because the part was
/// replaced or the upload ended in the meantime. Blocks.
pub(super) fn join(
    store: &Store,
    parts: &[Part],
    method: ChecksumMethod,
) -> Result<Option<Joined>, StoreError> {
    let mut draft = store.bodies().draft()?;
    let mut hasher = method.algorithm.hasher();
    for part in parts {
        match append(store, part, &mut draft, &mut hasher) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            appended => appended?,
        }
    }
    draft.sync()?;
    let checksum = match method.composite {
        true => method.composite_of(parts.iter().map(|part| &part.checksum)),
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
        "the size of a part file differs from its record",
    ))
}
