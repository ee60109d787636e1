//! The code pages that texts of HTTP come in.

/// A code page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// UTF-8; what is none is taken as ISO 8859-1.
    #[default]
    Utf8,
    /// ISO 8859-1: every byte is a character.
    Latin1,
    /// Windows' superset of it.
    Windows1252,
    /// Seven bits.
    Ascii,
}

/// The code pages by their numbers.
const CODE_PAGES: [(u32, Encoding); 4] =
    [(65001, Encoding::Utf8), (28591, Encoding::Latin1), (1252, Encoding::Windows1252), (20127, Encoding::Ascii)];

/// What bytes 0x80 to 0x9F are in code page 1252; 0 where nothing is assigned.
const UPPER: [u16; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0, 0,
    0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
];

impl Encoding {
    /// The encoding of a code page: 0 is the default, UTF-8.
    pub fn of_code_page(number: u32) -> Option<Encoding> {
        match number {
            0 => Some(Encoding::default()),
            _ => CODE_PAGES.into_iter().find(|(known, _)| *known == number).map(|(_, encoding)| encoding),
        }
    }

    /// The number of the code page.
    pub fn code_page(self) -> u32 {
        CODE_PAGES.into_iter().find(|(_, known)| *known == self).map_or(0, |(number, _)| number)
    }

    /// Bytes as UTF-16 with a NUL, in memory order: as MultiByteToWideChar has them, U+FFFD for what is no UTF-8.
    pub fn wide_bytes(self, bytes: &[u8]) -> Vec<u8> {
        let text = match self {
            Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            _ => self.decode(bytes),
        };
        text.encode_utf16().chain([0]).flat_map(u16::to_ne_bytes).collect()
    }

    /// Bytes as text.
    pub fn decode(self, bytes: &[u8]) -> String {
        let character = |byte: u8| match (self, byte) {
            (Encoding::Windows1252, 0x80..=0x9F) => match UPPER[usize::from(byte - 0x80)] {
                0 => char::from(byte),
                assigned => char::from_u32(assigned.into()).unwrap_or(char::REPLACEMENT_CHARACTER),
            },
            (Encoding::Ascii, 0x80..) => '?',
            _ => char::from(byte),
        };
        match (self, std::str::from_utf8(bytes)) {
            (Encoding::Utf8, Ok(text)) => text.to_owned(),
            _ => bytes.iter().copied().map(character).collect(),
        }
    }

    /// Text as bytes; what the code page does not have becomes `?`.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let byte = |c: char| match (self, u32::from(c)) {
            (_, value @ 0..0x80) => value as u8,
            (Encoding::Windows1252, value) => match UPPER.iter().position(|known| u32::from(*known) == value) {
                Some(place) => 0x80 + place as u8,
                None if (0xA0..=0xFF).contains(&value) => value as u8,
                None => b'?',
            },
            (Encoding::Latin1, value @ ..=0xFF) => value as u8,
            _ => b'?',
        };
        match self {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            _ => text.chars().map(byte).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_pages() {
        let rows: &[(u32, &str, &[u8])] = &[
            (0, "ä€", "ä€".as_bytes()),
            (65001, "ä", b"\xC3\xA4"),
            (28591, "ä€", b"\xE4?"),
            (1252, "ä€\u{17E}", b"\xE4\x80\x9E"),
            (20127, "aä", b"a?"),
        ];
        for (page, text, bytes) in rows {
            let encoding = Encoding::of_code_page(*page).unwrap();
            assert_eq!(encoding.encode(text), *bytes, "{page}");
            assert!(*page == 0 || encoding.code_page() == *page, "{page}");
        }
        assert_eq!(Encoding::Windows1252.decode(b"\x80\xE4"), "€ä");
        assert_eq!(Encoding::Utf8.decode(b"\xE4"), "ä");
        assert_eq!(Encoding::of_code_page(932), None);
    }
}
