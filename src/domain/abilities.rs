//! Which features of S3 the store of a bucket supports.
//!
//! The broker replaces a guarantee of S3 by its own checks where a store does not give it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A feature of S3 that other stores may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ability {
    /// `If-None-Match: *` on PUT: the store refuses a second write.
    PutIfNoneMatch,
    /// `If-Match` on PUT: the store refuses to replace any version but the named one.
    PutIfMatch,
    /// `If-None-Match: *` on CompleteMultipartUpload.
    CompleteIfNoneMatch,
    /// `If-Match` on DELETE: the store keeps any version but the named one.
    DeleteIfMatch,
    /// The store refuses bytes that do not match the checksum they were sent with.
    Checksums,
    /// HEAD accepts `x-amz-checksum-mode`.
    HeadChecksums,
}

/// Whether a store supports an [`Ability`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// Not known yet. The broker assumes that the store does not support it.
    #[default]
    Unknown,
    /// Not supported: the store ignores it or refuses the request.
    No,
    /// Supported, as in S3.
    Yes,
    /// Supported, if ETags are sent without their quotes.
    Unquoted,
}

/// What is known of the store of one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Abilities {
    put_if_none_match: Support,
    put_if_match: Support,
    complete_if_none_match: Support,
    delete_if_match: Support,
    checksums: Support,
    head_checksums: Support,
}

impl Ability {
    /// Every ability.
    pub const ALL: [Self; 6] = [
        Self::PutIfNoneMatch,
        Self::PutIfMatch,
        Self::CompleteIfNoneMatch,
        Self::DeleteIfMatch,
        Self::Checksums,
        Self::HeadChecksums,
    ];

    /// The abilities that the setting `BROKER_S3_CONDITIONAL_WRITES` covers.
    pub const CONDITIONAL_WRITES: [Self; 4] = [
        Self::PutIfNoneMatch,
        Self::PutIfMatch,
        Self::CompleteIfNoneMatch,
        Self::DeleteIfMatch,
    ];

    /// The name in JSON, in metrics and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PutIfNoneMatch => "put_if_none_match",
            Self::PutIfMatch => "put_if_match",
            Self::CompleteIfNoneMatch => "complete_if_none_match",
            Self::DeleteIfMatch => "delete_if_match",
            Self::Checksums => "checksums",
            Self::HeadChecksums => "head_checksums",
        }
    }
}

impl Support {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::No, Self::Yes, Self::Unquoted];

    /// The name in JSON, in metrics and in Postgres.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::No => "no",
            Self::Yes => "yes",
            Self::Unquoted => "unquoted",
        }
    }

    /// Whether the store is known to support it.
    pub const fn is_supported(self) -> bool {
        matches!(self, Self::Yes | Self::Unquoted)
    }
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Abilities {
    /// Sets every ability to `support`.
    pub const fn all(support: Support) -> Self {
        Self {
            put_if_none_match: support,
            put_if_match: support,
            complete_if_none_match: support,
            delete_if_match: support,
            checksums: support,
            head_checksums: support,
        }
    }

    /// Whether the store supports `ability`.
    pub const fn support(&self, ability: Ability) -> Support {
        match ability {
            Ability::PutIfNoneMatch => self.put_if_none_match,
            Ability::PutIfMatch => self.put_if_match,
            Ability::CompleteIfNoneMatch => self.complete_if_none_match,
            Ability::DeleteIfMatch => self.delete_if_match,
            Ability::Checksums => self.checksums,
            Ability::HeadChecksums => self.head_checksums,
        }
    }

    /// A copy with one ability changed.
    #[must_use]
    pub const fn with(mut self, ability: Ability, support: Support) -> Self {
        let known = match ability {
            Ability::PutIfNoneMatch => &mut self.put_if_none_match,
            Ability::PutIfMatch => &mut self.put_if_match,
            Ability::CompleteIfNoneMatch => &mut self.complete_if_none_match,
            Ability::DeleteIfMatch => &mut self.delete_if_match,
            Ability::Checksums => &mut self.checksums,
            Ability::HeadChecksums => &mut self.head_checksums,
        };
        *known = support;
        self
    }

    /// A copy in which unknown abilities take their values from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let unknown =
            (Ability::ALL.into_iter()).filter(|ability| self.support(*ability) == Support::Unknown);
        unknown.fold(self, |all, ability| {
            all.with(ability, other.support(ability))
        })
    }

    /// Whether no ability is unknown.
    pub fn is_complete(&self) -> bool {
        Ability::ALL
            .into_iter()
            .all(|ability| self.support(ability) != Support::Unknown)
    }

    /// Whether a checksum that the store returns proves anything about the bytes of the object: the
    /// store must check checksums on upload and return them.
    pub const fn returns_checked_checksums(&self) -> bool {
        self.checksums.is_supported() && self.head_checksums.is_supported()
    }
}

/// For logs: `put_if_none_match yes, put_if_match unquoted, …`.
impl fmt::Display for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, ability) in Ability::ALL.into_iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}", ability.as_str(), self.support(ability))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn or_fills_only_unknown_abilities() {
        let off = Abilities::default().with(Ability::DeleteIfMatch, Support::No);
        let all = off.or(Abilities::all(Support::Yes));
        assert_eq!(all.support(Ability::DeleteIfMatch), Support::No);
        assert_eq!(all.support(Ability::PutIfMatch), Support::Yes);
        assert!(all.is_complete() && !off.is_complete());
    }

    #[test]
    fn json_names_every_ability_and_missing_ones_are_unknown() {
        let all = Abilities::all(Support::Yes).with(Ability::PutIfMatch, Support::Unquoted);
        let json = serde_json::to_value(all).unwrap();
        for ability in Ability::ALL {
            assert_eq!(json[ability.as_str()], all.support(ability).as_str());
        }
        let older: Abilities = serde_json::from_str(r#"{"checksums":"yes"}"#).unwrap();
        assert_eq!(older.support(Ability::Checksums), Support::Yes);
        assert_eq!(older.support(Ability::DeleteIfMatch), Support::Unknown);
    }

    #[test]
    fn checksums_prove_only_if_checked_and_returned() {
        let all = Abilities::all(Support::Yes);
        assert!(all.returns_checked_checksums());
        for ability in [Ability::Checksums, Ability::HeadChecksums] {
            for support in [Support::No, Support::Unknown] {
                assert!(!all.with(ability, support).returns_checked_checksums());
            }
        }
    }
}
