//! Pure rules of HTTP.
