//! Averages squares of pixels while rows arrive, so that only the smaller image is in memory.
//!
//! Colours are premultiplied with the opacity first: the colour of a pixel that cannot be seen must
//! not be seen in the average either.

use fast_image_resize::MulDiv;
use fast_image_resize::images::Image;

use super::failure::Failure;
use super::header::Header;
use super::pixels::{Layout, Pixels, byte_count};
use super::plan::MAX_FACTOR;
use super::size::Dimensions;

/// Takes the rows of an image from top to bottom.
pub(super) struct Reducer {
    dimensions: Dimensions,
    layout: Layout,
    factor: u32,
    /// The sums of the rows since the last averaged row, one for each byte of a row.
    sums: Vec<u16>,
    /// The number of these rows.
    summed_rows: u32,
    /// The number of all rows so far.
    rows: u32,
    /// A row whose colours are being premultiplied.
    premultiplied: Vec<u8>,
    averaged: Vec<u8>,
    alpha: MulDiv,
}

impl Reducer {
    /// Averages squares of `factor` × `factor` pixels. Those at the right and the bottom may have
    /// fewer.
    pub(super) fn new(header: &Header, factor: u32) -> Self {
        Self {
            dimensions: header.dimensions,
            layout: header.layout,
            factor: factor.clamp(1, MAX_FACTOR),
            sums: Vec::new(),
            summed_rows: 0,
            rows: 0,
            premultiplied: Vec::new(),
            averaged: Vec::new(),
            alpha: MulDiv::new(),
        }
    }

    /// Adds the next row.
    pub(super) fn push(&mut self, row: &[u8]) -> Result<(), Failure> {
        if self.averaged.is_empty() && self.rows == 0 {
            self.averaged.reserve_exact(self.reduced_len());
        }
        self.rows = self.rows.saturating_add(1);
        if !self.layout.has_alpha() {
            self.add(row);
            return Ok(());
        }
        let mut premultiplied = std::mem::take(&mut self.premultiplied);
        premultiplied.clear();
        premultiplied.extend_from_slice(row);
        self.premultiply(&mut premultiplied, 1)?;
        self.add(&premultiplied);
        self.premultiplied = premultiplied;
        Ok(())
    }

    /// Takes all rows at once, and returns the averaged image.
    pub(super) fn reduce(mut self, mut rows: Vec<u8>) -> Result<Pixels, Failure> {
        if self.factor == 1 {
            if self.layout.has_alpha() {
                self.premultiply(&mut rows, self.dimensions.height)?;
            }
            self.rows = self.dimensions.height;
            self.averaged = rows;
            return self.finish();
        }
        for row in rows.chunks_exact(self.row_len().max(1)) {
            self.push(row)?;
        }
        self.finish()
    }

    /// Returns the averaged image.
    pub(super) fn finish(mut self) -> Result<Pixels, Failure> {
        self.average();
        if self.rows != self.dimensions.height || self.averaged.len() != self.reduced_len() {
            return Err(Failure::Truncated);
        }
        Ok(Pixels {
            width: self.dimensions.width.div_ceil(self.factor),
            height: self.dimensions.height.div_ceil(self.factor),
            layout: self.layout,
            bytes: self.averaged,
        })
    }

    fn premultiply(&self, rows: &mut [u8], height: u32) -> Result<(), Failure> {
        let width = self.dimensions.width;
        let image = Image::from_slice_u8(width, height, rows, self.layout.pixel_type());
        let mut image = image.map_err(|_| Failure::Truncated)?;
        let multiplied = self.alpha.multiply_alpha_inplace(&mut image);
        multiplied.map_err(Failure::internal)
    }

    fn add(&mut self, row: &[u8]) {
        if self.factor == 1 {
            self.averaged.extend_from_slice(row);
            return;
        }
        self.sums.resize(row.len(), 0);
        for (sum, byte) in self.sums.iter_mut().zip(row) {
            // At most MAX_FACTOR * 255, which fits.
            *sum = sum.wrapping_add(u16::from(*byte));
        }
        self.summed_rows = self.summed_rows.saturating_add(1);
        if self.summed_rows == self.factor {
            self.average();
        }
    }

    /// Turns the sums of rows into a row of averages.
    fn average(&mut self) {
        if self.summed_rows == 0 {
            return;
        }
        match self.layout.channels() {
            1 => self.average_channels::<1>(),
            2 => self.average_channels::<2>(),
            3 => self.average_channels::<3>(),
            _ => self.average_channels::<4>(),
        }
        self.sums.fill(0);
        self.summed_rows = 0;
    }

    fn average_channels<const CHANNELS: usize>(&mut self) {
        let columns = usize::try_from(self.factor).unwrap_or(1);
        let whole = Divisor::new(self.factor.saturating_mul(self.summed_rows));
        for square in self.sums.chunks(columns.saturating_mul(CHANNELS)) {
            let mut totals = [0_u32; CHANNELS];
            let mut pixels = 0_u32;
            for pixel in square.chunks_exact(CHANNELS) {
                for (total, sum) in totals.iter_mut().zip(pixel) {
                    *total = total.wrapping_add(u32::from(*sum));
                }
                pixels = pixels.wrapping_add(1);
            }
            let divisor = match pixels == self.factor {
                true => whole,
                false => Divisor::new(pixels.saturating_mul(self.summed_rows)),
            };
            self.averaged
                .extend(totals.map(|total| divisor.divide(total)));
        }
    }

    fn row_len(&self) -> usize {
        let len = byte_count(self.dimensions.width, 1, self.layout.channels());
        usize::try_from(len).unwrap_or(usize::MAX)
    }

    fn reduced_len(&self) -> usize {
        let Dimensions { width, height } = self.dimensions;
        let (width, height) = (width.div_ceil(self.factor), height.div_ceil(self.factor));
        let len = byte_count(width, height, self.layout.channels());
        usize::try_from(len).unwrap_or(usize::MAX)
    }
}

/// The bits after the point of a reciprocal. With these the quotient of every sum is exact: a sum has
/// less than 24 bits, a number up to 16.
const SHIFT: u32 = 40;

/// Divides sums of bytes by their number: a multiplication, which takes a fraction of the time.
#[derive(Clone, Copy)]
struct Divisor {
    reciprocal: u64,
    half: u32,
}

impl Divisor {
    fn new(count: u32) -> Self {
        let reciprocal = (1_u64 << SHIFT).checked_div(u64::from(count));
        Self {
            reciprocal: reciprocal.unwrap_or_default().saturating_add(1),
            half: count / 2,
        }
    }

    /// Returns `total / count`, rounded.
    fn divide(self, total: u32) -> u8 {
        let total = u64::from(total.wrapping_add(self.half));
        let quotient = total.wrapping_mul(self.reciprocal) >> SHIFT;
        u8::try_from(quotient).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processors::image_resize::samples::header;

    #[test]
    fn squares_are_averaged_and_those_at_the_edges_have_fewer_pixels() {
        let header = header(5, 3, Layout::Grey);
        let mut reducer = Reducer::new(&header, 2);
        for row in [[10, 20, 30, 40, 5], [30, 40, 30, 40, 7], [8, 9, 1, 2, 255]] {
            reducer.push(&row).expect("a row");
        }
        let reduced = reducer.finish().expect("all rows");
        assert_eq!((reduced.width, reduced.height), (3, 2));
        assert_eq!(reduced.bytes, [25, 35, 6, 9, 2, 255]);
    }

    #[test]
    fn whole_image_and_its_rows_give_the_same() {
        let header = header(7, 6, Layout::RgbAlpha);
        let rows: Vec<u8> = (0..7 * 6 * 4_u8).collect();
        for factor in [1, 2, 3, 7, 256] {
            let whole = Reducer::new(&header, factor).reduce(rows.clone());
            let mut reducer = Reducer::new(&header, factor);
            for row in rows.chunks(7 * 4) {
                reducer.push(row).expect("a row");
            }
            let by_rows = reducer.finish().expect("all rows");
            assert_eq!(whole.expect("an image").bytes, by_rows.bytes, "{factor}");
        }
    }

    #[test]
    fn colour_of_an_invisible_pixel_is_not_in_the_average() {
        let header = header(2, 1, Layout::RgbAlpha);
        let mut reducer = Reducer::new(&header, 2);
        let row = [200, 100, 50, 255, 9, 255, 9, 0];
        reducer.push(&row).expect("a row");
        let reduced = reducer.finish().expect("all rows");
        assert_eq!(reduced.bytes, [100, 50, 25, 128]);
    }

    #[test]
    fn division_is_rounded_for_every_sum() {
        for count in [1, 2, 3, 4, 9, 255, 1000, 65_536_u32] {
            let divisor = Divisor::new(count);
            let sums = (0..=255_u32).flat_map(|value| {
                let sum = value * count;
                [sum.saturating_sub(count / 2), sum, sum + (count - 1) / 2]
            });
            for sum in sums {
                let exact = ((sum + count / 2) / count).min(255);
                assert_eq!(u32::from(divisor.divide(sum)), exact, "{sum} / {count}");
            }
        }
    }

    #[test]
    fn missing_rows_are_a_failure() {
        let header = header(2, 2, Layout::Grey);
        let mut reducer = Reducer::new(&header, 1);
        reducer.push(&[1, 2]).expect("a row");
        assert!(matches!(reducer.finish(), Err(Failure::Truncated)));
        let reduced = Reducer::new(&header, 2).reduce(vec![1, 2]);
        assert!(matches!(reduced, Err(Failure::Truncated)));
    }
}
