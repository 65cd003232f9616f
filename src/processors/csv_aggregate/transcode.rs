//! Converting UTF-16 and Latin-1 to UTF-8 while it is read.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::detect::Text;

const BUFFER: usize = 32 << 10;

/// What stands for a fault of the input. It is not UTF-8, so a row that needs it is a bad row, while
/// a replacement character would make a group of its own.
const FAULT: u8 = 0xff;

/// A reader of UTF-8. Memory: two buffers of 32 KiB.
pub(super) struct Transcode<R> {
    input: R,
    decoder: Decoder,
    /// What was read and not decoded.
    source: Vec<u8>,
    source_at: usize,
    ended: bool,
    /// What was decoded and not taken.
    output: Vec<u8>,
    output_at: usize,
    finished: bool,
}

impl<R: Read> Transcode<R> {
    pub(super) fn new(input: R, encoding: Text) -> Self {
        let encoding = match encoding {
            Text::Utf16Le => UTF_16LE,
            Text::Utf16Be => UTF_16BE,
            Text::Latin1 | Text::Utf8 => WINDOWS_1252,
        };
        Self {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            source: Vec::new(),
            source_at: 0,
            ended: false,
            output: Vec::new(),
            output_at: 0,
            finished: false,
        }
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.source_at == self.source.len() && !self.ended {
            self.source.resize(BUFFER, 0);
            let read = self.input.read(&mut self.source);
            self.source.truncate(*read.as_ref().unwrap_or(&0));
            self.source_at = 0;
            self.ended = read? == 0;
        }
        self.output.resize(BUFFER, 0);
        self.output_at = 0;
        let source = self.source.get(self.source_at..).unwrap_or(&[]);
        let (result, read, written) =
            self.decoder
                .decode_to_utf8_without_replacement(source, &mut self.output, self.ended);
        self.source_at += read;
        self.output.truncate(written);
        match result {
            DecoderResult::Malformed(..) => self.output.push(FAULT),
            DecoderResult::InputEmpty => self.finished = self.ended,
            DecoderResult::OutputFull => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Transcode<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.output_at == self.output.len() && !self.finished {
            self.decode()?;
        }
        let ready = self.output.get(self.output_at..).unwrap_or(&[]);
        let count = ready.len().min(buffer.len());
        let (taken, _) = ready.split_at(count);
        if let Some(place) = buffer.get_mut(..count) {
            place.copy_from_slice(taken);
        }
        self.output_at += count;
        Ok(count)
    }
}
