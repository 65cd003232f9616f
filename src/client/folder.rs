//! Folders of the broker: the paths that begin alike, up to a slash.

use super::error::{Error, Result};

/// The folder that a path names: with a slash at its beginning and at its end. An empty path and a
/// slash name all there is.
///
/// # Errors
/// [`Error::Settings`] of a path with an empty segment, or one that is `.` or `..`.
pub fn of(path: &str) -> Result<String> {
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
            format!("{path} is no folder: a path has no empty segment, and none `.` or `..`");
        return Err(Error::Settings(what));
    }
    Ok(format!("/{inner}/"))
}

/// The rest of a path that is below a folder.
///
/// # Errors
/// [`Error::Strange`] of another path.
pub fn below<'a>(path: &'a str, folder: &str) -> Result<&'a str> {
    let rest = path.strip_prefix(folder);
    rest.ok_or_else(|| {
        Error::Strange(format!(
            "the broker listed {path}, which is not in {folder}"
        ))
    })
}

/// Why an object of a listing cannot be worked on.
pub fn without_path() -> Error {
    Error::LeftOut("its key is no path, so that no call can name it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_slash_at_both_ends() {
        let folder = |path| of(path).ok();
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
