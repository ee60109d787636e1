//! Percent-escaping, shared by the request target and the URL functions.

/// Whether the default rules escape this ASCII byte in a path or query: controls, space, DEL and
/// `"#<>[\]^{|}` with the backquote. `%` and `~` differ between the rules.
pub(super) fn is_unsafe(byte: u8) -> bool {
    byte.is_ascii_control() || b" \"#<>[\\]^`{|}".contains(&byte)
}

/// Adds `%XX`.
pub(super) fn push_escaped(text: &mut String, byte: u8) {
    text.push_str(&format!("%{byte:02X}"));
}
