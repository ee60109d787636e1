//! UTF-16 text, as Windows passes it.

use std::fmt;

/// UTF-16 text without its NUL. It may hold lone surrogates: Windows does not forbid them.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Wide(Vec<u16>);

impl Wide {
    /// Copies the units.
    pub fn from_units(units: &[u16]) -> Wide {
        Wide(units.to_vec())
    }

    /// The units, without a NUL.
    pub fn units(&self) -> &[u16] {
        &self.0
    }
}

impl From<&str> for Wide {
    fn from(text: &str) -> Wide {
        Wide(text.encode_utf16().collect())
    }
}

impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf16_lossy(&self.0))
    }
}

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf16_lossy(&self.0), f)
    }
}

/// The units with a NUL behind them.
pub fn wide_z(text: &Wide) -> Vec<u16> {
    text.0.iter().copied().chain([0]).collect()
}
