//! Networks of IP addresses.

use std::fmt;
use std::net::IpAddr;

/// An IP address, or all addresses with the same prefix: `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u32,
}

impl Network {
    /// Parses an address or network.
    ///
    /// # Errors
    /// A phrase that says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "must be IP addresses or networks, such as 10.0.0.0/8 or fd00::1; {text:?} is not one"
            )
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| expected())?;
        let width = width(address);
        let bits = match bits {
            Some(bits) => bits.parse().ok().filter(|bits| *bits <= width),
            None => Some(width),
        };
        let bits = bits.ok_or_else(expected)?;
        let first = mask_address(address, bits);
        if first != address {
            let network = Self { first, bits };
            return Err(format!("must write {text:?} without host bits: {network}"));
        }
        Ok(Self { first, bits })
    }

    /// Whether `address` is in the network. An IPv4-mapped IPv6 address counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        mask_address(address.to_canonical(), self.bits) == self.first
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// The first `bits` of an address, with the other bits set to zero.
pub fn mask_address(address: IpAddr, bits: u32) -> IpAddr {
    let rest = width(address).saturating_sub(bits);
    match address {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(rest).unwrap_or(0);
            IpAddr::V4((ip.to_bits() & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(rest).unwrap_or(0);
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    }
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_contains_only_addresses_with_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("0.0.0.0/0", "192.0.2.7", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1", "::1", "127.0.0.1"),
            ("::/0", "fe80::1", "::ffff:10.1.2.3"),
        ] {
            let read = Network::parse(network).expect(network);
            assert!(read.contains(inside.parse().expect(inside)), "{network}");
            assert!(!read.contains(outside.parse().expect(outside)), "{network}");
        }
    }

    #[test]
    fn invalid_network_is_rejected() {
        for bad in [
            "proxy",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "/8",
            "10.0/8",
        ] {
            Network::parse(bad).expect_err(bad);
        }
        let fault = Network::parse("10.1.2.3/8").expect_err("host bits");
        assert!(fault.ends_with("10.0.0.0/8"), "{fault}");
    }
}
