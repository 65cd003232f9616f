//! `completions` prints scripts that the shells accept, with every command in them.

use tokio::process::Command;

use crate::support::process::Run;

#[tokio::test]
async fn bash_accepts_script_and_completes_commands_and_options() {
    let script = Run::new(&["completions", "bash"]).finish().await.ok().out;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("completions.bash");
    std::fs::write(&file, script).unwrap();
    for (typed, offered) in [
        (&["upload-broker", "st"][..], "status"),
        (&["upload-broker", "get", "--fo"], "--force"),
        (&["upload-broker", "keys", "re"], "revoke"),
        (&["upload-broker", "completions", "fi"], "fish"),
    ] {
        let complete = r#"bash -n "$0" || exit 1
            source "$0"
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            complete=$(complete -p upload-broker | sed 's/.*-F \([^ ]*\).*/\1/')
            "$complete" upload-broker "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s\n' "${COMPREPLY[@]}""#;
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(complete).arg(&file).args(typed);
        let output = bash.output().await.expect("bash");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{output:?}");
        assert!(
            said.lines().any(|line| line == offered),
            "{typed:?}: {said:?}"
        );
    }
}

#[tokio::test]
async fn completions_exist_for_each_supported_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = Run::new(&["completions", shell]).finish().await.ok().out;
        for word in ["check-config", "put", "get", "status", "--json"] {
            assert!(
                script.contains(word.trim_start_matches('-')),
                "{shell}: no {word}"
            );
        }
    }
    Run::new(&["completions", "tcsh"])
        .finish()
        .await
        .expect_failure(2, &["bash", "zsh"]);
}
