//! The parts that a client requests, before validation.

/// The parts to sign.
#[derive(Clone, Debug)]
pub enum RequestedParts {
    /// The parts with these numbers.
    Numbers(Vec<u32>),
    /// Consecutive parts.
    Range {
        /// The number of the first part.
        from: u32,
        /// The number of parts; by default as many as are signed for a new session.
        count: Option<u32>,
    },
    /// Parts with their sizes and checksums.
    Parts(Vec<RequestedPart>),
}

/// One part, with the values that the client states.
#[derive(Clone, Debug)]
pub struct RequestedPart {
    /// The number, from 1.
    pub number: u32,
    /// The size in bytes; required if the upload has no declared size.
    pub size: Option<u64>,
    /// The checksum of its bytes: the name of the algorithm and the value in base64.
    pub checksum: Option<(String, String)>,
}
