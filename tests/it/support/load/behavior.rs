//! The behavior of clients.

use crate::support::seeded_rng::SeededRng;

/// The behavior of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// Creates a session, sends the bytes and acknowledges the upload.
    Complete,
    /// Does the same at a path that other clients use too, where the first upload wins.
    CompeteForPath,
    /// Does the same at a path that other clients use too, where the last upload wins.
    Overwrite,
    /// Acknowledges at both replicas at the same time.
    AcknowledgeTwice,
    /// Crashes between two steps or during one.
    Crash,
    /// Never acknowledges.
    NeverAcknowledge,
    /// Never sends.
    NeverSend,
    /// Cancels before it sends the bytes.
    CancelBeforeSending,
    /// Cancels after it has sent the bytes.
    CancelAfterSending,
    /// Deletes the dataset at the end.
    Delete,
    /// Sends other bytes than it declared, then possibly the right ones.
    WrongBytes,
    /// Expects another size in the acknowledge than it sent.
    WrongExpectedSize,
    /// Sends the bytes after the URL has expired.
    SendAfterExpiry,
}

impl Behavior {
    /// Returns a random behavior. Most of them follow the contract.
    pub fn random(rng: &mut SeededRng) -> Behavior {
        match rng.below(100) {
            0..20 => Behavior::Complete,
            20..30 => Behavior::CompeteForPath,
            30..45 => Behavior::Overwrite,
            45..50 => Behavior::AcknowledgeTwice,
            50..65 => Behavior::Crash,
            65..72 => Behavior::NeverAcknowledge,
            72..75 => Behavior::NeverSend,
            75..78 => Behavior::CancelBeforeSending,
            78..81 => Behavior::CancelAfterSending,
            81..93 => Behavior::Delete,
            93..96 => Behavior::WrongBytes,
            96..98 => Behavior::WrongExpectedSize,
            _ => Behavior::SendAfterExpiry,
        }
    }

    /// Returns the path for the `number`th run of a client.
    pub fn path(self, name: &str, number: u64, rng: &mut SeededRng) -> String {
        match self {
            // The path changes every few runs, because there is no competition after an upload at a path.
            Behavior::CompeteForPath => format!("/once/{}/{}.csv", number / 3, rng.below(2)),
            Behavior::Overwrite => format!("/over/{}.csv", rng.below(4)),
            _ => format!("/own/{name}.csv"),
        }
    }

    /// Returns whether other clients use the same path.
    pub fn is_shared(self) -> bool {
        matches!(self, Behavior::CompeteForPath | Behavior::Overwrite)
    }
}
