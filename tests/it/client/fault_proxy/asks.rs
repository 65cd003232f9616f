//! The direction of a connection that carries requests.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::{PutFault, Way};

/// Forwards requests with the chosen faults. `at` is reset for each request, as positions count
/// from the start of its response; `lost` is set when the response must not be forwarded.
pub(super) async fn carry(
    mut asks: ReadHalf<'_>,
    mut takes: WriteHalf<'_>,
    way: &Way,
    at: &AtomicU64,
    lost: &AtomicBool,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let (mut head, mut body, mut flip) = (Vec::new(), 0_usize, false);
    loop {
        let count = asks.read(&mut buffer).await?;
        if count == 0 {
            return takes.shutdown().await;
        }
        at.store(0, Ordering::SeqCst);
        let mut rest = &mut buffer[..count];
        while !rest.is_empty() {
            if body > 0 {
                let (now, later) = rest.split_at_mut(body.min(rest.len()));
                if std::mem::take(&mut flip) {
                    now[0] ^= 1;
                }
                takes.write_all(now).await?;
                body -= now.len();
                let sent = now.len() as u64;
                way.seen.send_modify(|seen| seen.sent += sent);
                rest = later;
                continue;
            }
            // One byte at a time, as heads are short.
            head.push(rest[0]);
            rest = &mut rest[1..];
            if head.ends_with(b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&head).into_owned();
                body = length(&text);
                match harm(&text, way) {
                    Some(PutFault::Flip) => flip = true,
                    Some(PutFault::Late(by)) => tokio::time::sleep(by).await,
                    Some(PutFault::LoseAnswer) => lost.store(true, Ordering::SeqCst),
                    None => {}
                }
                takes.write_all(&head).await?;
                head.clear();
            }
        }
    }
}

/// Records a request and returns the fault for it, if there is one.
fn harm(head: &str, way: &Way) -> Option<PutFault> {
    let put = head.strip_prefix("PUT ");
    way.seen.send_modify(|seen| {
        seen.asked.push_str(head);
        seen.puts.extend(put.map(part_number));
    });
    put.and_then(|_| way.harm.lock().unwrap().pop_front())
}

fn part_number(target: &str) -> u32 {
    let number = target.split_once("partNumber=").map(|(_, rest)| rest);
    let number = number.and_then(|rest| rest.split(['&', ' ']).next());
    number.map_or(0, |number| number.parse().expect("a part number"))
}

fn length(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths
        .next()
        .map_or(0, |(_, length)| length.trim().parse().expect("a length"))
}
