//! Content-Length under another name, below `h2`.
//!
//! `h2` refuses a reply whose body is longer or shorter than its Content-Length; for WinHTTP the length ends the body, or
//! means nothing (sources m3, n138). So `h2` gets the field under a name that says nothing to it, Accept-Charset, which has
//! no place in a reply. Both names are as long, plain and in Huffman's code, and both are in the static table of HPACK: bytes
//! are changed where they stand, and the tables of both sides stay alike.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::watch::{HEAD, HEADERS};

const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// The field, and the one in its place.
const NAMES: [&str; 2] = ["content-length", "accept-charset"];
/// The same in Huffman's code (RFC 7541, B).
const CODED: [[u8; 10]; 2] = [
    [0x21, 0xea, 0x49, 0x6a, 0x4a, 0xd4, 0x16, 0xa9, 0x93, 0x3f],
    [0x19, 0x08, 0x5a, 0xd2, 0xb1, 0x27, 0x1d, 0x88, 0x2a, 0x7f],
];
/// Where they stand in the static table (RFC 7541, A).
const INDEX: [usize; 2] = [28, 15];

/// A head of more frames, or with a longer one, is not collected: it goes on as it is, and so does all that follows. `h2`
/// takes fewer and shorter ones, and ends the connection there.
const FRAMES: usize = 128;
const LONGEST_FRAME: usize = 1 << 14;

/// The name of a field that `h2` has told. A length is a number; a set of characters begins with a letter or `*`.
pub fn name<'a>(told: &'a str, value: &[u8]) -> &'a str {
    if told == NAMES[1] && value.first().is_some_and(u8::is_ascii_digit) { NAMES[0] } else { told }
}

/// A stream whose incoming heads have no Content-Length.
#[derive(Debug)]
pub struct Renamed<S> {
    stream: S,
    /// What is left of a payload that goes by.
    left: usize,
    /// Frames of a head that is not complete, or the beginning of a frame.
    held: Vec<u8>,
    /// How far these were read.
    head: Head,
    /// What goes on first.
    whole: Vec<u8>,
    /// How much of it went on.
    gone: usize,
}

impl<S> Renamed<S> {
    pub fn new(stream: S) -> Renamed<S> {
        Renamed { stream, left: 0, held: Vec::new(), head: Head::default(), whole: Vec::new(), gone: 0 }
    }

    /// Takes bytes behind what may go by. Each is looked at once.
    fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            if self.head.at == 0 {
                at += passes(&mut self.left, &self.held[at..]);
            }
            match self.head.read(&self.held[at..]) {
                Read::Incomplete => break,
                Read::Complete => {
                    rename_in(&mut self.held[at..], &self.head.block);
                    at += self.head.at;
                }
                Read::TooMuch => self.left = usize::MAX,
            }
            self.head = Head::default();
        }
        self.whole.extend(self.held.drain(..at));
    }

    /// What goes on now, at most so many bytes.
    fn next(&mut self, most: usize) -> &[u8] {
        let from = self.gone;
        self.gone = self.whole.len().min(from + most);
        &self.whole[from..self.gone]
    }

    /// Whether all went on; then there is room for more.
    fn is_empty(&mut self) -> bool {
        let empty = self.gone == self.whole.len();
        if empty {
            self.whole.clear();
            self.gone = 0;
        }
        empty
    }
}

/// How many of these bytes may go by: what is `left` of a payload, and on to the first frame of a head, or of which too
/// little is there.
fn passes(left: &mut usize, bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let count = (*left).min(bytes.len() - at);
        *left -= count;
        at += count;
        match frame(&bytes[at..]) {
            Some((kind, _, length)) if kind != HEADERS => *left = HEAD + length,
            _ => return at,
        }
    }
}

/// Kind, flags and length of the frame that begins here.
fn frame(bytes: &[u8]) -> Option<(u8, u8, usize)> {
    let [high, middle, low, kind, flags, _, _, _, _, ..] = *bytes else { return None };
    Some((kind, flags, usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)))
}

/// The frames of a head, as far as they were read: where the next one begins, and where the block lies in them.
#[derive(Debug, Default)]
struct Head {
    at: usize,
    block: Vec<Range<usize>>,
}

/// What there is of a head.
enum Read {
    Incomplete,
    Complete,
    /// More than is collected.
    TooMuch,
}

impl Head {
    /// Reads on, where the last call left off, in bytes that begin with the head.
    fn read(&mut self, bytes: &[u8]) -> Read {
        loop {
            let Some((kind, flags, length)) = frame(&bytes[self.at..]) else { return Read::Incomplete };
            if self.at > 0 && kind != CONTINUATION {
                return Read::Complete;
            }
            if length > LONGEST_FRAME || self.block.len() == FRAMES {
                return Read::TooMuch;
            }
            let (mut start, end) = (self.at + HEAD, self.at + HEAD + length);
            let Some(payload) = bytes.get(start..end) else { return Read::Incomplete };
            let mut pad = 0;
            if kind == HEADERS && flags & PADDED != 0 {
                pad = usize::from(*payload.first().unwrap_or(&0));
                start += 1;
            }
            if kind == HEADERS && flags & PRIORITY != 0 {
                start += 5;
            }
            // What has no room for these is h2's to refuse.
            self.block.push(start..(end - pad.min(length)).max(start));
            self.at = end;
            if flags & END_HEADERS != 0 {
                return Read::Complete;
            }
        }
    }
}

/// Renames in a block that lies in pieces.
fn rename_in(bytes: &mut [u8], pieces: &[Range<usize>]) {
    let mut block = Vec::new();
    for piece in pieces {
        block.extend_from_slice(bytes.get(piece.clone()).unwrap_or_default());
    }
    rename(&mut block);
    let mut rest = &block[..];
    for piece in pieces {
        if let Some(place) = bytes.get_mut(piece.clone()) {
            let (own, behind) = rest.split_at(place.len());
            place.copy_from_slice(own);
            rest = behind;
        }
    }
}

/// Renames in the block of a head (RFC 7541, 6). What is malformed stays as it is: `h2` says so.
fn rename(block: &mut [u8]) -> Option<()> {
    let mut at = 0;
    while let Some(&first) = block.get(at) {
        let (prefix, literal) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            // The size of the table.
            0x20.. => (5, false),
            _ => (4, true),
        };
        let start = at;
        let index = integer(block, &mut at, prefix)?;
        let named = prefix != 5 && index == INDEX[0];
        if named && prefix == 4 {
            // Both are behind the prefix: 15 + 13, and 15 + 0.
            block[start + 1] &= 0x80;
        } else if named {
            block[start] -= (INDEX[0] - INDEX[1]) as u8;
        }
        if literal && index == 0 {
            let (coded, name) = string(block, &mut at)?;
            let [own, other]: [&[u8]; 2] =
                if coded { CODED.each_ref().map(|name| &name[..]) } else { NAMES.map(str::as_bytes) };
            if &block[name.clone()] == own {
                block[name].copy_from_slice(other);
            }
        }
        if literal {
            string(block, &mut at)?;
        }
    }
    Some(())
}

/// An integer with a prefix of so many bits (RFC 7541, 5.1).
fn integer(block: &[u8], at: &mut usize, prefix: u32) -> Option<usize> {
    let mut next = || {
        let byte = *block.get(*at)?;
        *at += 1;
        Some(usize::from(byte))
    };
    let most = (1 << prefix) - 1;
    let mut value = next()? & most;
    if value < most {
        return Some(value);
    }
    for shift in [0, 7, 14, 21] {
        let byte = next()?;
        value += (byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A string: whether it is in Huffman's code, and where it lies (RFC 7541, 5.2).
fn string(block: &[u8], at: &mut usize) -> Option<(bool, Range<usize>)> {
    let coded = block.get(*at)? & 0x80 != 0;
    let length = integer(block, at, 7)?;
    let place = *at..at.checked_add(length)?;
    block.get(place.clone())?;
    *at = place.end;
    Some((coded, place))
}

impl<S: AsyncRead + Unpin> AsyncRead for Renamed<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.is_empty() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let came = &buf.filled()[before..];
            if came.is_empty() {
                // The end, also of what will not be complete.
                this.whole = std::mem::take(&mut this.held);
                break;
            }
            let passed = if this.held.is_empty() { passes(&mut this.left, came) } else { 0 };
            this.hold(&came[passed..]);
            buf.set_filled(before + passed);
            if passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        buf.put_slice(this.next(buf.remaining()));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Renamed<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each way to write the field, beside fields that stay; a table that changes its size, and what is malformed.
    #[test]
    fn each_way_to_write_it() {
        let plain = |name: &str| [&[name.len() as u8], name.as_bytes()].concat();
        let coded = |name: &[u8]| [&[0x80 | name.len() as u8], name].concat();
        let rows: Vec<(Vec<u8>, Vec<u8>)> = vec![
            (vec![0x5c, 1, b'5'], vec![0x4f, 1, b'5']),
            (vec![0x0f, 0x0d, 1, b'5'], vec![0x0f, 0, 1, b'5']),
            (vec![0x1f, 0x0d, 1, b'5'], vec![0x1f, 0, 1, b'5']),
            (vec![0x1f, 0x8d, 0, 1, b'5'], vec![0x1f, 0x80, 0, 1, b'5']),
            (vec![0x9c], vec![0x8f]),
            (
                [vec![0x40], plain(NAMES[0]), vec![1, b'5']].concat(),
                [vec![0x40], plain(NAMES[1]), vec![1, b'5']].concat(),
            ),
            (
                [vec![0], coded(&CODED[0]), vec![0x81, 0x1f]].concat(),
                [vec![0], coded(&CODED[1]), vec![0x81, 0x1f]].concat(),
            ),
        ];
        // :status 200, the size of the table, x-a: "\x5c".
        let other = [vec![0x88, 0x3f, 0xe1, 0x1f, 0x40], plain("x-a"), vec![1, 0x5c]].concat();
        for (given, expected) in rows {
            let mut block = [&other[..], &given, &other].concat();
            assert_eq!(rename(&mut block), Some(()));
            assert_eq!(block, [&other[..], &expected, &other].concat(), "{given:x?}");
        }
        for broken in [&[0x40_u8, 0x7f][..], &[0x5c, 5, 1], &[0x0f], &[0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 1]] {
            assert_eq!(rename(&mut broken.to_vec()), None, "{broken:x?}");
        }
        let told = [("accept-charset", "5"), ("accept-charset", "utf-8"), ("x-a", "5")];
        assert_eq!(told.map(|(told, value)| name(told, value.as_bytes())), ["content-length", "accept-charset", "x-a"]);
    }

    /// However the bytes come, as many go on, changed in heads only: one in a frame with padding and priority, one in three
    /// frames, between them data that looks like the field.
    #[test]
    fn frames_in_any_pieces() {
        let frame = |kind: u8, flags: u8, payload: &[u8]| {
            [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, 1], payload].concat()
        };
        let bytes = |[first, second, third]: [u8; 3]| {
            [
                frame(4, 0, &[]),
                frame(1, PADDED | PRIORITY | END_HEADERS, &[2, 0, 0, 0, 0, 9, 0x88, first, 1, b'5', 0x5c, 0x5c]),
                frame(0, 0, &[0x5c, 1, b'5']),
                frame(1, 0, &[0x88, second]),
                frame(9, 0, &[]),
                frame(9, END_HEADERS, &[1, b'5', third, 1, b'5']),
                frame(0, 1, &[0x5c; 40]),
                frame(1, PADDED | END_HEADERS, &[]),
                // The beginning of one that does not come.
                vec![0, 0, 9, 1, 4, 0, 0, 0, 3, 0x5c],
            ]
            .concat()
        };
        let (given, expected) = (bytes([0x5c; 3]), bytes([0x4f; 3]));
        for size in 1..=given.len() {
            let mut renamed = Renamed::new(());
            let mut went = Vec::new();
            for piece in given.chunks(size) {
                let passed = if renamed.held.is_empty() { passes(&mut renamed.left, piece) } else { 0 };
                went.extend_from_slice(&piece[..passed]);
                renamed.hold(&piece[passed..]);
                went.append(&mut renamed.whole);
            }
            went.extend_from_slice(&renamed.held);
            assert_eq!(went, expected, "{size}");
        }
    }

    /// A head that does not end, and one with a frame that is too long: `h2` gets all of it, and what follows, as it came.
    #[test]
    fn what_is_too_much_goes_on_as_it_is() {
        let head = [0, 0, 1, 1, 0, 0, 0, 0, 1, 0x5c];
        let more = [0, 0, 0, 9, 0, 0, 0, 0, 1];
        let long = [0, 0x40, 1, 1, 4, 0, 0, 0, 1];
        let end = [0, 0, 1, 1, END_HEADERS, 0, 0, 0, 3, 0x5c];
        for flood in [[&head[..], &more.repeat(FRAMES)].concat(), [&long[..], &[0x5c; 0x4001]].concat()] {
            let given = [&flood[..], &end].concat();
            for size in [1, 7, given.len()] {
                let mut renamed = Renamed::new(());
                let mut went = Vec::new();
                for piece in given.chunks(size) {
                    renamed.hold(piece);
                    went.append(&mut renamed.whole);
                }
                assert!(went == given, "{size}");
            }
        }
    }
}
