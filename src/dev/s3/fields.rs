//! Access to the `checksum_*` fields of s3s types. These types have no common trait, so macros are used.

/// Sets the fields of a checksum and of its type in an output.
macro_rules! fill_checksum {
    ($output:expr, $checksum:expr) => {{
        $crate::dev::s3::fields::fill_value!($output, $checksum);
        $output.checksum_type = Some($checksum.kind());
    }};
}

/// Sets the field of a checksum in an output without a checksum type, such as that of a part.
macro_rules! fill_value {
    ($output:expr, $checksum:expr) => {{
        let value = Some($checksum.value.clone());
        match $checksum.algorithm {
            $crate::dev::s3::checksum::Algorithm::Crc32 => $output.checksum_crc32 = value,
            $crate::dev::s3::checksum::Algorithm::Crc32c => $output.checksum_crc32c = value,
            $crate::dev::s3::checksum::Algorithm::Crc64nvme => $output.checksum_crc64nvme = value,
            $crate::dev::s3::checksum::Algorithm::Sha1 => $output.checksum_sha1 = value,
            $crate::dev::s3::checksum::Algorithm::Sha256 => $output.checksum_sha256 = value,
        }
    }};
}

/// Returns the checksum fields of an input, as [`ChecksumFields`](super::checksum::ChecksumFields).
macro_rules! declared_checksums {
    ($input:expr) => {{
        use $crate::dev::s3::checksum::Algorithm;
        [
            (Algorithm::Crc32, $input.checksum_crc32.as_ref()),
            (Algorithm::Crc32c, $input.checksum_crc32c.as_ref()),
            (Algorithm::Crc64nvme, $input.checksum_crc64nvme.as_ref()),
            (Algorithm::Sha1, $input.checksum_sha1.as_ref()),
            (Algorithm::Sha256, $input.checksum_sha256.as_ref()),
        ]
    }};
}
pub(super) use {declared_checksums, fill_checksum, fill_value};
