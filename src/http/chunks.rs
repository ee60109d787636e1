//! The chunked transfer coding (RFC 9112, 7.1), read piece by piece: for replies and for what an application frames itself.
//! Nobody else decides what a chunked body is: hyper gets what passed here, without the trailer section.

use super::Headers;
use super::header_text::{is_text, is_token};

/// Longest size line, longest trailer section, and most bytes of extensions in a body: what is longer is an attack. No more than
/// hyper's bounds, which would decide otherwise.
const LONGEST_LINE: usize = 16 * 1024;
const MOST_TRAILERS: usize = 100;

/// Bytes that are no chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadChunk;

/// What is read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first digit of a size.
    Start,
    Size,
    /// Blanks behind the size.
    Blank,
    Extension,
    SizeEnd,
    Data,
    DataEnd(u8),
    Trailers,
    Done,
}

/// Something that a chunked body holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Bytes of one chunk.
    Data(&'a [u8]),
    /// The size line of the last chunk: the trailer section follows.
    Last,
    /// The end, with the trailer section.
    End(Headers),
}

/// Reads a chunked body from pieces of any length.
#[derive(Clone, Debug)]
pub struct ChunkReader {
    state: State,
    /// What is left of the current chunk.
    left: u64,
    /// Bytes of the current size line, or of the trailer section.
    overhead: usize,
    /// Bytes of extensions in all chunks.
    extensions: usize,
    /// A trailer line that is not complete.
    line: Vec<u8>,
    trailers: Headers,
}

impl Default for ChunkReader {
    fn default() -> ChunkReader {
        let (line, trailers) = (Vec::new(), Headers::default());
        ChunkReader { state: State::Start, left: 0, overhead: 0, extensions: 0, line, trailers }
    }
}

impl ChunkReader {
    /// Whether the end was read.
    pub fn ended(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the trailer section is being read.
    pub fn in_trailers(&self) -> bool {
        self.state == State::Trailers
    }

    /// Takes from `input` up to the next bytes of a chunk, at most `most` of them, the last chunk, or the end; `None` when
    /// `input` holds none of these. What follows the end stays in `input`; so does what is wrong, when it is.
    pub fn next<'a>(&mut self, input: &mut &'a [u8], most: usize) -> Result<Option<Chunk<'a>>, BadChunk> {
        loop {
            if self.state == State::Data {
                let count = input.len().min(most).min(usize::try_from(self.left).unwrap_or(usize::MAX));
                if count == 0 {
                    return Ok(None);
                }
                let (data, rest) = input.split_at(count);
                *input = rest;
                self.left -= count as u64;
                if self.left == 0 {
                    self.state = State::DataEnd(b'\r');
                }
                return Ok(Some(Chunk::Data(data)));
            }
            if self.ended() {
                return Ok(None);
            }
            let Some((byte, rest)) = input.split_first() else { return Ok(None) };
            let before = self.state;
            self.framing(*byte)?;
            *input = rest;
            match self.state {
                State::Trailers if before == State::SizeEnd => return Ok(Some(Chunk::Last)),
                State::Done => return Ok(Some(Chunk::End(std::mem::take(&mut self.trailers)))),
                _ => {}
            }
        }
    }

    /// A byte that is no data.
    fn framing(&mut self, byte: u8) -> Result<(), BadChunk> {
        self.overhead += 1;
        if self.overhead > LONGEST_LINE {
            return Err(BadChunk);
        }
        let digit = char::from(byte).to_digit(16).map(u64::from);
        self.state = match (self.state, byte, digit) {
            (State::Start | State::Size, _, Some(digit)) => {
                self.left = self.left.checked_mul(16).and_then(|left| left.checked_add(digit)).ok_or(BadChunk)?;
                State::Size
            }
            (State::Size | State::Blank, b' ' | b'\t', _) => State::Blank,
            (State::Size | State::Blank, b';', _) => State::Extension,
            (State::Size | State::Blank | State::Extension, b'\r', _) => State::SizeEnd,
            (State::Extension, b'\n', _) => return Err(BadChunk),
            (State::Extension, ..) => {
                self.extensions += 1;
                if self.extensions >= LONGEST_LINE {
                    return Err(BadChunk);
                }
                State::Extension
            }
            (State::SizeEnd, b'\n', _) => {
                self.overhead = 0;
                if self.left == 0 { State::Trailers } else { State::Data }
            }
            (State::DataEnd(b'\r'), b'\r', _) => State::DataEnd(b'\n'),
            (State::DataEnd(b'\n'), b'\n', _) => {
                self.overhead = 0;
                State::Start
            }
            (State::Trailers, b'\n', _) => {
                let line = std::mem::take(&mut self.line);
                let line = line.strip_suffix(b"\r").ok_or(BadChunk)?;
                if line.is_empty() { State::Done } else { self.trailer(line)? }
            }
            (State::Trailers, ..) => {
                self.line.push(byte);
                State::Trailers
            }
            _ => return Err(BadChunk),
        };
        Ok(())
    }

    fn trailer(&mut self, line: &[u8]) -> Result<State, BadChunk> {
        let colon = line.iter().position(|byte| *byte == b':').filter(|colon| *colon > 0).ok_or(BadChunk)?;
        let name = std::str::from_utf8(&line[..colon]).map_err(|_| BadChunk)?;
        let value = &line[colon + 1..];
        if !name.bytes().all(is_token) || !value.iter().copied().all(is_text) || self.trailers.len() == MOST_TRAILERS {
            return Err(BadChunk);
        }
        self.trailers.append(name, value.trim_ascii().to_vec());
        Ok(State::Trailers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data, the number of trailers and what follows, of a body that comes in pieces of a length.
    fn read(bytes: &[u8], piece: usize, most: usize) -> Result<(String, Option<usize>, usize), BadChunk> {
        let mut reader = ChunkReader::default();
        let (mut data, mut end, mut rest) = (Vec::new(), None, 0);
        for mut piece in bytes.chunks(piece) {
            while let Some(chunk) = reader.next(&mut piece, most)? {
                match chunk {
                    Chunk::Data(bytes) => data.extend_from_slice(bytes),
                    Chunk::Last => {}
                    Chunk::End(trailers) => end = Some(trailers.len()),
                }
            }
            rest += piece.len();
        }
        Ok((String::from_utf8(data).unwrap(), end, rest))
    }

    #[test]
    fn bodies() {
        let good = |data: &str, end, rest| Ok((data.to_owned(), end, rest));
        let rows = [
            ("2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", good("abc", Some(0), 0)),
            ("a \t\r\n0123456789\r\n00\r\nT: u\r\nV:\r\n\r\nnext", good("0123456789", Some(2), 4)),
            ("2\r\na", good("a", None, 0)),
            ("", good("", None, 0)),
            ("\r\n", Err(BadChunk)),
            (" 2\r\nab", Err(BadChunk)),
            ("x\r\n", Err(BadChunk)),
            ("2\nab", Err(BadChunk)),
            ("2;a\nb", Err(BadChunk)),
            ("2 2\r\n", Err(BadChunk)),
            ("2\r\nabc", Err(BadChunk)),
            ("10000000000000000\r\n", Err(BadChunk)),
            ("0\r\nno colon\r\n\r\n", Err(BadChunk)),
            ("0\r\n: no name\r\n\r\n", Err(BadChunk)),
            ("0\r\nA b: c\r\n\r\n", Err(BadChunk)),
            ("0\r\nA : c\r\n\r\n", Err(BadChunk)),
            ("0\r\nA: b\n\r\n", Err(BadChunk)),
            ("0\r\nA: b\rc\r\n\r\n", Err(BadChunk)),
            ("0\r\nA: \u{1}\r\n\r\n", Err(BadChunk)),
            ("0\r\nA: \u{7f}\r\n\r\n", Err(BadChunk)),
            ("0\r\nA: \0\r\n\r\n", Err(BadChunk)),
            ("0\r\n A: b\r\n\r\n", Err(BadChunk)),
            ("0\r\nA: b\r\n c\r\n\r\n", Err(BadChunk)),
            ("0\r\nA:\tb \u{e9}\r\n\r\n", good("", Some(1), 0)),
            ("ffffffffffffffff\r\nx", good("x", None, 0)),
        ];
        for (bytes, expected) in rows {
            for piece in [1, 2, 3, 1000] {
                assert_eq!(read(bytes.as_bytes(), piece, 7), expected, "{bytes:?} by {piece}");
            }
        }
        let extended = |count| format!("{}0\r\n\r\n", format!("1;{}\r\na\r\n", "x".repeat(1000)).repeat(count));
        let trailed = |count| format!("0\r\n{}\r\n", "A: b\r\n".repeat(count));
        for (body, good) in [(extended(16), true), (extended(17), false), (trailed(100), true), (trailed(101), false)] {
            assert_eq!(read(body.as_bytes(), 1000, 7).is_ok(), good, "{}", &body[..20]);
        }
        assert_eq!(read("1;".repeat(9000).as_bytes(), 100, 7), Err(BadChunk), "a size line without end");
    }
}
