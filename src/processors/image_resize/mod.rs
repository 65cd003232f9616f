//! Makes smaller versions of an image: JPEG, PNG, WebP, and the first frame of GIF.
//!
//! What an image is follows from its first bytes, never from its name. The header is read first:
//! what would need too much memory or cannot be true is refused before a pixel is decoded. PNG is
//! decoded row by row, and rows are averaged while they arrive ([`reduce`]), so a large image is
//! never in memory as a whole unless its format requires that.
//!
//! The results are in sRGB and have no metadata: the orientation of EXIF and a colour profile are
//! applied to the pixels ([`colour`]). Images are not enlarged.
//!
//! | The image | What happens |
//! |---|---|
//! | is of another format, or no image at all | `unsupported-format` with its name, or `not-an-image` |
//! | is cut off, even by a byte | `truncated-image`: the end of the image has to be there |
//! | is damaged | `corrupt-image` |
//! | has more pixels than allowed, or than a file of its size can have | `too-many-pixels`, `implausible-size`, before anything is decoded |
//! | needs more memory than there is | `image-too-large`, before anything is decoded |
//! | is animated | its first frame is used |
//! | has a colour profile that cannot be used | it is taken as sRGB, and the report says so |

mod checked;
mod colour;
mod decode;
mod encode;
mod failure;
mod format;
mod forward;
mod gif;
mod gif_blocks;
mod header;
mod jpeg;
mod jpeg_markers;
mod options;
mod output;
mod pixels;
mod plan;
mod png;
mod reduce;
mod report;
mod resize;
mod size;
mod source;
mod webp;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

pub use checked::Checked;
pub use encode::Encoded;
pub use failure::Failure;
pub use options::{OptionFault, Options};
pub use output::Output;
pub use report::Report;
pub use source::Input;

use colour::Colour;
use decode::Decode;
use format::Format;
use plan::Plan;
use reduce::Reducer;
use source::Source;

/// Makes an image of each size of the options, and passes it to `write`. `memory_bytes` is the
/// memory for pixels and for the file.
///
/// # Errors
/// There is no result, and what was written must be discarded; see [`Failure`].
pub fn resize(
    checked: &Checked,
    memory_bytes: u64,
    input: Input<impl Read>,
    mut write: impl FnMut(&Encoded<'_>) -> io::Result<()>,
) -> Result<Report, Failure> {
    let (format, source) = Source::open(input, memory_bytes)?;
    let decoder: Box<dyn Decode + '_> = match format {
        Format::Jpeg => Box::new(jpeg::Jpeg::open(source.read_all()?, checked.max_pixels)?),
        Format::Png => Box::new(png::Png::open(source, checked.max_pixels)?),
        Format::Gif => Box::new(gif::Gif::open(source.read_all()?, checked.max_pixels)?),
        Format::WebP => Box::new(webp::WebP::open(source.read_all()?, checked.max_pixels)?),
    };
    let header = decoder.header().clone();
    let plan = Plan::new(&header, checked, memory_bytes)?;
    let reduced = decoder.decode(Reducer::new(&header, plan.factor))?;
    let colour = Colour::new(&header);
    let mut report = Report::new(format, &header, colour.profile_use());
    let mut output = checked.output;
    for (target, pixels) in resize::make(reduced, &header, &plan)? {
        let picture = colour.convert(pixels, header.orientation)?;
        // The largest comes first, and decides for all: averaging may remove a small opacity.
        let output = *output.get_or_insert_with(|| encode::suitable_output(&picture));
        let encoded = encode::encode(picture, &target.name, output, checked)?;
        write(&encoded).map_err(Failure::Write)?;
        report.add(&encoded);
    }
    Ok(report)
}
