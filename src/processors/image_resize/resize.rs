//! Resizes the averaged image to each size.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::failure::Failure;
use super::header::Header;
use super::pixels::Pixels;
use super::plan::{Plan, Target};
use super::size::Dimensions;

/// How much larger a result must be to be the source of a smaller one.
const GAP: u32 = 2;

/// Makes all results, the largest first. A small one is made from a larger one where that is large
/// enough.
pub(super) fn make<'a>(
    reduced: Pixels,
    header: &Header,
    plan: &'a Plan,
) -> Result<Vec<(&'a Target, Pixels)>, Failure> {
    let mut resizer = Resizer::new();
    let mut made: Vec<(&Target, Pixels)> = Vec::with_capacity(plan.targets.len());
    for target in &plan.targets {
        let is_source = |pixels: &Pixels| {
            pixels.width / GAP >= target.dimensions.width
                && pixels.height / GAP >= target.dimensions.height
        };
        let source = made.iter().rev().map(|(_, pixels)| pixels);
        let resized = match source.into_iter().find(|pixels| is_source(pixels)) {
            Some(source) => {
                let (width, height) = (f64::from(source.width), f64::from(source.height));
                resize(&mut resizer, source, (width, height), target.dimensions)?
            }
            None => {
                let covered = covered(header.dimensions, plan.factor);
                resize(&mut resizer, &reduced, covered, target.dimensions)?
            }
        };
        made.push((target, resized));
    }
    Ok(made)
}

/// The part of the averaged image that the original covers. The last column and row may be averages
/// of fewer pixels.
fn covered(original: Dimensions, factor: u32) -> (f64, f64) {
    let factor = f64::from(factor);
    let side = |side: u32| f64::from(side) / factor;
    (side(original.width), side(original.height))
}

fn resize(
    resizer: &mut Resizer,
    source: &Pixels,
    covered: (f64, f64),
    to: Dimensions,
) -> Result<Pixels, Failure> {
    let pixel_type = source.layout.pixel_type();
    let from = ImageRef::new(source.width, source.height, &source.bytes, pixel_type);
    let from = from.map_err(Failure::internal)?;
    let mut resized = Image::new(to.width, to.height, pixel_type);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(0.0, 0.0, covered.0, covered.1)
        // The colours are premultiplied already.
        .use_alpha(false);
    let done = resizer.resize(&from, &mut resized, &options);
    done.map_err(Failure::internal)?;
    Ok(Pixels {
        width: to.width,
        height: to.height,
        layout: source.layout,
        bytes: resized.into_vec(),
    })
}
