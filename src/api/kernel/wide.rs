//! The wide string functions of the C library for characters of 16 bits: those of the system count in 32. What
//! `portable_winhttp/wchar16.h` puts in their place.
#![allow(unsafe_code, missing_docs, non_camel_case_types)]
// Each takes what the function of its name in the C standard takes, and gives what that gives.
#![allow(clippy::missing_safety_doc)]

use std::cmp::Ordering;
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use crate::api::edge::caught;
use crate::win32::{PCSTR, PSTR};

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    #[cfg_attr(windows, link_name = "_errno")]
    #[cfg_attr(any(target_vendor = "apple", target_os = "freebsd"), link_name = "__error")]
    #[cfg_attr(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"), link_name = "__errno")]
    #[cfg_attr(
        not(any(
            windows,
            target_vendor = "apple",
            target_os = "freebsd",
            target_os = "android",
            target_os = "netbsd",
            target_os = "openbsd"
        )),
        link_name = "__errno_location"
    )]
    fn errno() -> *mut i32;
}

/// ERANGE, the same on all systems.
const ERANGE: i32 = 34;

/// The number within the limits; out of them it is the limit, and errno is ERANGE.
fn limited(number: i128, least: i128, most: i128) -> i128 {
    if number < least || number > most {
        // SAFETY: the C library's place for this thread.
        unsafe { errno().write(ERANGE) };
    }
    number.clamp(least, most)
}

/// [`limited`] for numbers without a sign: one that has one goes round, and out of the limits it is the greatest.
fn unsigned(number: i128, most: i128) -> i128 {
    let within = limited(number, -most, most);
    if number < -most { most } else { within }
}

/// The units before the NUL, and at most so many.
///
/// # Safety
/// `text` has a NUL, or so many units.
unsafe fn bounded<'a>(text: *const u16, most: usize) -> &'a [u16] {
    let mut length = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while length < most && *text.add(length) != 0 {
            length += 1;
        }
        std::slice::from_raw_parts(text, length)
    }
}

/// The units before the NUL.
///
/// # Safety
/// `text` has a NUL.
unsafe fn whole<'a>(text: *const u16) -> &'a [u16] {
    // SAFETY: the caller's promise.
    unsafe { bounded(text, usize::MAX) }
}

fn sign(order: Ordering) -> i32 {
    order as i32
}

fn lower(units: &[u16]) -> Vec<u16> {
    let small = |unit: &u16| {
        char::from_u32((*unit).into()).map_or(*unit, |c| c.to_lowercase().next().map_or(*unit, |c| c as u16))
    };
    units.iter().map(small).collect()
}

/// The address of a place in a text, or NULL.
fn place(text: *const u16, at: Option<usize>) -> *mut u16 {
    at.map_or(null_mut(), |at| text.wrapping_add(at).cast_mut())
}

/// What a function answers that fails.
trait Nothing {
    const NOTHING: Self;
}

macro_rules! nothing {
    ($($type:ty: $value:expr),*) => {$(
        impl Nothing for $type {
            const NOTHING: $type = $value;
        }
    )*};
}

nothing! { usize: 0, i32: 0, u32: 0, i64: 0, u64: 0, f64: 0.0, *mut u16: null_mut() }

macro_rules! functions {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty $body:block)*) => {$(
        #[cfg_attr(not(windows), unsafe(no_mangle))]
        #[allow(unused_unsafe)]
        pub unsafe extern "system" fn $name($($argument: $type),*) -> $answer {
            // SAFETY: the caller passes what the C standard asks for.
            caught(<$answer as Nothing>::NOTHING, || unsafe { $body })
        }
    )*};
}

functions! {
    fn Pwh_wcslen(text: *const u16) -> usize { whole(text).len() }
    fn Pwh_wcsnlen(text: *const u16, most: usize) -> usize { bounded(text, most).len() }
    fn Pwh_wmemcpy(to: *mut u16, from: *const u16, count: usize) -> *mut u16 {
        std::ptr::copy(from, to, count);
        to
    }
    fn Pwh_wmemmove(to: *mut u16, from: *const u16, count: usize) -> *mut u16 {
        std::ptr::copy(from, to, count);
        to
    }
    fn Pwh_wmemset(to: *mut u16, unit: u16, count: usize) -> *mut u16 {
        (0..count).for_each(|at| to.add(at).write(unit));
        to
    }
    fn Pwh_wmemcmp(one: *const u16, other: *const u16, count: usize) -> i32 {
        let of = |text| if count == 0 { &[][..] } else { std::slice::from_raw_parts::<u16>(text, count) };
        sign(of(one).cmp(of(other)))
    }
    fn Pwh_wmemchr(text: *const u16, unit: u16, count: usize) -> *mut u16 {
        place(text, (0..count).find(|at| *text.add(*at) == unit))
    }
    fn Pwh_wcscpy(to: *mut u16, from: *const u16) -> *mut u16 {
        std::ptr::copy(from, to, whole(from).len() + 1);
        to
    }
    fn Pwh_wcsncpy(to: *mut u16, from: *const u16, count: usize) -> *mut u16 {
        let length = bounded(from, count).len();
        std::ptr::copy(from, to, length);
        (length..count).for_each(|at| to.add(at).write(0));
        to
    }
    fn Pwh_wcscat(to: *mut u16, from: *const u16) -> *mut u16 {
        Pwh_wcscpy(to.add(whole(to).len()), from);
        to
    }
    fn Pwh_wcsncat(to: *mut u16, from: *const u16, count: usize) -> *mut u16 {
        let (end, length) = (to.add(whole(to).len()), bounded(from, count).len());
        std::ptr::copy(from, end, length);
        end.add(length).write(0);
        to
    }
    fn Pwh_wcsdup(text: *const u16) -> *mut u16 {
        let room = whole(text).len() + 1;
        let copy = malloc(room * 2).cast::<u16>();
        if !copy.is_null() {
            std::ptr::copy_nonoverlapping(text, copy, room);
        }
        copy
    }
    fn Pwh_wcscmp(one: *const u16, other: *const u16) -> i32 { sign(whole(one).cmp(whole(other))) }
    fn Pwh_wcsncmp(one: *const u16, other: *const u16, count: usize) -> i32 {
        sign(bounded(one, count).cmp(bounded(other, count)))
    }
    fn Pwh_wcscasecmp(one: *const u16, other: *const u16) -> i32 { sign(lower(whole(one)).cmp(&lower(whole(other)))) }
    fn Pwh_wcsncasecmp(one: *const u16, other: *const u16, count: usize) -> i32 {
        sign(lower(bounded(one, count)).cmp(&lower(bounded(other, count))))
    }
    fn Pwh_wcschr(text: *const u16, unit: u16) -> *mut u16 {
        let found = whole(text).iter().position(|known| *known == unit);
        place(text, if unit == 0 { Some(whole(text).len()) } else { found })
    }
    fn Pwh_wcsrchr(text: *const u16, unit: u16) -> *mut u16 {
        let found = whole(text).iter().rposition(|known| *known == unit);
        place(text, if unit == 0 { Some(whole(text).len()) } else { found })
    }
    fn Pwh_wcsspn(text: *const u16, set: *const u16) -> usize {
        whole(text).iter().take_while(|unit| whole(set).contains(unit)).count()
    }
    fn Pwh_wcscspn(text: *const u16, set: *const u16) -> usize {
        whole(text).iter().take_while(|unit| !whole(set).contains(unit)).count()
    }
    fn Pwh_wcspbrk(text: *const u16, set: *const u16) -> *mut u16 {
        place(text, whole(text).iter().position(|unit| whole(set).contains(unit)))
    }
    fn Pwh_wcsstr(text: *const u16, part: *const u16) -> *mut u16 {
        let (text_units, part) = (whole(text), whole(part));
        place(text, (0..=text_units.len()).find(|at| text_units[*at..].starts_with(part)))
    }
    fn Pwh_wcstok(text: *mut u16, set: *const u16, next: *mut *mut u16) -> *mut u16 {
        let start = if text.is_null() { *next } else { text };
        if start.is_null() {
            return null_mut();
        }
        let word = start.add(Pwh_wcsspn(start, set));
        let end = word.add(Pwh_wcscspn(word, set));
        let last = *end == 0;
        *next = if last { null_mut() } else { end.add(1) };
        if word == end {
            return null_mut();
        }
        end.write(0);
        word
    }
    fn Pwh_wcstoll(text: *const u16, end: *mut *mut u16, base: i32) -> i64 {
        let (number, used) = integer(whole(text), base);
        crate::api::edge::put(end, place(text, Some(used)));
        limited(number, i64::MIN.into(), i64::MAX.into()) as i64
    }
    fn Pwh_wcstoull(text: *const u16, end: *mut *mut u16, base: i32) -> u64 {
        let (number, used) = integer(whole(text), base);
        crate::api::edge::put(end, place(text, Some(used)));
        unsigned(number, u64::MAX.into()) as u64
    }
    fn Pwh_wcstol(text: *const u16, end: *mut *mut u16, base: i32) -> i32 {
        let (number, used) = integer(whole(text), base);
        crate::api::edge::put(end, place(text, Some(used)));
        limited(number, i32::MIN.into(), i32::MAX.into()) as i32
    }
    fn Pwh_wcstoul(text: *const u16, end: *mut *mut u16, base: i32) -> u32 {
        let (number, used) = integer(whole(text), base);
        crate::api::edge::put(end, place(text, Some(used)));
        unsigned(number, u32::MAX.into()) as u32
    }
    fn Pwh_mbstowcs(to: *mut u16, from: PCSTR, count: usize) -> usize {
        let Ok(text) = CStr::from_ptr(from.cast()).to_str() else { return usize::MAX };
        handed(&text.encode_utf16().collect::<Vec<_>>(), to, count)
    }
    fn Pwh_wcstombs(to: PSTR, from: *const u16, count: usize) -> usize {
        let Ok(text) = String::from_utf16(whole(from)) else { return usize::MAX };
        // A character goes whole or not at all.
        let fits = (0..=count.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let part = if to.is_null() { text.as_bytes() } else { &text.as_bytes()[..fits] };
        handed(part, to, if fits < text.len() { fits } else { count })
    }
    fn Pwh_wcstod(text: *const u16, end: *mut *mut u16) -> f64 {
        let (number, used) = real(whole(text));
        crate::api::edge::put(end, place(text, Some(used)));
        number
    }
}

/// Writes as many as there is room for, and a NUL if there is room for that: how many, without it. NULL: how many there are.
///
/// # Safety
/// `to` is NULL or has so many.
unsafe fn handed<T: Copy + Default>(text: &[T], to: *mut T, count: usize) -> usize {
    if to.is_null() {
        return text.len();
    }
    let fits = text.len().min(count);
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast::<u8>(), to.cast(), size_of_val(&text[..fits]));
        if fits < count {
            to.add(fits).write_unaligned(T::default());
        }
    }
    fits
}

/// The text as ASCII, what is none as a sign that is in no number, and where it begins behind white space.
fn ascii(units: &[u16]) -> (String, usize) {
    let text: String = units.iter().map(|unit| char::from(u8::try_from(*unit).unwrap_or(b'?'))).collect();
    let blank = text.len() - text.trim_start().len();
    (text, blank)
}

/// The number that begins the text, and how many units it takes; out of range it stays at the limit.
fn integer(units: &[u16], base: i32) -> (i128, usize) {
    let (text, start) = ascii(units);
    let rest = &text[start.min(text.len())..];
    let (negative, signs) = (rest.starts_with('-'), usize::from(rest.starts_with(['-', '+'])));
    let digits = &rest[signs..];
    let hexadecimal = digits.get(..2).is_some_and(|two| two.eq_ignore_ascii_case("0x"))
        && digits[2..].starts_with(|c: char| c.is_ascii_hexdigit());
    let (base, skipped) = match base {
        0 | 16 if hexadecimal => (16, 2),
        0 if digits.starts_with('0') => (8, 0),
        0 => (10, 0),
        base => (base.clamp(2, 36) as u32, 0),
    };
    let values: Vec<u32> = digits[skipped..].chars().map_while(|c| c.to_digit(base)).collect();
    if values.is_empty() {
        return (0, 0);
    }
    let limit = i128::from(u64::MAX) + 1;
    let number = values.iter().fold(0i128, |sum, digit| (sum * i128::from(base) + i128::from(*digit)).min(limit));
    (if negative { -number } else { number }, start + signs + skipped + values.len())
}

/// The longest beginning that is a decimal number.
fn real(units: &[u16]) -> (f64, usize) {
    let (text, start) = ascii(units);
    let rest = &text[start.min(text.len())..];
    let longest = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
    let found = (1..=longest).rev().find_map(|end| Some((rest[..end].parse().ok()?, start + end)));
    found.unwrap_or((0.0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn numbers() {
        let rows = [(" 12x", 10, 12, 3), ("-0x1F", 16, -31, 5), ("0x1F", 0, 31, 4), ("017", 0, 15, 3), ("0x", 0, 0, 1)];
        for (text, base, number, used) in rows {
            assert_eq!(integer(&wide(text), base), (number, used), "{text}");
        }
        assert_eq!(integer(&wide("x"), 10), (0, 0));
        assert_eq!((real(&wide(" 1.5e3z")), real(&wide("-.5;")), real(&wide("z"))), ((1500.0, 6), (-0.5, 3), (0.0, 0)));
    }

    #[test]
    fn words() {
        let (mut text, set, mut next) = (wide(",a,,bc\0"), wide(",\0"), null_mut());
        let mut words = Vec::new();
        let mut start = text.as_mut_ptr();
        loop {
            // SAFETY: both have a NUL; the place lives.
            let word = unsafe { Pwh_wcstok(start, set.as_ptr(), &raw mut next) };
            if word.is_null() {
                break;
            }
            // SAFETY: it has a NUL.
            words.push(String::from_utf16_lossy(unsafe { whole(word) }));
            start = null_mut();
        }
        assert_eq!(words, ["a", "bc"]);
    }
}
