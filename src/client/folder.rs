//! Folders of the broker: sets of paths that share a prefix up to a slash.

use super::error::{Error, Result};

/// Normalizes a folder path, so that it starts and ends with a slash. An empty path or a single
/// slash is the root folder, which contains every dataset.
///
/// # Errors
/// [`Error::Settings`] if a segment of the path is empty, `.` or `..`.
pub fn normalize(path: &str) -> Result<String> {
    if matches!(path, "" | "/") {
        return Ok("/".to_owned());
    }
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner
        .split('/')
        .any(|segment| matches!(segment, "" | "." | ".."))
    {
        let what =
            format!("{path} is not a folder: a segment of a path must not be empty, `.` or `..`");
        return Err(Error::Settings(what));
    }
    Ok(format!("/{inner}/"))
}

/// The part of a path that follows the folder.
///
/// # Errors
/// [`Error::UnexpectedResponse`] if the path is not in the folder.
pub fn relative_path<'a>(path: &'a str, folder: &str) -> Result<&'a str> {
    let rest = path.strip_prefix(folder);
    rest.ok_or_else(|| {
        Error::UnexpectedResponse(format!(
            "the broker listed {path}, which is not in {folder}"
        ))
    })
}

/// The error for a listed object that has no path.
pub fn without_path() -> Error {
    Error::Skipped("its key is not a valid path, so it cannot be addressed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_path_is_normalized_or_rejected() {
        let folder = |path| normalize(path).ok();
        for path in ["/a/b/", "a/b", "/a/b", "a/b/"] {
            assert_eq!(folder(path).as_deref(), Some("/a/b/"), "{path}");
        }
        for path in ["", "/"] {
            assert_eq!(folder(path).as_deref(), Some("/"), "{path}");
        }
        for path in ["//", "//a", "/a//", "a//b", "/a/../b", "."] {
            assert_eq!(folder(path), None, "{path}");
        }
    }
}
