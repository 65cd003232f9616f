//! The blocks of a GIF, without decoding them: whether its end is there, and how many frames it has.
//!
//! The source is the specification of GIF89a, sections 18 to 27.

use super::failure::Failure;

/// The size of the header and the logical screen descriptor together, in bytes.
const SCREEN_BYTES: usize = 13;
/// The size of an image descriptor after its first byte, in bytes.
const IMAGE_BYTES: usize = 9;

/// What the blocks of a GIF are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// The number of frames.
    pub(super) frames: usize,
}

impl Blocks {
    /// Follows the blocks to the trailer.
    ///
    /// # Errors
    /// The bytes end before, or a block is unknown.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let mut rest = Rest(bytes);
        let screen = rest.take(SCREEN_BYTES)?;
        rest.skip_palette(screen.get(10).copied().unwrap_or_default())?;
        let mut frames = 0_usize;
        loop {
            match rest.byte()? {
                b'!' => {
                    rest.byte()?;
                    rest.skip_data()?;
                }
                b',' => {
                    let image = rest.take(IMAGE_BYTES)?;
                    rest.skip_palette(image.last().copied().unwrap_or_default())?;
                    // The size of the codes.
                    rest.byte()?;
                    rest.skip_data()?;
                    frames = frames.saturating_add(1);
                }
                b';' => return Ok(Self { frames }),
                // Some writers end the data of a frame with more than one terminator.
                0 => {}
                _ => return Err(Failure::corrupt("a block of an unknown kind")),
            }
        }
    }
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Failure> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Failure::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Failure> {
        let taken = self.take(1)?;
        taken.first().copied().ok_or(Failure::Truncated)
    }

    /// Skips the palette that `flags` announce.
    fn skip_palette(&mut self, flags: u8) -> Result<(), Failure> {
        const HAS_PALETTE: u8 = 0x80;
        const SIZE: u8 = 0x07;
        if flags & HAS_PALETTE != 0 {
            let colours = 2_usize << (flags & SIZE);
            self.take(3 * colours)?;
        }
        Ok(())
    }

    /// Skips sub-blocks to their terminator.
    fn skip_data(&mut self) -> Result<(), Failure> {
        loop {
            match self.byte()? {
                0 => return Ok(()),
                size => self.take(usize::from(size))?,
            };
        }
    }
}
