//! What downloads of earlier versions of a dataset left behind.

use std::fs::{self, File};
use std::path::Path;

/// Removes the hidden files of a family that nobody is working on. What cannot be removed stays:
/// the download itself is done.
pub(super) fn remove(folder: &Path, family: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with(family) && name.ends_with(".part")) {
            continue;
        }
        let path = entry.path();
        if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(&path);
        }
    }
}
