//! What clients want.

use crate::support::dice::Dice;

/// What a client has in mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Create, PUT, acknowledge.
    Keep,
    /// The same, at a path where others try too and the first wins.
    Contest,
    /// The same, at a path where others write too and the last wins.
    Overwrite,
    /// Acknowledges at both replicas at once.
    Twice,
    /// Dies at some step, or in the middle of it.
    Die,
    /// Never acknowledges.
    Leave,
    /// Never sends.
    Forget,
    /// Takes the promise back before it sends.
    Cancel,
    /// Takes the promise back after it sent.
    CancelLate,
    /// Deletes the dataset in the end.
    Delete,
    /// Sends other bytes than it declared, then perhaps the right ones.
    WrongBytes,
    /// Claims another size at the acknowledge than it sent.
    WrongClaim,
    /// Sends when its URL has ended.
    Late,
}

impl Plan {
    /// By chance; most are harmless.
    pub fn any(dice: &mut Dice) -> Plan {
        match dice.roll(100) {
            0..20 => Plan::Keep,
            20..30 => Plan::Contest,
            30..45 => Plan::Overwrite,
            45..50 => Plan::Twice,
            50..65 => Plan::Die,
            65..72 => Plan::Leave,
            72..75 => Plan::Forget,
            75..78 => Plan::Cancel,
            78..81 => Plan::CancelLate,
            81..93 => Plan::Delete,
            93..96 => Plan::WrongBytes,
            96..98 => Plan::WrongClaim,
            _ => Plan::Late,
        }
    }

    /// Where the `number`th story of a client plays.
    pub fn path(self, name: &str, number: u64, dice: &mut Dice) -> String {
        match self {
            // Another place every few stories: once a place is taken, there is nothing to win.
            Plan::Contest => format!("/once/{}/{}.csv", number / 3, dice.roll(2)),
            Plan::Overwrite => format!("/over/{}.csv", dice.roll(4)),
            _ => format!("/own/{name}.csv"),
        }
    }

    /// Whether others write at the same path.
    pub fn is_shared(self) -> bool {
        matches!(self, Plan::Contest | Plan::Overwrite)
    }
}
