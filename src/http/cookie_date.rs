//! The dates of cookies (RFC 6265, 5.1.1): whatever has a day, a month, a year and a time, in any order.

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a date; one before 1970 is 1970. `None` if something is missing or out of its range.
pub fn parse(text: &str) -> Option<SystemTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    let delimiter = |c: char| matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~');
    for word in text.split(delimiter).filter(|word| !word.is_empty()) {
        if time.is_none() && word.contains(':') {
            time = clock(word);
        } else if let (None, Some(number)) = (day, number(word, 1..=2)) {
            day = Some(number);
        } else if let (None, Some(found)) = (month, named(word)) {
            month = Some(found);
        } else if let (None, Some(number)) = (year, number(word, 2..=4)) {
            year = Some(match number {
                70..=99 => number + 1900,
                0..=69 => number + 2000,
                _ => number,
            });
        }
    }
    let (time, day, month, year) = (time?, day?, month?, year?);
    if !(1..=31).contains(&day) || year < 1601 {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + time;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The number that a word begins with, if it has so many digits.
fn number(word: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let end = word.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(word.len());
    digits.contains(&end).then(|| word[..end].parse().ok())?
}

/// The month whose name the word begins with, from 1.
fn named(word: &str) -> Option<i64> {
    let start = word.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, name)| *name == start).map(|(number, _)| number)
}

/// `hours:minutes:seconds` in seconds.
fn clock(word: &str) -> Option<i64> {
    let mut fields = word.splitn(3, ':').map(|field| number(field, 1..=2));
    let (hours, minutes, seconds) = (fields.next()??, fields.next()??, fields.next()??);
    (hours < 24 && minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Of the Gregorian calendar; may be negative.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here: a leap day is the last of its year.
    let year = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let rows = [
            ("Thu, 01 Jan 1970 00:00:01 GMT", Some(1)),
            ("Wed, 09 Jun 2021 10:18:14 GMT", Some(1_623_233_894)),
            ("Wed, 09-Jun-2021 10:18:14 GMT", Some(1_623_233_894)),
            ("Wednesday, 09-Jun-21 10:18:14 GMT", Some(1_623_233_894)),
            ("Wed Jun  9 10:18:14 2021", Some(1_623_233_894)),
            ("9 june 2021 10:18:14", Some(1_623_233_894)),
            ("Sat, 29 Feb 2020 23:59:59 GMT", Some(1_583_020_799)),
            ("Sun, 06 Nov 94 08:49:37 GMT", Some(784_111_777)),
            ("Mon, 01 Jan 1601 00:00:00 GMT", Some(0)),
            ("", None),
            ("Wed, 09 Jun 2021", None),
            ("Wed, 32 Jun 2021 10:18:14 GMT", None),
            ("Wed, 09 Jun 2021 24:00:00 GMT", None),
            ("Wed, 09 Jun 1600 10:18:14 GMT", None),
            ("Wed, 09 J\u{e9}n 2021 10:18:14 GMT", None),
        ];
        for (text, seconds) in rows {
            let expected = seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    /// An independent implementation reads what is a date of HTTP.
    #[test]
    fn as_httpdate_reads_them() {
        for days in (0..60_000).step_by(17) {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(days * 86_400 + 3_661);
            assert_eq!(parse(&httpdate::fmt_http_date(time)), Some(time));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(any: String, likely in "([0-9]{1,5}|[a-zA-Z]{3}|[0-9:]{1,8}|[ ,\u{e9}-]){0,9}") {
            parse(&any);
            parse(&likely);
        }
    }
}
