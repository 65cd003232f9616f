//! What clients want.

use crate::support::seeded_rng::SeededRng;

/// What a client has in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// Create, PUT, acknowledge.
    Complete,
    /// The same, at a path where others try too and the first wins.
    CompeteForPath,
    /// The same, at a path where others write too and the last wins.
    Overwrite,
    /// Acknowledges at both replicas at once.
    AcknowledgeTwice,
    /// Dies at some step, or in the middle of it.
    Crash,
    /// Never acknowledges.
    NeverAcknowledge,
    /// Never sends.
    NeverSend,
    /// Takes the promise back before it sends.
    CancelBeforeSending,
    /// Takes the promise back after it sent.
    CancelAfterSending,
    /// Deletes the dataset in the end.
    Delete,
    /// Sends other bytes than it declared, then perhaps the right ones.
    WrongBytes,
    /// Claims another size at the acknowledge than it sent.
    WrongExpectedSize,
    /// Sends when its URL has ended.
    SendAfterExpiry,
}

impl Behavior {
    /// By chance; most are harmless.
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

    /// Where the `number`th story of a client plays.
    pub fn path(self, name: &str, number: u64, rng: &mut SeededRng) -> String {
        match self {
            // Another place every few stories: once a place is taken, there is nothing to win.
            Behavior::CompeteForPath => format!("/once/{}/{}.csv", number / 3, rng.below(2)),
            Behavior::Overwrite => format!("/over/{}.csv", rng.below(4)),
            _ => format!("/own/{name}.csv"),
        }
    }

    /// Whether others write at the same path.
    pub fn is_shared(self) -> bool {
        matches!(self, Behavior::CompeteForPath | Behavior::Overwrite)
    }
}
