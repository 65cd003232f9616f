//! Takes the standard output of a child apart: a file for each result, and one for the records.
//!
//! What the child says about its outputs is checked: its input might have taken control of it. It
//! can only choose among the types of results of its processor, and names that are valid in a path.
//!
//! Only what follows the first output is copied. The only result of a processor, which may be
//! large, stays where it is.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::domain::job::MAX_OUTPUTS;
use crate::processors::execute::CRASHED;
use crate::processors::outputs::Written;
use crate::processors::processor::{Failure, Processor};
use crate::processors::result_type::{ResultType, is_result_name};

/// A file that has no name and goes when it is closed, positioned at its start.
#[derive(Debug)]
pub struct LocalFile {
    /// The file.
    pub file: File,
    /// Its size in bytes.
    pub size: u64,
}

/// A result of a child.
#[derive(Debug)]
pub struct ResultFile {
    /// What it is.
    pub result_type: &'static ResultType,
    /// What distinguishes it from other results of the same job.
    pub name: Option<String>,
    /// Its bytes.
    pub local: LocalFile,
}

/// What the child says about a result: its type, its name and its size.
type Stated = (&'static ResultType, Option<String>, u64);

/// Checks what the child says that it has `written` to a file of `size` bytes.
///
/// # Errors
/// It cannot be true: the processor has a bug, or its input has taken control of it.
pub(super) fn check_written(
    processor: &'static Processor,
    written: &Written,
    size: u64,
) -> Result<Vec<Stated>, Failure> {
    let false_report = || {
        let message = "the processor has reported outputs that it may not have or has not written";
        Failure::permanent(CRASHED, message)
    };
    let mut seen = HashSet::new();
    let mut total = written.records_size;
    let mut stated = Vec::new();
    for result in &written.results {
        let result_type = (processor.results.iter())
            .find(|known| known.extension == result.extension)
            .ok_or_else(false_report)?;
        let is_named = result.name.as_deref().is_none_or(is_result_name);
        if !is_named || !seen.insert((&result.extension, &result.name)) {
            return Err(false_report());
        }
        total = total.checked_add(result.size).ok_or_else(false_report)?;
        stated.push((result_type, result.name.clone(), result.size));
    }
    match total == size && stated.len() <= MAX_OUTPUTS {
        true => Ok(stated),
        false => Err(false_report()),
    }
}

/// Makes a file of each result, and one of the records, if there are any. Other files than `file`
/// are created in `scratch`.
///
/// # Errors
/// The disk is full or fails.
pub(super) async fn split_into_files(
    file: File,
    stated: Vec<Stated>,
    records_size: u64,
    scratch: PathBuf,
) -> io::Result<(Vec<ResultFile>, Option<LocalFile>)> {
    let mut sizes: Vec<u64> = stated.iter().map(|(_, _, size)| *size).collect();
    sizes.extend((records_size > 0).then_some(records_size));
    let cut = tokio::task::spawn_blocking(move || cut_file(file, &sizes, &scratch));
    let mut files = cut.await.map_err(io::Error::other)??.into_iter();
    let with_file = |((result_type, name, _), local)| ResultFile {
        result_type,
        name,
        local,
    };
    let results = stated.into_iter().zip(files.by_ref()).map(with_file);
    Ok((results.collect(), files.next()))
}

/// Cuts `file` into pieces of these sizes, of which the first keeps the file.
fn cut_file(mut file: File, sizes: &[u64], scratch: &Path) -> io::Result<Vec<LocalFile>> {
    let Some((&first, following)) = sizes.split_first() else {
        return Ok(Vec::new());
    };
    file.seek(SeekFrom::Start(first))?;
    let mut pieces = Vec::new();
    for &size in following {
        let mut piece = tempfile::tempfile_in(scratch)?;
        if io::copy(&mut (&file).take(size), &mut piece)? < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        piece.rewind()?;
        pieces.push(LocalFile { file: piece, size });
    }
    if !following.is_empty() {
        file.set_len(first)?;
    }
    file.rewind()?;
    pieces.insert(0, LocalFile { file, size: first });
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::processors::find;
    use crate::processors::outputs::WrittenResult;

    fn written(results: &[(&str, Option<&str>, u64)], records_size: u64) -> Written {
        let results = results.iter().map(|(extension, name, size)| WrittenResult {
            extension: (*extension).to_owned(),
            name: name.map(str::to_owned),
            size: *size,
        });
        Written {
            results: results.collect(),
            records_size,
        }
    }

    #[test]
    fn only_outputs_that_the_processor_may_have_are_accepted() {
        let processor = find("csv-aggregate").expect("the processor");
        let check = |results: &[_], records, size| {
            check_written(processor, &written(results, records), size)
                .map_err(|failure| failure.code)
        };
        let csv = ("csv", None, 7);
        let stated = check(&[csv, ("csv", Some("a"), 0)], 3, 10).expect("valid");
        assert_eq!(stated.len(), 2);
        assert_eq!(stated[0].0.kind, "aggregate");
        assert_eq!(check(&[], 0, 0), Ok(vec![]));
        let many: Vec<_> = (0..=MAX_OUTPUTS).map(|number| number.to_string()).collect();
        let many: Vec<_> = (many.iter())
            .map(|name| ("csv", Some(name.as_str()), 0))
            .collect();
        let crashed = || Err(CRASHED.to_owned());
        for (results, records, size) in [
            (&[("html", None, 7)][..], 0, 7),
            (&[("csv", Some("../x"), 7)], 0, 7),
            (&[("csv", Some(""), 7)], 0, 7),
            (&[csv, csv], 0, 14),
            (&[csv], 0, 6),
            (&[csv], 0, 8),
            (&[csv], 1, 7),
            (&[("csv", None, u64::MAX), ("csv", Some("a"), 2)], 0, 1),
            (&many, 0, 0),
        ] {
            assert_eq!(check(results, records, size), crashed(), "{results:?}");
        }
    }

    #[test]
    fn output_is_cut_into_files_with_their_own_bytes() {
        let scratch = tempfile::tempdir().expect("a folder");
        for (sizes, expected) in [
            (&[10][..], &["0123456789"][..]),
            (&[3, 0, 5, 2], &["012", "", "34567", "89"]),
            (&[0, 10], &["", "0123456789"]),
        ] {
            let mut file = tempfile::tempfile().expect("a file");
            file.write_all(b"0123456789").expect("its bytes");
            let pieces = cut_file(file, sizes, scratch.path()).expect("files");
            let texts = pieces.into_iter().map(|mut piece| {
                assert_eq!(piece.file.metadata().expect("its size").len(), piece.size);
                io::read_to_string(&mut piece.file).expect("its bytes")
            });
            assert_eq!(texts.collect::<Vec<_>>(), expected, "{sizes:?}");
        }
        let left = std::fs::read_dir(scratch.path()).expect("the folder");
        assert_eq!(left.count(), 0);
    }
}
