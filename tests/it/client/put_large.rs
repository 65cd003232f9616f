//! Large files, and how much memory they take: none that grows with them.

use std::os::unix::fs::FileExt as _;

use super::scene::{Scene, noise};
use crate::support::process::Process;

const MIB: u64 = 1 << 20;

/// The most memory that a process ever had, in bytes, as far as it can be seen from outside.
async fn highest(process: &Process) -> u64 {
    let status = format!("/proc/{}/status", process.id());
    let (mut highest, mut last) = (0, false);
    while !last {
        let Ok(text) = std::fs::read_to_string(&status) else {
            break;
        };
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        match line.and_then(|line| line.trim().split(' ').next()) {
            Some(kib) => highest = kib.parse::<u64>().expect("a number") * 1024,
            // A process that has ended, and waits to be waited for.
            None => last = true,
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    highest
}

/// A GiB in bounded memory, and every byte of it in its place.
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
    let memory = highest(&process).await;
    let told = process.ended().await.ok().json();
    assert_eq!(told["size"], 1024 * MIB, "{told:#}");
    assert_eq!(told["level"], "checksum", "{told:#}");
    assert!((1..64 * MIB).contains(&memory), "{} MiB", memory / MIB);

    // And down again.
    let back = ["get", "--json", "/large", "back"];
    let process = scene.run(&back).spawn();
    let memory = highest(&process).await;
    let told = process.ended().await.ok().json();
    assert_eq!(told["level"], "checksum", "{told:#}");
    assert!((1..64 * MIB).contains(&memory), "{} MiB", memory / MIB);
}

#[tokio::test]
async fn put_of_standard_input_uses_bounded_memory() {
    let scene = Scene::new().await;
    let bytes = noise(32, 400 * MIB as usize);
    let process = scene
        .run(&["put", "--json", "-", "/large"])
        .fed(&bytes)
        .spawn();
    let memory = highest(&process).await;
    let told = process.ended().await.ok().json();
    assert_eq!(told["size"], 400 * MIB, "{told:#}");
    assert_eq!(told["level"], "checksum", "{told:#}");
    assert!((1..128 * MIB).contains(&memory), "{} MiB", memory / MIB);
}
