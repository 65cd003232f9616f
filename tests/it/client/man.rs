//! `man` writes a page for each command.

use std::collections::BTreeSet;
use std::fs;

use crate::support::process::Run;

#[tokio::test]
async fn man_page_is_written_for_each_command_that_help_lists() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pages = folder.path().join("man1");
    let argument = pages.to_str().expect("UTF-8");
    Run::new(&["man", argument]).finish().await.ok();

    let written: BTreeSet<String> = fs::read_dir(&pages)
        .expect("the folder was created")
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let help = Run::new(&["--help"]).finish().await.ok().out;
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .map_while(|line| line.split_whitespace().next())
        .filter(|command| *command != "help");
    for command in commands {
        let name = format!("upload-broker-{command}.1");
        assert!(written.contains(&name), "{name} is not in {written:?}");
    }
    for name in ["upload-broker.1", "upload-broker-tenants-create.1"] {
        assert!(written.contains(name), "{name} is not in {written:?}");
    }
    let hidden = |name: &&String| name.contains("process-program");
    assert_eq!(written.iter().find(hidden), None);
}

#[tokio::test]
async fn man_page_has_options_examples_and_exit_codes_on_lines_of_their_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let argument = folder.path().to_str().expect("UTF-8");
    Run::new(&["man", argument]).finish().await.ok();
    let page = fs::read_to_string(folder.path().join("upload-broker-put.1")).unwrap();
    for part in [
        ".TH upload-broker-put 1",
        "\\fB\\-\\-resume\\fR",
        ".SH EXAMPLES\n.nf\nupload\\-broker put ",
        ".SH \"EXIT CODES\"\n.nf\n",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
}

#[tokio::test]
async fn folder_of_man_pages_that_cannot_be_created_is_named() {
    Run::new(&["man", "/dev/null/man1"])
        .finish()
        .await
        .expect_failure(
            1,
            &[
                "Cannot write man pages into /dev/null/man1",
                "Not a directory",
            ],
        );
}
