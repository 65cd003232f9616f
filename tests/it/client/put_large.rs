//! Large files: memory does not grow with their size.

use std::os::unix::fs::FileExt as _;

use super::scene::{Scene, noise};
use crate::support::process::Process;

const MIB: u64 = 1 << 20;

/// The peak memory of a process in bytes, as far as it is visible from outside.
async fn peak_memory(process: &Process) -> u64 {
    let status = format!("/proc/{}/status", process.id());
    let (mut highest, mut last) = (0, false);
    while !last {
        let Ok(text) = std::fs::read_to_string(&status) else {
            break;
        };
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        match line.and_then(|line| line.trim().split(' ').next()) {
            Some(kib) => highest = kib.parse::<u64>().expect("a number") * 1024,
            // The process has ended and is a zombie.
            None => last = true,
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    highest
}

/// One GiB in bounded memory, with each block at its position.
#[tokio::test]
async fn put_and_get_transfer_one_gibibyte_in_bounded_memory() {
    let scene = Scene::new().await;
    let file = std::fs::File::create(scene.folder().join("large")).expect("a file");
    let block = noise(31, MIB as usize);
    for at in 0..1024 {
        let mut block = block.clone();
        block[..8].copy_from_slice(&u64::to_be_bytes(at));
        file.write_all_at(&block, at * MIB).expect("a block");
    }
    let process = scene.run(&["put", "--json", "large", "/large"]).spawn();
    let memory = peak_memory(&process).await;
    let report = process.wait().await.ok().json();
    assert_eq!(report["size"], 1024 * MIB, "{report:#}");
    assert_eq!(report["level"], "checksum", "{report:#}");
    assert!((1..64 * MIB).contains(&memory), "{} MiB", memory / MIB);

    // And the download.
    let back = ["get", "--json", "/large", "back"];
    let process = scene.run(&back).spawn();
    let memory = peak_memory(&process).await;
    let report = process.wait().await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    assert!((1..64 * MIB).contains(&memory), "{} MiB", memory / MIB);
}

#[tokio::test]
async fn put_of_standard_input_uses_bounded_memory() {
    let scene = Scene::new().await;
    let bytes = noise(32, 400 * MIB as usize);
    let process = scene
        .run(&["put", "--json", "-", "/large"])
        .stdin(&bytes)
        .spawn();
    let memory = peak_memory(&process).await;
    let report = process.wait().await.ok().json();
    assert_eq!(report["size"], 400 * MIB, "{report:#}");
    assert_eq!(report["level"], "checksum", "{report:#}");
    assert!((1..128 * MIB).contains(&memory), "{} MiB", memory / MIB);
}
