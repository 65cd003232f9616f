//! The inputs of a processor on its standard input.
//!
//! Without framing, all of standard input is one input: that is for people and benchmarks. With
//! framing, which the broker uses, there may be several. Each starts with its length in bytes (an
//! unsigned 64-bit integer, little-endian), followed by as many bytes. A length of 0 is an empty
//! input. [`END`] in place of a length ends the list; a standard input that ends before it was cut
//! off, and is an error.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

/// The value in place of a length that ends a list of framed inputs. No object has this size.
pub const END: u64 = u64::MAX;

/// The inputs, which are read one after the other: an iterator of [`Input`]s. What was not read of
/// an input is skipped when the next one is requested.
///
/// An item is an error if the source fails, or ends before the list does. It is the last one.
pub struct Inputs(Rc<RefCell<Source>>);

/// One input. It reads to its own end, even if other inputs follow, and nothing after the next
/// input was requested.
pub struct Input {
    source: Rc<RefCell<Source>>,
    number: u64,
    size: Option<u64>,
}

struct Source {
    reader: Box<dyn Read>,
    /// The number of inputs that were requested.
    requested: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The only input has not been requested yet.
    Whole,
    /// An input without a known end is being read.
    ToTheEnd,
    /// So many bytes of the current framed input have not been read.
    Framed(u64),
    /// There is no further input.
    Ended,
}

impl Inputs {
    /// All of `reader` is one input.
    pub fn whole(reader: impl Read + 'static) -> Self {
        Self::new(Box::new(reader), State::Whole)
    }

    /// `reader` has framed inputs.
    pub fn framed(reader: impl Read + 'static) -> Self {
        Self::new(Box::new(reader), State::Framed(0))
    }

    fn new(reader: Box<dyn Read>, state: State) -> Self {
        Self(Rc::new(RefCell::new(Source {
            reader,
            requested: 0,
            state,
        })))
    }
}

impl Iterator for Inputs {
    type Item = io::Result<Input>;

    fn next(&mut self) -> Option<io::Result<Input>> {
        let mut source = self.0.borrow_mut();
        let size = match source.next_input() {
            Ok(size) => size?,
            Err(error) => {
                source.state = State::Ended;
                return Some(Err(error));
            }
        };
        Some(Ok(Input {
            source: Rc::clone(&self.0),
            number: source.requested,
            size,
        }))
    }
}

impl Source {
    /// Goes to the start of the next input, and returns its size if it is known.
    #[expect(clippy::option_option, reason = "no input, and no size, are different")]
    fn next_input(&mut self) -> io::Result<Option<Option<u64>>> {
        self.requested = self.requested.saturating_add(1);
        match self.state {
            State::Whole => {
                self.state = State::ToTheEnd;
                Ok(Some(None))
            }
            State::ToTheEnd => {
                io::copy(&mut self.reader, &mut io::sink())?;
                self.state = State::Ended;
                Ok(None)
            }
            State::Framed(unread) => {
                let mut rest = self.reader.by_ref().take(unread);
                if io::copy(&mut rest, &mut io::sink())? < unread {
                    return Err(cut_off());
                }
                let mut length = [0; size_of::<u64>()];
                self.reader.read_exact(&mut length)?;
                let length = u64::from_le_bytes(length);
                self.state = match length {
                    END => State::Ended,
                    length => State::Framed(length),
                };
                Ok((length != END).then_some(Some(length)))
            }
            State::Ended => Ok(None),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.state {
            State::ToTheEnd => self.reader.read(buffer),
            State::Whole | State::Framed(0) | State::Ended => Ok(0),
            State::Framed(unread) => {
                let read = self.reader.by_ref().take(unread).read(buffer)?;
                if read == 0 && !buffer.is_empty() {
                    return Err(cut_off());
                }
                let read_bytes = u64::try_from(read).unwrap_or(unread);
                self.state = State::Framed(unread.saturating_sub(read_bytes));
                Ok(read)
            }
        }
    }
}

impl Input {
    /// The size in bytes; `None` if standard input is not framed.
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut source = self.source.borrow_mut();
        match source.requested == self.number {
            true => source.read(buffer),
            false => Ok(0),
        }
    }
}

fn cut_off() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "standard input ends inside of an input",
    )
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn frames(inputs: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for input in inputs {
            bytes.extend(u64::try_from(input.len()).unwrap().to_le_bytes());
            bytes.extend(*input);
        }
        bytes.extend(END.to_le_bytes());
        bytes
    }

    fn all(inputs: Inputs) -> io::Result<Vec<(Option<u64>, Vec<u8>)>> {
        inputs
            .map(|input| {
                let (mut input, mut bytes) = (input?, Vec::new());
                input.read_to_end(&mut bytes)?;
                Ok((input.size(), bytes))
            })
            .collect()
    }

    #[test]
    fn framed_inputs_are_read_one_after_the_other() {
        let bytes = frames(&[b"one", b"", b"three"]);
        let expected = [
            (Some(3), b"one".to_vec()),
            (Some(0), Vec::new()),
            (Some(5), b"three".to_vec()),
        ];
        assert_eq!(all(Inputs::framed(Cursor::new(bytes))).unwrap(), expected);
        assert_eq!(all(Inputs::framed(Cursor::new(frames(&[])))).unwrap(), []);
    }

    #[test]
    fn unread_rest_of_an_input_is_skipped_and_no_longer_read() {
        let mut inputs = Inputs::framed(Cursor::new(frames(&[b"one", b"two"])));
        let mut input = inputs.next().unwrap().unwrap();
        input.read_exact(&mut [0; 1]).unwrap();
        let mut second = inputs.next().unwrap().unwrap();
        assert_eq!(input.read(&mut [0; 9]).unwrap(), 0);
        let mut bytes = Vec::new();
        second.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"two");
        assert!(inputs.next().is_none() && inputs.next().is_none());
    }

    #[test]
    fn framed_inputs_that_are_cut_off_are_an_error_at_every_byte() {
        let bytes = frames(&[b"one", b"two"]);
        for length in 0..bytes.len() {
            let mut inputs = Inputs::framed(Cursor::new(bytes[..length].to_vec()));
            let error = inputs.find_map(|input| match input {
                Ok(mut input) => io::copy(&mut input, &mut io::sink()).err(),
                Err(error) => Some(error),
            });
            let kind = error.map(|error| error.kind());
            assert_eq!(kind, Some(io::ErrorKind::UnexpectedEof), "{length}");
        }
    }

    #[test]
    fn whole_standard_input_is_one_input() {
        let read = all(Inputs::whole(&b"one and all"[..])).unwrap();
        assert_eq!(read, [(None, b"one and all".to_vec())]);
        let mut inputs = Inputs::whole(&b"one and all"[..]);
        assert!(inputs.next().is_some());
        assert!(inputs.next().is_none(), "the rest is skipped");
        // Nothing at all is one empty input.
        let read = all(Inputs::whole(&b""[..])).unwrap();
        assert_eq!(read, [(None, Vec::new())]);
    }
}
