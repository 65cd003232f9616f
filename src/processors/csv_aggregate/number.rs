//! Exact decimal numbers: a mantissa and a scale, without floating point.
//!
//! A cell is a number if it is `[+-]digits[.digits][e[+-]digits]` with blanks around it. No
//! digit is ever rounded away: a number that needs more than 38 digits is refused. A sum is kept as
//! a mantissa at the scale of its column, so that adding is one checked integer addition.

/// The most digits after the decimal point, and the most powers of ten that a mantissa is raised by.
pub(super) const MAX_SCALE: u8 = 38;

/// A cell of a column of numbers. The value is `mantissa / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// The cell holds nothing but blanks.
    Empty,
    /// A number whose mantissa fits into 64 bits. This is the fast path.
    Narrow(i64, u8),
    /// A number whose mantissa needs 128 bits.
    Wide(i128, u8),
}

/// The cell is not a number, or has too many digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotNumber;

/// Parses a cell.
pub(super) fn parse(cell: &[u8]) -> Result<Number, NotNumber> {
    match short(cell) {
        Some((mantissa, scale)) => Ok(Number::Narrow(mantissa, scale)),
        None => long(cell.trim_ascii()),
    }
}

/// Whether the cell holds nothing but blanks.
pub(super) fn is_blank(cell: &[u8]) -> bool {
    cell.trim_ascii().is_empty()
}

/// Parses a cell of at most 18 digits with at most one point: too few to overflow 64 bits.
fn short(cell: &[u8]) -> Option<(i64, u8)> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, cell),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut mantissa = 0_i64;
    let mut scale = 0_u8;
    let mut step = 0_u8;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + i64::from(digit);
            scale += step;
        } else if *byte == b'.' && step == 0 && digits.len() > 1 {
            step = 1;
        } else {
            return None;
        }
    }
    Some((if negative { -mantissa } else { mantissa }, scale))
}

/// Parses a cell of any form.
fn long(cell: &[u8]) -> Result<Number, NotNumber> {
    let (negative, mut rest) = match cell {
        [] => return Ok(Number::Empty),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, cell),
    };
    let mut mantissa = 0_i128;
    // Zeros after the point wait until another digit follows: at the end they add no value.
    let (mut digits, mut fraction, mut zeros, mut point) = (0_u32, 0_i32, 0_i32, false);
    while let [byte, tail @ ..] = rest {
        match byte {
            b'0' if point => zeros += 1,
            b'0'..=b'9' => {
                let shift = u8::try_from(zeros + 1).unwrap_or(u8::MAX);
                mantissa = raise(mantissa, shift)
                    .and_then(|value| value.checked_add(i128::from(byte - b'0')))
                    .ok_or(NotNumber)?;
                fraction += if point { zeros + 1 } else { 0 };
                zeros = 0;
            }
            b'.' if !point => point = true,
            _ => break,
        }
        digits += u32::from(byte.is_ascii_digit());
        rest = tail;
    }
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', power @ ..] => parse_power(power)?,
        _ => return Err(NotNumber),
    };
    if digits == 0 {
        return Err(NotNumber);
    }
    scaled(
        if negative { -mantissa } else { mantissa },
        fraction - exponent,
    )
}

/// Parses the power of ten after an `e`. Four digits are enough for any power that can be kept.
fn parse_power(power: &[u8]) -> Result<i32, NotNumber> {
    let (sign, digits) = match power {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, power),
    };
    if digits.is_empty() || digits.len() > 4 {
        return Err(NotNumber);
    }
    digits.iter().try_fold(0, |value, byte| match byte {
        b'0'..=b'9' => Ok(value * 10 + sign * i32::from(byte - b'0')),
        _ => Err(NotNumber),
    })
}

/// Brings `mantissa / 10^scale` to a scale between 0 and [`MAX_SCALE`].
fn scaled(mut mantissa: i128, mut scale: i32) -> Result<Number, NotNumber> {
    if mantissa == 0 {
        return Ok(Number::Narrow(0, 0));
    }
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    if scale < 0 {
        let power = u8::try_from(-scale).map_err(|_| NotNumber)?;
        mantissa = raise(mantissa, power).ok_or(NotNumber)?;
        scale = 0;
    }
    let scale = u8::try_from(scale)
        .ok()
        .filter(|scale| *scale <= MAX_SCALE)
        .ok_or(NotNumber)?;
    Ok(match i64::try_from(mantissa) {
        Ok(narrow) => Number::Narrow(narrow, scale),
        Err(_) => Number::Wide(mantissa, scale),
    })
}

/// `mantissa * 10^power`, or `None` if it does not fit into 128 bits.
pub(super) fn raise(mantissa: i128, power: u8) -> Option<i128> {
    if power == 0 || mantissa == 0 {
        return Some(mantissa);
    }
    10_i128
        .checked_pow(u32::from(power))
        .and_then(|factor| mantissa.checked_mul(factor))
}

/// The number without the zeros at the end of its fraction.
pub(super) fn shorten(mut mantissa: i128, mut scale: u8) -> (i128, u8) {
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    (mantissa, scale)
}

/// Appends the number in its one canonical form: no exponent, no `+`, no zeros that add nothing.
pub(super) fn format(mantissa: i128, scale: u8, out: &mut Vec<u8>) {
    let (mantissa, scale) = shorten(mantissa, scale);
    if mantissa < 0 {
        out.push(b'-');
    }
    let start = out.len();
    push_reversed(mantissa.unsigned_abs(), out);
    let scale = usize::from(scale);
    while out.len() - start <= scale {
        out.push(b'0');
    }
    if scale > 0 {
        out.insert(start + scale, b'.');
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// Appends the digits from the last to the first, by 64-bit divisions while the value is small.
fn push_reversed(mut value: u128, out: &mut Vec<u8>) {
    let mut small = loop {
        match u64::try_from(value) {
            Ok(small) => break small,
            Err(_) => {
                out.push(digit(u64::try_from(value % 10).unwrap_or(0)));
                value /= 10;
            }
        }
    };
    loop {
        out.push(digit(small % 10));
        small /= 10;
        if small == 0 {
            return;
        }
    }
}

fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
