//! What is made of an image, and by which steps it fits into memory.

use super::checked::Checked;
use super::failure::Failure;
use super::header::{Header, is_transposing};
use super::pixels::byte_count;
use super::size::Dimensions;

/// How much larger than the largest result the averaged image is at least, if memory allows that.
/// With twice the size, the difference to resizing the whole image at once cannot be seen.
const GAP: u32 = 2;
/// The largest factor of averaging, for which the sums still fit into their types.
pub(super) const MAX_FACTOR: u32 = 256;

/// A result to be made.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Its name.
    pub(super) name: String,
    /// Its size before the image is turned upright.
    pub(super) dimensions: Dimensions,
}

/// The steps.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// How many pixels in each direction are averaged while the image is decoded.
    pub(super) factor: u32,
    /// The results, the largest first.
    pub(super) targets: Vec<Target>,
}

impl Plan {
    /// Plans the results of an image within `allowed` bytes of memory.
    ///
    /// # Errors
    /// They do not fit into memory.
    pub(super) fn new(header: &Header, checked: &Checked, allowed: u64) -> Result<Self, Failure> {
        let mut targets = targets(header, checked);
        targets.sort_by_key(|target| std::cmp::Reverse(target.dimensions.pixels()));
        let largest = targets
            .first()
            .map_or(header.dimensions, |target| target.dimensions);
        let finest = factor(header.dimensions, largest, GAP);
        let coarsest = factor(header.dimensions, largest, 1);
        let needed = |factor| needed(header, &targets, largest, factor);
        let fitting = (finest..=coarsest).find(|factor| needed(*factor) <= allowed);
        match fitting {
            Some(factor) => Ok(Self { factor, targets }),
            None => Err(Failure::TooLarge {
                needed: needed(coarsest),
                allowed,
            }),
        }
    }
}

fn targets(header: &Header, checked: &Checked) -> Vec<Target> {
    let is_transposing = is_transposing(header.orientation);
    let turned = |dimensions: Dimensions| match is_transposing {
        true => dimensions.transposed(),
        false => dimensions,
    };
    let upright = turned(header.dimensions);
    let targets = checked.sizes.iter().map(|size| Target {
        name: size.name.clone(),
        dimensions: turned(upright.fitted(size.max_width, size.max_height)),
    });
    targets.collect()
}

/// The largest factor by which `from` can be divided and still be `gap` times as large as `to`.
fn factor(from: Dimensions, to: Dimensions, gap: u32) -> u32 {
    let of = |from: u32, to: u32| from.checked_div(to.saturating_mul(gap)).unwrap_or(1);
    let factor = of(from.width, to.width).min(of(from.height, to.height));
    factor.clamp(1, MAX_FACTOR)
}

/// Estimates the memory in bytes for averaging by `factor`.
fn needed(header: &Header, targets: &[Target], largest: Dimensions, factor: u32) -> u64 {
    let channels = header.layout.channels();
    let Dimensions { width, height } = header.dimensions;
    let (reduced_width, reduced_height) = (width.div_ceil(factor), height.div_ceil(factor));
    let reduced = byte_count(reduced_width, reduced_height, channels);
    let decoded = match header.is_whole && factor == 1 {
        // The decoder's own memory is used on.
        true => header.decoding_bytes,
        // A row as bytes, and the sums of rows with two bytes each.
        false => header.decoding_bytes + reduced + 3 * byte_count(width, 1, channels),
    };
    // Rows are shortened first, then columns.
    let between = byte_count(largest.width, reduced_height, channels);
    let results = targets.iter().map(|target| {
        let Dimensions { width, height } = target.dimensions;
        byte_count(width, height, channels)
    });
    // The copies that are turned, converted and encoded.
    let copies = 3 * byte_count(largest.width, largest.height, 4);
    let resized = reduced + between + results.sum::<u64>() + copies;
    decoded.max(resized)
}
