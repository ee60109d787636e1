//! Text that comes in pieces: is it UTF-8?

/// What is left of a character that is not complete.
#[derive(Debug, Default)]
pub struct Utf8 {
    begun: [u8; 4],
    length: usize,
}

impl Utf8 {
    /// The next bytes of a text; `false` if it cannot become UTF-8 any more.
    pub fn push(&mut self, mut bytes: &[u8]) -> bool {
        while self.length > 0 {
            let Some((byte, rest)) = bytes.split_first() else { return true };
            let Some(place) = self.begun.get_mut(self.length) else { return false };
            *place = *byte;
            bytes = rest;
            self.length += 1;
            match std::str::from_utf8(&self.begun[..self.length]) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        let Err(error) = std::str::from_utf8(bytes) else { return true };
        let rest = &bytes[error.valid_up_to()..];
        if error.error_len().is_some() {
            return false;
        }
        let Some(begun) = self.begun.get_mut(..rest.len()) else { return false };
        begun.copy_from_slice(rest);
        self.length = rest.len();
        true
    }

    /// Whether the text may end here.
    pub fn complete(&self) -> bool {
        self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_gives_the_same_answer() {
        let rows: [(&[u8], bool); 9] = [
            (b"", true),
            ("Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!".as_bytes(), true),
            ("\u{10ffff}x\u{800}".as_bytes(), true),
            (b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", false),
            (b"\xf4\x90\x80\x80", false),
            (b"\xc0\xaf", false),
            (b"\x80", false),
            (b"abc\xf0\x9f\x98", false),
            (b"\xff", false),
        ];
        for (text, good) in rows {
            for step in 1..=text.len().max(1) {
                let mut utf8 = Utf8::default();
                let taken = text.chunks(step).all(|chunk| utf8.push(chunk));
                assert_eq!(taken && utf8.complete(), good, "{text:x?} in steps of {step}");
                // What comes behind a violation changes nothing.
                let more = text.chunks(step).fold(true, |_, chunk| utf8.push(chunk) && utf8.push(b"\x80"));
                assert!(good || step < text.len() || !more);
            }
        }
    }
}
