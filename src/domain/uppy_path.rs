//! The paths of files that come from Uppy.
//!
//! An Uppy client names a file and no path. Each file gets a unique name, so that a form, which cannot
//! forbid to replace an object, never has the key of another one.

use uuid::Uuid;

/// The most bytes of a file name that become a part of the path.
const MAX_NAME_BYTES: usize = 500;

/// What an Uppy client says about the place of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UppyFile<'a> {
    /// The name of the file.
    pub filename: &'a str,
    /// The folder that the page asks for: absolute, or below the folder of the caller.
    pub folder: Option<&'a str>,
    /// The path of the file in a folder that the user selected: `/photos/2024/a.jpg`.
    pub relative_path: Option<&'a str>,
}

impl UppyFile<'_> {
    /// Returns the path of the file in the folder of the caller, which starts and ends with a slash.
    /// `unique` makes it unique. The result is not validated.
    pub fn path(&self, callers_folder: &str, unique: Uuid) -> String {
        let mut path = match self.folder {
            Some(folder) if folder.starts_with('/') => folder.to_owned(),
            Some(folder) => format!("{callers_folder}{folder}"),
            None => callers_folder.to_owned(),
        };
        if !path.ends_with('/') {
            path.push('/');
        }
        let relative = self.relative_path.unwrap_or_default();
        let relative = relative.strip_prefix('/').unwrap_or(relative);
        if let Some((folders, _)) = relative.rsplit_once('/') {
            path.push_str(folders);
            path.push('/');
        }
        path.push_str(&format!("{unique}-{}", clean(self.filename)));
        path
    }
}

/// The end of a file name as one segment of a path. S3 would replace `${filename}` in the key of a form.
fn clean(filename: &str) -> String {
    let clean: String = (filename.chars())
        .map(|each| match each {
            '/' => '_',
            each if each.is_control() => '_',
            each => each,
        })
        .collect();
    last_bytes(&clean.replace("${filename}", "filename"), MAX_NAME_BYTES).to_owned()
}

/// The end of `text` with at most `most` bytes: the extension is there.
pub fn last_bytes(text: &str, most: usize) -> &str {
    let start = text.len().saturating_sub(most);
    let start = (start..=text.len()).find(|at| text.is_char_boundary(*at));
    start.and_then(|at| text.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(filename: &str, folder: Option<&str>, relative_path: Option<&str>) -> String {
        let file = UppyFile {
            filename,
            folder,
            relative_path,
        };
        file.path("/in/", Uuid::nil())
    }

    #[test]
    fn path_is_unique_within_folder() {
        let id = Uuid::nil();
        for (filename, folder, relative, expected) in [
            ("a b é+%.txt", None, None, format!("/in/{id}-a b é+%.txt")),
            ("a.txt", Some("x"), None, format!("/in/x/{id}-a.txt")),
            ("a.txt", Some("/x/y/"), None, format!("/x/y/{id}-a.txt")),
            (
                "a.txt",
                None,
                Some("p/q/a.txt"),
                format!("/in/p/q/{id}-a.txt"),
            ),
            (
                "a.txt",
                Some("x"),
                Some("/p/a.txt"),
                format!("/in/x/p/{id}-a.txt"),
            ),
            ("a.txt", None, Some("a.txt"), format!("/in/{id}-a.txt")),
            ("a/../b\n", None, None, format!("/in/{id}-a_.._b_")),
            ("${filename}", None, None, format!("/in/{id}-filename")),
            ("..", None, None, format!("/in/{id}-..")),
        ] {
            assert_eq!(path(filename, folder, relative), expected);
        }
    }

    #[test]
    fn long_name_keeps_its_end() {
        let name = format!("{}é.csv", "ü".repeat(400));
        let path = path(&name, None, None);
        assert!(path.ends_with("üé.csv"), "{path}");
        assert!(path.len() <= "/in/".len() + 37 + MAX_NAME_BYTES, "{path}");
        assert_eq!(last_bytes("aé", 1), "");
        assert_eq!(last_bytes("aé", 2), "é");
    }
}
