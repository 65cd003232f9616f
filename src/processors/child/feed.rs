//! Writes inputs to the standard input of a child, in the format of [`inputs`].

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::process::ChildStdin;

use super::task::Input;
use crate::processors::inputs;

/// The inputs on their way to a child, and for how long it had to wait for them.
pub(super) struct Feeding<'a> {
    progress: &'a AtomicU64,
    waited_micros: AtomicU64,
}

impl<'a> Feeding<'a> {
    /// `progress` is increased by the number of bytes that were written.
    pub(super) fn new(progress: &'a AtomicU64) -> Self {
        Self {
            progress,
            waited_micros: AtomicU64::new(0),
        }
    }

    /// For how long there was nothing to write because a stream had no bytes.
    pub(super) fn waited(&self) -> Duration {
        Duration::from_micros(self.waited_micros.load(Ordering::Relaxed))
    }

    /// Writes all inputs. It ends without an error if the child reads no further, because how it
    /// ends says why.
    ///
    /// # Errors
    /// A stream fails, or has not as many bytes as its input.
    pub(super) async fn feed(
        &self,
        stdin: Option<ChildStdin>,
        inputs: Vec<Input<'_>>,
    ) -> io::Result<()> {
        let Some(mut stdin) = stdin else {
            return Ok(());
        };
        for input in inputs {
            if stdin.write_all(&input.size.to_le_bytes()).await.is_err() {
                return Ok(());
            }
            if !self.feed_one(&mut stdin, input).await? {
                return Ok(());
            }
        }
        // A child that has read what it needs may have ended already.
        let _ = stdin.write_all(&inputs::END.to_le_bytes()).await;
        Ok(())
    }

    /// Returns whether the child still reads.
    async fn feed_one(&self, stdin: &mut ChildStdin, mut input: Input<'_>) -> io::Result<bool> {
        let mut left = input.size;
        let mut chunk = self.measured(input.bytes.next()).await;
        while let Some(bytes) = chunk.transpose()? {
            let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            left = (left.checked_sub(size)).ok_or_else(|| wrong_size("more", input.size))?;
            // The next chunk is read while this one is written.
            let following = input.bytes.next();
            tokio::pin!(following);
            let mut early = None;
            let written = {
                let write = stdin.write_all(&bytes);
                tokio::pin!(write);
                loop {
                    tokio::select! {
                        biased;
                        written = &mut write => break written,
                        next = &mut following, if early.is_none() => early = Some(next),
                    }
                }
            };
            if written.is_err() {
                return Ok(false);
            }
            self.progress.fetch_add(size, Ordering::Relaxed);
            chunk = match early {
                Some(next) => next,
                None => self.measured(following).await,
            };
        }
        match left {
            0 => Ok(true),
            _ => Err(wrong_size("fewer", input.size)),
        }
    }

    /// Awaits a chunk, and adds the time to the time waited. The time counts even if the future is
    /// dropped at the time limit.
    async fn measured<T>(&self, chunk: impl Future<Output = T>) -> T {
        let _waiting = Waiting {
            since: Instant::now(),
            micros: &self.waited_micros,
        };
        chunk.await
    }
}

/// Adds the time of its life to a sum when it is dropped.
struct Waiting<'a> {
    since: Instant,
    micros: &'a AtomicU64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

fn wrong_size(what: &str, size: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the input has {what} than {size} bytes"),
    )
}
