//! The markers of a JPEG, without decoding it: its frame, its scans, and whether its end is there.
//!
//! Decoders fill in what is missing, so that a file that was cut off looks whole. And the memory for
//! a progressive image follows from its frame, not only from its size. The source is ITU-T T.81,
//! annexes B and G.

use super::failure::Failure;
use super::size::Dimensions;

/// The most scans of an image. Progressive images usually have ten; each costs the time of a pass
/// over the whole image, however short it is.
const MAX_SCANS: u32 = 64;

const MARKER: u8 = 0xff;

/// What the markers say about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Markers {
    pub(super) dimensions: Dimensions,
    /// The sampling factors of the components, horizontal and vertical.
    pub(super) sampling: Vec<(u32, u32)>,
    /// Whether all coefficients are in memory before the first pixel is known.
    pub(super) has_coefficients: bool,
    /// The offset of the marker that ends the image.
    pub(super) end: usize,
}

#[derive(Debug)]
struct Frame {
    dimensions: Dimensions,
    components: Vec<Component>,
    is_progressive: bool,
}

#[derive(Debug)]
struct Component {
    id: u8,
    sampling: (u32, u32),
    /// Whether a scan has the last bit of the mean values of its blocks.
    is_complete: bool,
}

impl Markers {
    /// Follows the markers to the end of the first image in a file.
    ///
    /// # Errors
    /// The bytes end before, or the image has a feature that is not supported.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        const START: usize = 2;
        const END: usize = 2;
        let mut rest = bytes.get(START..).ok_or(Failure::Truncated)?;
        let mut frame: Option<Frame> = None;
        let mut scans = 0_u32;
        loop {
            let marker = next_marker(&mut rest)?;
            match marker {
                // End of image.
                0xd9 => break,
                // Restarts and others without a segment.
                0x01 | 0xd0..=0xd8 => {}
                0xc0..=0xc2 if frame.is_none() => {
                    let segment = segment(&mut rest)?;
                    frame = Some(Frame::read(segment, marker == 0xc2)?);
                }
                0xc0..=0xc2 => return Err(Failure::corrupt("a second frame")),
                0xc3 | 0xc5..=0xc7 => return Err(Failure::Feature("JPEG without loss")),
                0xc9..=0xcb | 0xcd..=0xcf => {
                    return Err(Failure::Feature("JPEG with arithmetic coding"));
                }
                // Start of scan, followed by its data.
                0xda => {
                    let segment = segment(&mut rest)?;
                    let frame = frame.as_mut();
                    let frame = frame.ok_or_else(|| Failure::corrupt("a scan before the frame"))?;
                    frame.add_scan(segment)?;
                    scans = scans.saturating_add(1);
                    if scans > MAX_SCANS {
                        return Err(Failure::corrupt("it has more than 64 scans"));
                    }
                }
                _ => {
                    segment(&mut rest)?;
                }
            }
        }
        let frame = frame.ok_or_else(|| Failure::corrupt("it has no pixels"))?;
        if !frame
            .components
            .iter()
            .all(|component| component.is_complete)
        {
            return Err(Failure::corrupt("a scan is missing"));
        }
        let sampling = frame.components.iter().map(|component| component.sampling);
        Ok(Self {
            dimensions: frame.dimensions,
            sampling: sampling.collect(),
            has_coefficients: frame.is_progressive || scans > 1,
            end: bytes.len().saturating_sub(rest.len()).saturating_sub(END),
        })
    }

    /// The memory for all coefficients of the image, in bytes.
    pub(super) fn coefficient_bytes(&self) -> u64 {
        let most = |side: fn(&(u32, u32)) -> u32| self.sampling.iter().map(side).max().unwrap_or(1);
        let (most_h, most_v) = (most(|factors| factors.0), most(|factors| factors.1));
        let units = |pixels: u32, factor: u32| u64::from(pixels.div_ceil(8 * factor.max(1)));
        let groups = units(self.dimensions.width, most_h) * units(self.dimensions.height, most_v);
        let blocks: u64 = (self.sampling.iter())
            .map(|(h, v)| u64::from(*h) * u64::from(*v))
            .sum();
        // 64 coefficients of two bytes.
        groups.saturating_mul(blocks).saturating_mul(128)
    }
}

impl Frame {
    fn read(segment: &[u8], is_progressive: bool) -> Result<Self, Failure> {
        let invalid = || Failure::corrupt("its frame is too short");
        let (&[precision, h1, h2, w1, w2, count], components) =
            segment.split_first_chunk().ok_or_else(invalid)?;
        if precision != 8 {
            return Err(Failure::Feature("JPEG with more than 8 bits a channel"));
        }
        let components = components.as_chunks::<3>().0;
        let components = components.get(..usize::from(count)).ok_or_else(invalid)?;
        if !matches!(count, 1 | 3 | 4) {
            return Err(Failure::Feature("JPEG with other than 1, 3 or 4 channels"));
        }
        let components = components.iter().map(|[id, factors, _]| Component {
            id: *id,
            sampling: (u32::from(factors >> 4), u32::from(factors & 0x0f)),
            is_complete: false,
        });
        let components: Vec<_> = components.collect();
        let is_factor = |factor| (1..=4).contains(&factor);
        let is_valid = |(h, v)| is_factor(h) && is_factor(v);
        if !components
            .iter()
            .all(|component| is_valid(component.sampling))
        {
            return Err(Failure::corrupt("invalid sampling factors"));
        }
        Ok(Self {
            dimensions: Dimensions {
                width: u16::from_be_bytes([w1, w2]).into(),
                height: u16::from_be_bytes([h1, h2]).into(),
            },
            components,
            is_progressive,
        })
    }

    /// Notes which components a scan completes.
    fn add_scan(&mut self, segment: &[u8]) -> Result<(), Failure> {
        let invalid = || Failure::corrupt("the header of a scan is too short");
        let (&count, rest) = segment.split_first().ok_or_else(invalid)?;
        let (selectors, rest) = rest
            .split_at_checked(2 * usize::from(count))
            .ok_or_else(invalid)?;
        let &[first, _, bits] = rest.first_chunk().ok_or_else(invalid)?;
        let is_last = !self.is_progressive || (first == 0 && bits & 0x0f == 0);
        for [id, _] in selectors.as_chunks::<2>().0 {
            let selected = |component: &&mut Component| component.id == *id;
            if let Some(component) = self.components.iter_mut().find(selected) {
                component.is_complete |= is_last;
            }
        }
        Ok(())
    }
}

/// Skips to the next marker, and returns it. Data of a scan have no marker but restarts: there, a
/// zero follows the first byte of one.
fn next_marker(rest: &mut &[u8]) -> Result<u8, Failure> {
    loop {
        let start = rest.iter().position(|byte| *byte == MARKER);
        let start = start.ok_or(Failure::Truncated)?;
        *rest = rest.get(start..).unwrap_or_default();
        // Any number of fill bytes.
        let code = rest.iter().position(|byte| *byte != MARKER);
        let code = code.ok_or(Failure::Truncated)?;
        let marker = rest.get(code).copied().unwrap_or_default();
        *rest = rest.get(code.saturating_add(1)..).unwrap_or_default();
        if marker != 0 {
            return Ok(marker);
        }
    }
}

/// Takes the segment of a marker, without its length.
fn segment<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Failure> {
    let (length, after) = rest.split_first_chunk().ok_or(Failure::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let length = length.checked_sub(2);
    let length = length.ok_or_else(|| Failure::corrupt("a segment without its length"))?;
    let (segment, after) = after.split_at_checked(length).ok_or(Failure::Truncated)?;
    *rest = after;
    Ok(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(code: u8, segment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(segment.len() + 2).expect("a segment");
        [&[MARKER, code], &length.to_be_bytes()[..], segment].concat()
    }

    /// A frame of 16 × 9 pixels with chroma of half the size.
    fn frame(code: u8) -> Vec<u8> {
        let components = [1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        marker(code, &[&[8, 0, 9, 0, 16, 3], &components[..]].concat())
    }

    fn scan(components: &[u8], first: u8, bits: u8) -> Vec<u8> {
        let count = u8::try_from(components.len()).expect("a few");
        let selectors: Vec<u8> = components.iter().flat_map(|id| [*id, 0]).collect();
        let header = marker(0xda, &[&[count], &*selectors, &[first, 63, bits]].concat());
        // With a byte that looks like a marker, a restart, and a fill byte before what follows.
        [&header[..], &[1, 0xff, 0, 2, 0xff, 0xd0, 3, 0xff]].concat()
    }

    fn read(parts: &[&[u8]]) -> Result<Markers, &'static str> {
        let bytes = [&[0xff, 0xd8], &*parts.concat()].concat();
        Markers::read(&bytes).map_err(|failure| failure.code())
    }

    const END: &[u8] = &[0xff, 0xd9];

    #[test]
    fn size_of_image_and_coefficients_follow_from_the_frame() {
        let thumbnail = marker(0xe1, &[0xff, 0xd8, 0xff, 0xc0, 0xff, 0xd9]);
        let parts = [
            &thumbnail[..],
            &frame(0xc0),
            &scan(&[1, 2, 3], 0, 0),
            END,
            b"more",
        ];
        let markers = read(&parts).expect("valid");
        assert_eq!(markers.dimensions.width, 16);
        assert_eq!(markers.dimensions.height, 9);
        assert!(!markers.has_coefficients);
        let before: usize = parts[..3].iter().map(|part| part.len()).sum();
        assert_eq!(markers.end, 2 + before);
        // One group of 4 + 1 + 1 blocks.
        assert_eq!(markers.coefficient_bytes(), 6 * 128);
    }

    #[test]
    fn every_component_needs_its_last_scan() {
        let (luminance, chroma) = (scan(&[1], 0, 0), scan(&[2, 3], 0, 0));
        for code in [0xc0, 0xc2] {
            let complete = read(&[&frame(code), &luminance, &chroma, END]);
            assert!(complete.is_ok_and(|markers| markers.has_coefficients));
            let missing = read(&[&frame(code), &chroma, END]);
            assert_eq!(missing, Err("corrupt-image"));
        }
        let all = &scan(&[1, 2, 3], 0, 1);
        let details = &scan(&[1], 1, 0);
        let coarse = read(&[&frame(0xc2), all, details, END]);
        assert_eq!(coarse, Err("corrupt-image"));
    }

    #[test]
    fn image_that_is_cut_off_anywhere_is_truncated() {
        let bytes = [&frame(0xc0)[..], &scan(&[1, 2, 3], 0, 0), END].concat();
        for length in 0..bytes.len() {
            assert_eq!(
                read(&[&bytes[..length]]),
                Err("truncated-image"),
                "{length}"
            );
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_by_name() {
        for (code, expected) in [(0xc3, "unsupported-feature"), (0xc9, "unsupported-feature")] {
            assert_eq!(read(&[&frame(code), END]), Err(expected));
        }
        let two = marker(0xc0, &[8, 0, 9, 0, 16, 2, 1, 0x11, 0, 2, 0x11, 0]);
        assert_eq!(read(&[&two, END]), Err("unsupported-feature"));
        let deep = marker(0xc1, &[12, 0, 9, 0, 16, 1, 1, 0x11, 0]);
        assert_eq!(read(&[&deep, END]), Err("unsupported-feature"));
        let scans: Vec<u8> = (0..=MAX_SCANS)
            .flat_map(|_| scan(&[1, 2, 3], 0, 0))
            .collect();
        assert_eq!(read(&[&frame(0xc2), &scans, END]), Err("corrupt-image"));
        assert_eq!(
            read(&[&frame(0xc0), &frame(0xc0), END]),
            Err("corrupt-image")
        );
        assert_eq!(read(&[&scan(&[1], 0, 0), END]), Err("corrupt-image"));
        assert_eq!(read(&[END]), Err("corrupt-image"));
    }
}
