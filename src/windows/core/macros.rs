//! The macros `w!`, `s!`, `h!` and `link!`.

/// A literal as a `PCWSTR`.
#[macro_export]
#[doc(hidden)]
macro_rules! __windows_w {
    ($text:literal) => {{
        const WIDE: &[u16; $crate::windows::core::utf16_len($text) + 1] = &$crate::windows::core::utf16($text);
        $crate::windows::core::PCWSTR::from_raw(WIDE.as_ptr())
    }};
}

/// A literal as a `PCSTR`.
#[macro_export]
#[doc(hidden)]
macro_rules! __windows_s {
    ($text:literal) => {
        $crate::windows::core::PCSTR::from_raw(::core::concat!($text, '\0').as_ptr())
    };
}

/// A literal as a `&'static HSTRING`.
#[macro_export]
#[doc(hidden)]
macro_rules! __windows_h {
    ($text:literal) => {{
        static TEXT: ::std::sync::LazyLock<$crate::windows::core::HSTRING> =
            ::std::sync::LazyLock::new(|| $crate::windows::core::HSTRING::from($text));
        &*TEXT
    }};
}

/// Declares a function of a DLL; here it is one that this crate exports.
#[macro_export]
#[doc(hidden)]
macro_rules! __windows_link {
    ($dll:literal $abi:literal $($name:literal)? fn $($function:tt)*) => {
        unsafe extern $abi {
            $(#[link_name = $name])?
            pub fn $($function)*;
        }
    };
}

/// How many units a text has in UTF-16.
pub const fn utf16_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut length, mut place) = (0, 0);
    while place < bytes.len() {
        length += match bytes[place] {
            0x80..0xC0 => 0,
            0xF0.. => 2,
            _ => 1,
        };
        place += 1;
    }
    length
}

/// A text in UTF-16, with zeros to the end; `N` is larger than its length.
pub const fn utf16<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    let mut units = [0; N];
    let (mut place, mut at) = (0, 0);
    while place < bytes.len() {
        let (length, first) = match bytes[place] {
            byte @ ..0x80 => (1, byte as u32),
            byte @ ..0xE0 => (2, byte as u32 & 0x1F),
            byte @ ..0xF0 => (3, byte as u32 & 0x0F),
            byte => (4, byte as u32 & 0x07),
        };
        let (mut scalar, mut tail) = (first, 1);
        while tail < length {
            scalar = (scalar << 6) | (bytes[place + tail] as u32 & 0x3F);
            tail += 1;
        }
        place += length;
        if scalar < 0x1_0000 {
            units[at] = scalar as u16;
            at += 1;
        } else {
            units[at] = 0xD800 + ((scalar - 0x1_0000) >> 10) as u16;
            units[at + 1] = 0xDC00 + ((scalar - 0x1_0000) & 0x3FF) as u16;
            at += 2;
        }
    }
    units
}
