//! All options.

use super::row::Row;
use super::{
    connection, credentials, handle, http2, limits, proxy, request, statistics, timeouts, tls, undocumented, web_socket,
};

/// The rows, a slice for each family.
pub(crate) const FAMILIES: &[&[Row]] = &[
    handle::ROWS,
    request::ROWS,
    timeouts::ROWS,
    limits::ROWS,
    credentials::ROWS,
    connection::ROWS,
    statistics::ROWS,
    tls::ROWS,
    http2::ROWS,
    web_socket::ROWS,
    proxy::ROWS,
    undocumented::ROWS,
];

/// The option with this number.
pub(crate) fn find(number: u32) -> Option<&'static Row> {
    rows().find(|row| row.number == number)
}

/// Every option that Windows has.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::options::row::Status;

    #[test]
    fn every_option_has_one_row() {
        let mut numbers: Vec<u32> = rows().map(|row| row.number).collect();
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        assert_eq!((numbers.len(), count), (145, 145), "the options of the header, and one that no header names");
    }

    #[test]
    fn a_row_says_what_it_is() {
        for row in rows() {
            assert!(row.status == Status::Implemented || !row.note.is_empty(), "{}", row.name);
        }
    }
}
