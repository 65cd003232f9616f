//! Writes the built page (`web/page/dist/site`, made by `make page`) into the binary.
//!
//! The files are included as they are, beside their compressed copies, which the build of the page
//! has made. Without a built page there are no files, and the broker says how to get them.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let dist = folder("CARGO_MANIFEST_DIR")?.join("web/page/dist");
    // This folder always exists, so that cargo notices a new build, and does nothing otherwise.
    println!("cargo::rerun-if-changed=web/page/dist");
    println!("cargo::rerun-if-changed=web/page/embed.rs");
    let site = dist.join("site");
    let mut files = Vec::new();
    if site.join("index.html").is_file() {
        collect(&site, &mut files)?;
    }
    files.sort();
    let mut code = String::from("/// The files of the page.\nconst FILES: &[EmbeddedFile] = &[\n");
    for file in &files {
        let path = file
            .strip_prefix(&site)?
            .to_string_lossy()
            .replace('\\', "/");
        let absolute = file.display();
        writeln!(
            code,
            "    EmbeddedFile {{ path: {path:?}, identity: include_bytes!({:?}), \
             gzip: include_bytes!({:?}), brotli: include_bytes!({:?}) }},",
            format!("{absolute}"),
            format!("{absolute}.gz"),
            format!("{absolute}.br"),
        )?;
    }
    code.push_str("];\n");
    fs::write(folder("OUT_DIR")?.join("page.rs"), code)?;
    Ok(())
}

/// A folder that cargo names in a variable.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo passes its folders to a build script in variables"
)]
fn folder(variable: &str) -> Result<PathBuf, env::VarError> {
    env::var(variable).map(PathBuf::from)
}

/// The files in a folder and its folders, without the compressed copies.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_copy = path
            .extension()
            .is_some_and(|extension| extension == "gz" || extension == "br");
        if path.is_dir() {
            collect(&path, files)?;
        } else if !is_copy {
            files.push(path);
        }
    }
    Ok(())
}
