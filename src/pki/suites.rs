//! The cipher suites and groups of TLS 1.2 and 1.3, as Windows describes them.

use crate::win32::{
    SecPkgContext_CipherInfo, SecPkgContext_ConnectionInfo, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, WINHTTP_SECURITY_INFO,
};

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its number in the registry of TLS.
    pub number: u16,
    /// Its name there.
    pub name: &'static str,
    /// The cipher's name.
    pub cipher: &'static str,
    /// CALG_* of the cipher, or 0 for one that Windows has no number for.
    cipher_id: u32,
    /// Bits of its key.
    pub strength: u32,
    /// Bits of a block; 0 for a stream.
    block: u32,
    /// The hash's name.
    pub hash: &'static str,
    /// CALG_* of the hash, and its bits.
    hash_id: u32,
    hash_strength: u32,
    /// The key exchange: empty in TLS 1.3, which does not bind it to the suite.
    exchange: &'static str,
    /// The kind of the server's key.
    certificate: &'static str,
}

const AES: &str = "AES";
const CHACHA: &str = "CHACHA20_POLY1305";
const SHA256: (&str, u32, u32) = ("SHA256", 0x800C, 256);
const SHA384: (&str, u32, u32) = ("SHA384", 0x800D, 384);
const AES_128: (&str, u32, u32, u32) = (AES, 0x660E, 128, 128);
const AES_256: (&str, u32, u32, u32) = (AES, 0x6610, 256, 128);
const CHACHA_256: (&str, u32, u32, u32) = (CHACHA, 0, 256, 0);
/// CALG_ECDH_EPHEM
const ECDH: u32 = 0xAE06;

const fn suite(
    number: u16,
    name: &'static str,
    cipher: (&'static str, u32, u32, u32),
    hash: (&'static str, u32, u32),
    exchange: &'static str,
    certificate: &'static str,
) -> Suite {
    Suite {
        number,
        name,
        cipher: cipher.0,
        cipher_id: cipher.1,
        strength: cipher.2,
        block: cipher.3,
        hash: hash.0,
        hash_id: hash.1,
        hash_strength: hash.2,
        exchange,
        certificate,
    }
}

/// Every suite that can be negotiated.
#[rustfmt::skip]
const SUITES: [Suite; 9] = [
    suite(0x1301, "TLS_AES_128_GCM_SHA256",                        AES_128,    SHA256, "",     ""),
    suite(0x1302, "TLS_AES_256_GCM_SHA384",                        AES_256,    SHA384, "",     ""),
    suite(0x1303, "TLS_CHACHA20_POLY1305_SHA256",                  CHACHA_256, SHA256, "",     ""),
    suite(0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",       AES_128,    SHA256, "ECDH", "ECDSA"),
    suite(0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",       AES_256,    SHA384, "ECDH", "ECDSA"),
    suite(0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA_256, SHA256, "ECDH", "ECDSA"),
    suite(0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",         AES_128,    SHA256, "ECDH", "RSA"),
    suite(0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",         AES_256,    SHA384, "ECDH", "RSA"),
    suite(0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",   CHACHA_256, SHA256, "ECDH", "RSA"),
];

impl Suite {
    /// The suite with this number.
    pub fn find(number: u16) -> Option<&'static Suite> {
        SUITES.iter().find(|suite| suite.number == number)
    }
}

/// Bits of a group of the key exchange, by its number in the registry of TLS; 0 for one that is unknown.
pub fn group_strength(group: u16) -> u32 {
    match group {
        0x0017 => 256,
        0x0018 => 384,
        0x0019 => 521,
        // X25519, alone or beside ML-KEM.
        0x001D | 0x11EC => 255,
        _ => 0,
    }
}

fn text(text: &str) -> [u16; 64] {
    let mut units = [0; 64];
    for (unit, place) in text.encode_utf16().zip(&mut units[..63]) {
        *place = unit;
    }
    units
}

/// WINHTTP_SECURITY_INFO of a connection: its version as WINHTTP_FLAG_SECURE_PROTOCOL_*, suite and group by their numbers.
/// All is 0 if there is no TLS.
pub fn security_info(protocol: u32, number: u16, group: u16) -> WINHTTP_SECURITY_INFO {
    let suite = Suite::find(number);
    let of = |value: fn(&Suite) -> u32| suite.map_or(0, value);
    let name = |value: fn(&Suite) -> &'static str| text(suite.map_or("", value));
    let exchange = group_strength(group);
    WINHTTP_SECURITY_INFO {
        ConnectionInfo: SecPkgContext_ConnectionInfo {
            // SP_PROT_TLS1_2_CLIENT and SP_PROT_TLS1_3_CLIENT are WinHTTP's bits.
            dwProtocol: protocol,
            aiCipher: of(|suite| suite.cipher_id),
            dwCipherStrength: of(|suite| suite.strength),
            aiHash: of(|suite| suite.hash_id),
            dwHashStrength: of(|suite| suite.hash_strength),
            aiExch: if protocol == 0 { 0 } else { ECDH },
            dwExchStrength: exchange,
        },
        CipherInfo: SecPkgContext_CipherInfo {
            dwVersion: u32::from(protocol != 0),
            // The versions as TLS counts them.
            dwProtocol: match protocol {
                0 => 0,
                WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3 => 0x0304,
                _ => 0x0303,
            },
            dwCipherSuite: number.into(),
            dwBaseCipherSuite: number.into(),
            szCipherSuite: name(|suite| suite.name),
            szCipher: name(|suite| suite.cipher),
            dwCipherLen: of(|suite| suite.strength),
            dwCipherBlockLen: of(|suite| suite.block / 8),
            szHash: name(|suite| suite.hash),
            dwHashLen: of(|suite| suite.hash_strength),
            szExchange: name(|suite| suite.exchange),
            dwMinExchangeLen: if protocol == 0 { 0 } else { exchange },
            dwMaxExchangeLen: if protocol == 0 { 0 } else { exchange },
            szCertificate: name(|suite| suite.certificate),
            dwKeyType: 0,
        },
    }
}
