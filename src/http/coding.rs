//! Content codings that are taken off a body while it is read (source decode.gzip): gzip, and deflate with or without
//! its zlib frame.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Headers;
use crate::win32::{
    ERROR_WINHTTP_INVALID_SERVER_RESPONSE, WINHTTP_DECOMPRESSION_FLAG_DEFLATE, WINHTTP_DECOMPRESSION_FLAG_GZIP,
    Win32Error,
};

/// The codings that WINHTTP_DECOMPRESSION_FLAG_* bits name, for Accept-Encoding.
pub fn accepted(flags: u32) -> impl Iterator<Item = &'static str> {
    const CODINGS: [(u32, &str); 2] =
        [(WINHTTP_DECOMPRESSION_FLAG_GZIP, "gzip"), (WINHTTP_DECOMPRESSION_FLAG_DEFLATE, "deflate")];
    CODINGS.into_iter().filter(move |(flag, _)| flags & flag != 0).map(|(_, coding)| coding)
}

/// Decodes one body. Never holds more than what one call brings out.
#[derive(Debug)]
pub struct Decoder {
    gzip: bool,
    phase: Phase,
    inflate: Decompress,
    crc: Crc,
    /// Bytes of a frame's header or trailer that is not complete.
    frame: Vec<u8>,
    /// Something else than another member follows the last.
    surplus: bool,
    /// How many bytes were taken since one came out.
    barren: usize,
}

/// So many coded bytes may bring out none (our choice): the longest optional field of a gzip header that has a length, and
/// as much again. A server that sends more has something else in mind.
const BARREN: usize = 128 * 1024;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The first bytes of a gzip member, or the first of deflate.
    Header,
    /// Bytes of a gzip header that are not looked at: so many, then the rest of this kind of field.
    Skip(Field, usize),
    /// Bytes of a gzip header up to a NUL.
    Text(Field),
    Deflated,
    /// Checksum and length of a gzip member.
    Trailer,
    /// The end, or another gzip member.
    Over,
}

/// The optional fields of a gzip header that are still to come, as the bits of FLG (RFC 1952, 2.3.1).
type Field = u8;
const CHECKSUM: Field = 2;
const EXTRA: Field = 4;
const NAME: Field = 8;
const COMMENT: Field = 16;

const BROKEN: Win32Error = ERROR_WINHTTP_INVALID_SERVER_RESPONSE;

impl Decoder {
    /// The decoder for a body with these headers, if its coding is one of those that `flags` allow, and the only one.
    /// Content-Encoding and Content-Length then no longer tell of what is read, and are removed.
    pub fn take(headers: &mut Headers, flags: u32) -> Option<Decoder> {
        let (name, more) = (headers.get("content-encoding", 0)?, headers.get("content-encoding", 1));
        let gzip = match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => true,
            b"deflate" => false,
            _ => return None,
        };
        let wanted = if gzip { WINHTTP_DECOMPRESSION_FLAG_GZIP } else { WINHTTP_DECOMPRESSION_FLAG_DEFLATE };
        if more.is_some() || flags & wanted == 0 {
            return None;
        }
        headers.remove("content-encoding");
        headers.remove("content-length");
        Some(Decoder {
            gzip,
            phase: Phase::Header,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            frame: Vec::new(),
            surplus: false,
            barren: 0,
        })
    }

    /// Decodes from the front of `coded` until `room` is full or nothing more can come out. Answers how many bytes were
    /// put into `room`, and how many were taken.
    pub fn decode(&mut self, coded: &mut VecDeque<Bytes>, room: &mut [u8]) -> Result<(usize, usize), Win32Error> {
        let (mut made, mut taken) = (0, 0);
        while made < room.len() {
            let phase = self.phase;
            let part: &[u8] = coded.front().map_or(&[], |part| part);
            let (out, used) = match self.phase {
                Phase::Deflated => self.inflate(part, &mut room[made..])?,
                _ => (0, self.frame(part)?),
            };
            made += out;
            taken += used;
            self.barren = if out == 0 { self.barren + used } else { 0 };
            if self.barren > BARREN {
                return Err(BROKEN);
            }
            if let Some(part) = coded.front_mut() {
                part.advance(used);
                if part.is_empty() {
                    coded.pop_front();
                }
            }
            if out == 0 && used == 0 && self.phase == phase {
                break;
            }
        }
        Ok((made, taken))
    }

    /// The coded bytes are over: whether they were complete. A body without a byte is.
    pub fn end(&self) -> Result<(), Win32Error> {
        let untouched = self.phase == Phase::Header && self.frame.is_empty();
        if untouched || self.phase == Phase::Over { Ok(()) } else { Err(BROKEN) }
    }

    fn inflate(&mut self, part: &[u8], room: &mut [u8]) -> Result<(usize, usize), Win32Error> {
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(part, room, FlushDecompress::None).map_err(|_| BROKEN)?;
        let used = (self.inflate.total_in() - before_in) as usize;
        let out = (self.inflate.total_out() - before_out) as usize;
        if self.gzip {
            self.crc.update(&room[..out]);
        }
        if status == Status::StreamEnd {
            self.phase = if self.gzip { Phase::Trailer } else { Phase::Over };
        }
        Ok((out, used))
    }

    /// Takes bytes of a frame; answers how many.
    fn frame(&mut self, part: &[u8]) -> Result<usize, Win32Error> {
        match self.phase {
            Phase::Header if self.gzip => {
                let used = self.gather(part, 10);
                if let [0x1F, 0x8B, method, flags, ..] = self.frame[..] {
                    if self.frame.len() == 10 {
                        if method != 8 || flags & 0xE0 != 0 {
                            return Err(BROKEN);
                        }
                        self.field(flags & !1);
                    }
                } else if !b"\x1F\x8B".starts_with(self.frame.get(..2).unwrap_or(&self.frame)) {
                    return Err(BROKEN);
                }
                Ok(used)
            }
            Phase::Header => {
                if let Some(first) = part.first() {
                    // What servers call deflate has a zlib frame, as it should, or has none: its first byte tells, as no
                    // encoder begins with a stored block whose padding is not 0.
                    self.inflate.reset(first & 0xF == 8);
                    self.phase = Phase::Deflated;
                }
                Ok(0)
            }
            Phase::Skip(left, count) => {
                let used = self.gather(part, count);
                if self.frame.len() == count {
                    if left & EXTRA != 0 {
                        let length = usize::from(u16::from_le_bytes([self.frame[0], self.frame[1]]));
                        self.frame.clear();
                        self.phase = Phase::Skip(left & !EXTRA, length);
                    } else {
                        self.field(left);
                    }
                }
                Ok(used)
            }
            Phase::Text(left) => match part.iter().position(|byte| *byte == 0) {
                Some(end) => {
                    self.field(left);
                    Ok(end + 1)
                }
                None => Ok(part.len()),
            },
            Phase::Trailer => {
                let used = self.gather(part, 8);
                if let [a, b, c, d, e, f, g, h] = self.frame[..] {
                    let (sum, length) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
                    if (sum, length) != (self.crc.sum(), self.crc.amount()) {
                        return Err(BROKEN);
                    }
                    self.frame.clear();
                    self.phase = Phase::Over;
                }
                Ok(used)
            }
            // Members follow each other; what else follows the last is not looked at.
            Phase::Over if self.gzip && !self.surplus && part.first() == Some(&0x1F) => {
                self.phase = Phase::Header;
                self.inflate.reset(false);
                self.crc.reset();
                Ok(0)
            }
            Phase::Over | Phase::Deflated => {
                self.surplus |= !part.is_empty();
                Ok(part.len())
            }
        }
    }

    /// Fills the frame up to `length`.
    fn gather(&mut self, part: &[u8], length: usize) -> usize {
        let used = part.len().min(length - self.frame.len());
        self.frame.extend_from_slice(&part[..used]);
        used
    }

    /// Goes to the next field of a gzip header.
    fn field(&mut self, left: Field) {
        self.frame.clear();
        self.phase = match left {
            _ if left & EXTRA != 0 => Phase::Skip(left, 2),
            _ if left & NAME != 0 => Phase::Text(left & !NAME),
            _ if left & COMMENT != 0 => Phase::Text(left & !COMMENT),
            _ if left & CHECKSUM != 0 => Phase::Skip(left & !CHECKSUM, 2),
            _ => Phase::Deflated,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use flate2::{Compression, GzBuilder};

    use super::*;
    use crate::win32::WINHTTP_DECOMPRESSION_FLAG_ALL;

    fn headers(coding: &str) -> Headers {
        let mut headers = Headers::default();
        headers.append("Content-Encoding", coding.to_owned());
        headers.append("Content-Length", "5");
        headers.append("X", "y");
        headers
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(coding: &str, coded: &[u8], piece: usize, room: usize) -> Result<Vec<u8>, Win32Error> {
        let mut decoder = Decoder::take(&mut headers(coding), WINHTTP_DECOMPRESSION_FLAG_ALL).unwrap();
        let (mut text, mut room, mut total) = (Vec::new(), vec![0; room], 0);
        for piece in coded.chunks(piece) {
            let mut queue = VecDeque::from([Bytes::copy_from_slice(piece)]);
            loop {
                let (made, taken) = decoder.decode(&mut queue, &mut room)?;
                text.extend_from_slice(&room[..made]);
                total += taken;
                if made < room.len() {
                    break;
                }
            }
            assert!(queue.is_empty());
        }
        assert_eq!(total, coded.len());
        decoder.end().map(|()| text)
    }

    #[test]
    fn every_frame_in_pieces_of_every_size() {
        let text: Vec<u8> = (0..3000u32).flat_map(|number| (number * number).to_string().into_bytes()).collect();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&text).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(&text).unwrap();
        let builder = GzBuilder::new().filename("name").comment("comment").extra(vec![7; 300]);
        let mut full = builder.write(Vec::new(), Compression::none());
        full.write_all(&text).unwrap();
        let full = full.finish().unwrap();
        let members = [gzip(&text[..1000]), gzip(b""), gzip(&text[1000..])].concat();
        let garbage = [gzip(&text), vec![0; 40], b"\x1F garbage".to_vec()].concat();
        let rows = [
            ("gzip", gzip(&text)),
            ("X-GZIP", full),
            ("gzip", members),
            ("gzip", garbage),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
        ];
        for (row, (coding, coded)) in rows.iter().enumerate() {
            for piece in [1, 2, 7, 1000, usize::MAX] {
                for room in [1, 100, 100_000] {
                    assert_eq!(decoded(coding, coded, piece, room).as_ref(), Ok(&text), "row {row}, {piece}, {room}");
                }
            }
        }
    }

    #[test]
    fn what_is_broken_or_cut_is_an_error() {
        let good = gzip(b"hello hello hello hello");
        let mut rows = vec![b"hello".to_vec(), b"\x1F\x8Bhello".to_vec(), b"\x1F".to_vec()];
        rows.extend((1..good.len()).map(|length| good[..length].to_vec()));
        // Method, reserved flags, checksum, length.
        for at in [2, 3, good.len() - 8, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 0x80;
            rows.push(bad);
        }
        for row in rows {
            assert_eq!(decoded("gzip", &row, 3, 100), Err(BROKEN), "{row:02X?}");
        }
        assert_eq!(decoded("deflate", b"hello", 3, 100), Err(BROKEN));
        assert_eq!(decoded("gzip", b"", 3, 100), Ok(Vec::new()), "no body at all is none");
    }

    /// What is behind the end of a coded body, and whatever else brings out nothing, is passed over as far as a bound, and
    /// nothing of it is kept.
    #[test]
    fn what_brings_out_nothing_ends() {
        let text = b"hello".as_slice();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(text).unwrap();
        let zlib = zlib.finish().unwrap();
        let header = GzBuilder::new().comment(vec![b'x'; BARREN + 1]).write(Vec::new(), Compression::best());
        let header = header.finish().unwrap();
        let stored = [0, 0, 0, 0xFF, 0xFF];
        let after = |coded: &[u8], surplus: &[u8]| [coded, &surplus.repeat(BARREN / surplus.len() + 50)].concat();
        let within = |coded: &[u8], surplus: &[u8]| [coded, &surplus.repeat(BARREN / 2 / surplus.len())].concat();
        let rows = [
            ("gzip", within(&gzip(text), b"y"), Ok(text)),
            ("gzip", after(&gzip(text), b"y"), Err(BROKEN)),
            ("deflate", within(&zlib, b"\x1F"), Ok(text)),
            ("deflate", after(&zlib, b"\x1F"), Err(BROKEN)),
            ("gzip", within(&gzip(text), &gzip(b"")), Ok(text)),
            ("gzip", after(&gzip(text), &gzip(b"")), Err(BROKEN)),
            ("gzip", header, Err(BROKEN)),
            ("deflate", after(b"", &stored), Err(BROKEN)),
        ];
        for (row, (coding, coded, expected)) in rows.iter().enumerate() {
            for piece in [1, 1000] {
                let outcome = decoded(coding, coded, piece, 100);
                assert_eq!(outcome.as_deref(), expected.as_ref().copied(), "row {row}, {piece}");
            }
        }
        let mut decoder = Decoder::take(&mut headers("deflate"), WINHTTP_DECOMPRESSION_FLAG_ALL).unwrap();
        for byte in within(&zlib, b"y") {
            decoder.decode(&mut VecDeque::from([Bytes::copy_from_slice(&[byte])]), &mut [0; 10]).unwrap();
        }
        assert_eq!(decoder.frame.capacity(), 0);
    }

    #[test]
    fn which_bodies_are_decoded() {
        let (gzip, deflate) = (WINHTTP_DECOMPRESSION_FLAG_GZIP, WINHTTP_DECOMPRESSION_FLAG_DEFLATE);
        let rows = [
            ("gzip", gzip, true),
            ("GZip ", gzip | deflate, true),
            ("gzip", deflate, false),
            ("deflate", deflate, true),
            ("deflate", gzip, false),
            ("br", gzip | deflate, false),
            ("gzip, gzip", gzip | deflate, false),
            ("identity", gzip | deflate, false),
            ("", gzip | deflate, false),
        ];
        for (coding, flags, expected) in rows {
            let mut headers = headers(coding);
            let decoder = Decoder::take(&mut headers, flags);
            assert_eq!(
                (decoder.is_some(), headers.len()),
                (expected, if expected { 1 } else { 3 }),
                "{coding} {flags}"
            );
        }
        let shown: Vec<Vec<_>> = (0..4).map(|flags| accepted(flags).collect()).collect();
        assert_eq!(shown, [vec![], vec!["gzip"], vec!["deflate"], vec!["gzip", "deflate"]]);
    }

    /// How much comes out of a bomb, in pieces of 64 KiB; Miri takes a second for each.
    const PIECES: usize = if cfg!(miri) { 4 } else { 1024 };

    /// 64 MiB of zeros come out of 64 KiB, in pieces of the room that is given.
    #[test]
    fn a_bomb_is_a_stream() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..PIECES {
            encoder.write_all(&[0; 65536]).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < 70_000);
        let mut decoder = Decoder::take(&mut headers("gzip"), WINHTTP_DECOMPRESSION_FLAG_ALL).unwrap();
        let (mut queue, mut room, mut total) = (VecDeque::from([Bytes::from(bomb)]), [1; 8192], 0);
        loop {
            let (made, _) = decoder.decode(&mut queue, &mut room).unwrap();
            assert!(room[..made].iter().all(|byte| *byte == 0));
            total += made;
            if made == 0 {
                break;
            }
        }
        assert_eq!((total, decoder.end()), (PIECES << 16, Ok(())));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(any: Vec<u8>, cut in 0usize..60, flip in 0usize..60, bit in 0u8..8) {
            let mut coded = gzip(b"some text, some more text");
            let length = coded.len();
            coded[flip % length] ^= 1 << bit;
            coded.truncate(length.saturating_sub(cut % 3));
            for bytes in [&any, &coded] {
                for coding in ["gzip", "deflate"] {
                    let _ = decoded(coding, bytes, 5, 16);
                }
            }
        }
    }
}
