//! What one process runs. A deployment may scale its parts on their own, each as processes with one
//! of the roles.

use std::fmt;

use super::reader::{Reader, Section};
use super::variables::BROKER_ROLES;

/// One part of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The HTTP API.
    Http,
    /// The relay, which publishes events to SNS and sends webhooks.
    Relay,
    /// The janitor, with its sweeps and its checks for stale multipart uploads.
    Janitor,
    /// The reader of S3 event notifications.
    Events,
    /// A worker, which runs jobs.
    Worker,
}

/// The roles of one process; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(Vec<Role>);

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Http,
        Self::Relay,
        Self::Janitor,
        Self::Events,
        Self::Worker,
    ];

    /// The name, as it is written in the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Relay => "relay",
            Self::Janitor => "janitor",
            Self::Events => "events",
            Self::Worker => "worker",
        }
    }
}

impl Roles {
    /// Only this role.
    pub fn only(role: Role) -> Self {
        Self(vec![role])
    }

    /// These roles, and `role`.
    pub fn with(mut self, role: Role) -> Self {
        if !self.has(role) {
            self.0.push(role);
        }
        self
    }

    /// Whether the process has this role.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut roles = Vec::new();
        for name in text.split(',').map(str::trim) {
            let role = Role::ALL.into_iter().find(|role| role.as_str() == name);
            let role = role.ok_or_else(|| {
                let known = Role::ALL.map(Role::as_str).join(", ");
                format!("must be a comma-separated list of {known}; found {name:?}")
            })?;
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        Ok(Self(roles))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|role| role.as_str()).collect();
        f.write_str(&names.join(","))
    }
}

impl Section for Roles {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.value(&BROKER_ROLES, Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_parsed_once_each_in_any_order() {
        let roles = Roles::parse("relay, http,relay").expect("roles");
        assert_eq!(roles.to_string(), "relay,http");
        assert!(roles.has(Role::Http) && !roles.has(Role::Janitor));
    }

    #[test]
    fn unknown_and_missing_roles_are_rejected_with_the_known_ones() {
        for text in ["", "http,", "http,workers", "HTTP"] {
            let fault = Roles::parse(text).expect_err(text);
            assert!(
                fault.contains("http, relay, janitor, events, worker"),
                "{fault}"
            );
        }
    }
}
