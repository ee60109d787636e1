//! Dates: RFC 1123 text and SYSTEMTIME, both UTC (sources time.text, UR6).

use std::time::SystemTime;

use crate::win32::SYSTEMTIME;

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Mon, 28 Jul 2008 10:05:52 GMT`: at most 30 characters. Nothing if a field is out of its range (our choice:
/// source time.other); the day of the week is not compared with the date.
pub fn format(time: &SYSTEMTIME) -> Option<String> {
    let SYSTEMTIME { wYear: year, wDay: day, wHour: hour, wMinute: minute, wSecond: second, .. } = *time;
    let weekday = WEEKDAYS.get(usize::from(time.wDayOfWeek))?;
    let month = MONTHS.get(usize::from(time.wMonth).checked_sub(1)?)?;
    in_range(time).then(|| format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT"))
}

/// Reads a date: the three forms of RFC 2616 3.3, and the first of them in any case and with any separators, as in
/// ` mon 28 jul 2008 10 05 52`. The milliseconds are 0.
pub fn parse(text: &str) -> Option<SYSTEMTIME> {
    match httpdate::parse_http_date(text) {
        Ok(date) => read(&httpdate::fmt_http_date(date)),
        Err(_) => read(text),
    }
}

/// What WinHttpTimeToSystemTime makes of a text: it never fails, what is no date is the time `now`.
pub fn parse_or_now(text: &str, now: SystemTime) -> SYSTEMTIME {
    let now = || read(&httpdate::fmt_http_date(now.max(SystemTime::UNIX_EPOCH)));
    parse(text).or_else(now).unwrap_or_default()
}

fn read(text: &str) -> Option<SYSTEMTIME> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut next = || words.next();
    let time = SYSTEMTIME {
        wDayOfWeek: place(&WEEKDAYS, next()?)?,
        wDay: next()?.parse().ok()?,
        wMonth: place(&MONTHS, next()?)? + 1,
        wYear: next()?.parse().ok()?,
        wHour: next()?.parse().ok()?,
        wMinute: next()?.parse().ok()?,
        wSecond: next()?.parse().ok()?,
        wMilliseconds: 0,
    };
    in_range(&time).then_some(time)
}

fn place(names: &[&str], word: &str) -> Option<u16> {
    let at = names.iter().position(|name| word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name)))?;
    u16::try_from(at).ok()
}

/// A second may be 60: a leap second.
fn in_range(time: &SYSTEMTIME) -> bool {
    (1..=31).contains(&time.wDay) && time.wHour < 24 && time.wMinute < 60 && time.wSecond <= 60
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const EXAMPLE: SYSTEMTIME = SYSTEMTIME {
        wYear: 2008,
        wMonth: 7,
        wDayOfWeek: 1,
        wDay: 28,
        wHour: 10,
        wMinute: 5,
        wSecond: 52,
        wMilliseconds: 0,
    };

    #[test]
    fn formatting() {
        assert_eq!(format(&EXAMPLE).as_deref(), Some("Mon, 28 Jul 2008 10:05:52 GMT"));
        let longest = format(&SYSTEMTIME { wYear: u16::MAX, ..EXAMPLE }).unwrap();
        assert_eq!(longest.len(), 30);
        let outside: [fn(&mut SYSTEMTIME); 7] = [
            |time| time.wMonth = 0,
            |time| time.wMonth = 13,
            |time| time.wDayOfWeek = 7,
            |time| time.wDay = 0,
            |time| time.wHour = 24,
            |time| time.wMinute = 60,
            |time| time.wSecond = 61,
        ];
        for change in outside {
            let mut time = EXAMPLE;
            change(&mut time);
            assert_eq!(format(&time), None, "{time:?}");
        }
    }

    #[test]
    fn reading() {
        let rows = [
            "Mon, 28 Jul 2008 10:05:52 GMT",
            "Mon, 28 Jul 2008 10:05:52 GMT\n",
            " mon 28 jul 2008 10 05 52",
            " mon 28 jul 2008 10 05 52\n",
            "MONDAY/28/JULY/2008/10/5/52",
            "Monday, 28-Jul-08 10:05:52 GMT",
            "Mon Jul 28 10:05:52 2008",
        ];
        for text in rows {
            assert_eq!(parse(text), Some(EXAMPLE), "{text:?}");
        }
        for text in ["", "0", "-1", "Mon", "Mon, 28 Juli", "Mon, 32 Jul 2008 10:05:52 GMT", "été 1 2 3 4 5 6", "ééé"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_date_is_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_217_239_552);
        assert_eq!(parse_or_now("never", now), EXAMPLE);
        assert_eq!(parse_or_now("Tue, 28 Jul 2009 10:05:52 GMT", now).wYear, 2009);
        assert_eq!(parse_or_now("never", SystemTime::UNIX_EPOCH - Duration::from_secs(1)).wYear, 1970);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_written_reads_back(text: String, fields: [u16; 8], day in 1u16..=28) {
            let _ = parse(&text);
            let [year, month, weekday, any_day, hour, minute, second, milliseconds] = fields;
            let _ = format(&SYSTEMTIME {
                wYear: year,
                wMonth: month,
                wDayOfWeek: weekday,
                wDay: any_day,
                wHour: hour,
                wMinute: minute,
                wSecond: second,
                wMilliseconds: milliseconds,
            });
            let time = SYSTEMTIME { wDay: day, wHour: hour % 24, ..EXAMPLE };
            // A weekday that does not fit the date is set right on the way, or kept.
            let read = parse(&format(&time).unwrap()).map(|read| SYSTEMTIME { wDayOfWeek: time.wDayOfWeek, ..read });
            prop_assert_eq!(read, Some(time));
        }
    }
}
