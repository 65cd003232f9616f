//! Removes the partial files that downloads of earlier versions of a dataset left behind.

use std::fs::{self, File};
use std::path::Path;

/// Removes the partial files of the same dataset and target that no process has locked. Failures
/// are ignored, because the download itself is finished.
pub(super) fn remove(folder: &Path, name_prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with(name_prefix) && name.ends_with(".part")) {
            continue;
        }
        let path = entry.path();
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(&path);
        }
    }
}
