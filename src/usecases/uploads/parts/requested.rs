//! The parts that a client asks for, as they came.

/// Which parts are to be signed.
#[derive(Clone, Debug)]
pub enum RequestedParts {
    /// The parts with these numbers.
    Numbers(Vec<u32>),
    /// Consecutive parts.
    Range {
        /// The number of the first one.
        from: u32,
        /// How many; by default as many as are signed with a new session.
        count: Option<u32>,
    },
    /// Parts with their sizes and checksums.
    Parts(Vec<RequestedPart>),
}

/// One part with what the client says of it.
#[derive(Clone, Debug)]
pub struct RequestedPart {
    /// From 1 on.
    pub number: u32,
    /// Bytes; needed where the size of the upload is open.
    pub size: Option<u64>,
    /// Of its bytes: the algorithm's name and the value in base64.
    pub checksum: Option<(String, String)>,
}
