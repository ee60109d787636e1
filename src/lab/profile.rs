//! Older versions of Windows: what they do not know.

use std::collections::BTreeSet;

use crate::win32::*;
use crate::world::Requested;

/// A version of Windows, by what it does not know: options, flags of sessions, requests and queries, functions. For
/// [`Builder::profile`](super::Builder::profile).
///
/// Setting an unknown option fails with 12009, querying it with 87; an unknown flag fails with 87 (sources option.unknown, n201).
/// GetProcAddress does not find an unknown function, but a program that is linked with it can still call it. The option
/// FEATURE_SUPPORTED answers accordingly.
///
/// ```
/// use portable_winhttp::lab::{Profile, Sim};
/// use portable_winhttp::win32::WINHTTP_OPTION_DECOMPRESSION;
///
/// let old = Sim::builder().profile(Profile::windows_10_1607()).build();
/// drop(old);
/// let odd = Sim::builder().profile(Profile::newest().without_option(WINHTTP_OPTION_DECOMPRESSION)).build();
/// # drop(odd);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    options: BTreeSet<u32>,
    session_flags: u32,
    request_flags: u32,
    /// WINHTTP_QUERY_FLAG_* bits that are unknown.
    query_flags: u32,
    /// WINHTTP_FLAG_SECURE_PROTOCOL_* bits that are unknown.
    unknown_protocols: u32,
    /// WINHTTP_PROTOCOL_FLAG_* bits that are unknown.
    unknown_versions: u32,
    /// GetProcAddress does not find these in winhttp.dll.
    functions: BTreeSet<&'static str>,
    newer_digest: bool,
    ansi_code_page: Option<u32>,
}

/// The options that came with each version (source option.version), oldest first.
const CAME_WITH: &[(Release, &[u32])] = &[
    (
        Release::Windows81,
        &[
            WINHTTP_OPTION_DECOMPRESSION,
            WINHTTP_OPTION_WEB_SOCKET_RECEIVE_BUFFER_SIZE,
            WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE,
        ],
    ),
    (Release::Windows10v1607, &[WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, WINHTTP_OPTION_HTTP_PROTOCOL_USED]),
    (
        Release::Windows10v1903,
        &[
            WINHTTP_OPTION_ENCODE_EXTRA,
            WINHTTP_OPTION_DISABLE_STREAM_QUEUE,
            WINHTTP_OPTION_CONNECTION_STATS_V0,
            WINHTTP_OPTION_DISABLE_SECURE_PROTOCOL_FALLBACK,
            WINHTTP_OPTION_EXPIRE_CONNECTION,
            WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED,
            WINHTTP_OPTION_IPV6_FAST_FALLBACK,
            WINHTTP_OPTION_REQUEST_STATS,
            WINHTTP_OPTION_REQUEST_TIMES,
        ],
    ),
    (
        Release::Windows10v2004,
        &[
            WINHTTP_OPTION_CONNECTION_STATS_V1,
            WINHTTP_OPTION_IGNORE_CERT_REVOCATION_OFFLINE,
            WINHTTP_OPTION_SECURITY_INFO,
            WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT,
            WINHTTP_OPTION_TCP_FAST_OPEN,
            WINHTTP_OPTION_TCP_KEEPALIVE,
            WINHTTP_OPTION_TLS_FALSE_START,
        ],
    ),
    // The pages name them after 21H1, which is Windows Server 2022's version: Windows 10 22H2 has none of them (source n224).
    (
        Release::Server2022,
        &[
            WINHTTP_OPTION_BACKGROUND_CONNECTIONS,
            WINHTTP_OPTION_DISABLE_CERT_CHAIN_BUILDING,
            WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT,
            WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION,
            WINHTTP_OPTION_HTTP2_KEEPALIVE,
            WINHTTP_OPTION_HTTP2_PLUS_TRANSFER_ENCODING,
            WINHTTP_OPTION_REQUIRE_STREAM_END,
            WINHTTP_OPTION_RESOLUTION_HOSTNAME,
            WINHTTP_OPTION_STREAM_ERROR_CODE,
            WINHTTP_OPTION_TLS_PROTOCOL_INSECURE_FALLBACK,
        ],
    ),
    (Release::Windows11, &[WINHTTP_OPTION_MATCH_CONNECTION_GUID, WINHTTP_OPTION_CONNECTION_GUID]),
];

/// The functions that came with a version, by their pages.
const FUNCTIONS_CAME_WITH: [(Release, &str); 5] = [
    (Release::Server2022, "WinHttpAddRequestHeadersEx"),
    (Release::Server2022, "WinHttpQueryHeadersEx"),
    (Release::Server2022, "WinHttpReadDataEx"),
    (Release::Windows11, "WinHttpFreeQueryConnectionGroupResult"),
    (Release::Windows11, "WinHttpQueryConnectionGroup"),
];

/// The flags that came with a version: of sessions (by WinHttpOpen's page), of requests (source n152), of queries (n201).
const FLAGS_CAME_WITH: [(Release, Flags); 4] = [
    (Release::Windows10v2004, Flags::Session(WINHTTP_FLAG_SECURE_DEFAULTS & !WINHTTP_FLAG_ASYNC)),
    (Release::Server2022, Flags::Request(WINHTTP_FLAG_AUTOMATIC_CHUNKING)),
    (Release::Server2022, Flags::Query(WINHTTP_QUERY_FLAG_TRAILERS)),
    (Release::Windows11, Flags::Query(WINHTTP_QUERY_FLAG_WIRE_ENCODING)),
];

#[derive(Clone, Copy)]
enum Flags {
    Session(u32),
    Request(u32),
    Query(u32),
}

type Constructor = fn() -> Profile;

/// The profiles by name, oldest first.
const NAMED: [(&str, Constructor); 10] = [
    ("windows-8", Profile::windows_8),
    ("windows-8.1", Profile::windows_8_1),
    ("windows-10-1607", Profile::windows_10_1607),
    ("windows-10-1903", Profile::windows_10_1903),
    ("windows-10-2004", Profile::windows_10_2004),
    ("windows-10-21h1", Profile::windows_10_21h1),
    ("windows-10-22h2", Profile::windows_10_22h2),
    ("windows-server-2022", Profile::windows_server_2022),
    ("windows-11-24h2", Profile::windows_11_24h2),
    ("newest", Profile::newest),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Release {
    Windows8,
    Windows81,
    Windows10v1607,
    Windows10v1903,
    Windows10v2004,
    /// Build 20348.
    Server2022,
    Windows11,
}

impl Profile {
    /// The newest Windows: knows everything that this library knows.
    pub fn newest() -> Profile {
        Profile::default()
    }

    /// Windows 8: no decompression, no HTTP/2, no SECURE_DEFAULTS.
    pub fn windows_8() -> Profile {
        Profile::until(Release::Windows8)
    }

    /// Windows 8.1, and the first Windows 10.
    pub fn windows_8_1() -> Profile {
        Profile::until(Release::Windows81)
    }

    /// Windows 10 version 1607, and Windows Server 2016.
    pub fn windows_10_1607() -> Profile {
        Profile::until(Release::Windows10v1607)
    }

    /// Windows 10 version 1903: SECURE_DEFAULTS is still unknown.
    pub fn windows_10_1903() -> Profile {
        Profile::until(Release::Windows10v1903)
    }

    /// Windows 10 version 2004: TLS 1.3 and the additions of Windows Server 2022 are unknown.
    pub fn windows_10_2004() -> Profile {
        Profile::until(Release::Windows10v2004)
    }

    /// Windows 10 version 21H1: WinHTTP is that of 2004.
    pub fn windows_10_21h1() -> Profile {
        Profile::windows_10_22h2()
    }

    /// Windows 10 version 22H2: WinHTTP is that of 2004. HTTP2_KEEPALIVE, REQUIRE_STREAM_END and STREAM_ERROR_CODE are unknown
    /// (source n224). TLS 1.3 and HTTP/3 are unknown: their bits in SECURE_PROTOCOLS and ENABLE_HTTP_PROTOCOL fail with 87
    /// (source g03). So do AUTOMATIC_CHUNKING, without which no reply is read during the upload (source n152), and FLAG_TRAILERS
    /// (source n201).
    pub fn windows_10_22h2() -> Profile {
        Profile::until(Release::Windows10v2004)
    }

    /// Windows Server 2022 with its updates. It knows the options that Microsoft's pages date after 21H1, TLS 1.3, HTTP/3's flag,
    /// AUTOMATIC_CHUNKING, FLAG_TRAILERS, and WinHttpAddRequestHeadersEx, WinHttpQueryHeadersEx and WinHttpReadDataEx. It does not know
    /// FLAG_WIRE_ENCODING and connection groups.
    pub fn windows_server_2022() -> Profile {
        Profile::until(Release::Server2022)
    }

    /// Windows 11 version 24H2, and Windows Server 2025: the newest.
    pub fn windows_11_24h2() -> Profile {
        Profile::newest()
    }

    /// The profile of this name: `windows-10-22h2` is [`Profile::windows_10_22h2`]. `None` for an unknown name. The lab for C uses the
    /// same names.
    pub fn named(name: &str) -> Option<Profile> {
        NAMED.iter().find(|(known, _)| *known == name).map(|(_, profile)| profile())
    }

    /// All names of profiles, oldest first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }

    fn until(release: Release) -> Profile {
        let later = CAME_WITH.iter().filter(|(since, _)| *since > release).flat_map(|(_, options)| *options);
        let mut profile = Profile { options: later.copied().collect(), ..Profile::default() };
        profile.functions = FUNCTIONS_CAME_WITH.iter().filter(|row| row.0 > release).map(|row| row.1).collect();
        if release < Release::Server2022 {
            profile.unknown_protocols = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3;
            profile.unknown_versions = WINHTTP_PROTOCOL_FLAG_HTTP3;
        }
        for (_, flags) in FLAGS_CAME_WITH.iter().filter(|row| row.0 > release) {
            match flags {
                Flags::Session(flags) => profile.session_flags |= flags,
                Flags::Request(flags) => profile.request_flags |= flags,
                Flags::Query(flags) => profile.query_flags |= flags,
            }
        }
        profile
    }

    /// Makes one more option unknown.
    pub fn without_option(mut self, option: u32) -> Profile {
        self.options.insert(option);
        self
    }

    /// Makes WinHttpOpen refuse these flags as well.
    pub fn without_session_flags(mut self, flags: u32) -> Profile {
        self.session_flags |= flags;
        self
    }

    /// Makes WinHttpOpenRequest refuse these flags as well.
    pub fn without_request_flags(mut self, flags: u32) -> Profile {
        self.request_flags |= flags;
        self
    }

    /// Answers Digest challenges with SHA-256, SHA-512-256 and `userhash`, which no Windows does: for programs that must work with such
    /// servers on other systems. Outside a Sim the variable `WINHTTP_NEWER_DIGEST=1` does the same.
    pub fn with_newer_digest(mut self) -> Profile {
        self.newer_digest = true;
        self
    }

    /// What CP_ACP is: 65001 is a system, or a program's manifest, that is set to UTF-8, 1252 any other in the West, which
    /// is what everybody has unasked. WinHttpQueryHeadersEx reads headers so when it is given the code page 0.
    pub fn with_ansi_code_page(mut self, number: u32) -> Profile {
        self.ansi_code_page = Some(number);
        self
    }

    pub(super) fn known_secure_protocols(&self) -> u32 {
        const ALL: u32 = WINHTTP_FLAG_SECURE_PROTOCOL_ALL
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3;
        ALL & !self.unknown_protocols
    }

    pub(super) fn known_protocols(&self) -> u32 {
        (WINHTTP_PROTOCOL_FLAG_HTTP2 | WINHTTP_PROTOCOL_FLAG_HTTP3) & !self.unknown_versions
    }

    pub(super) fn has_function(&self, name: &str) -> bool {
        !self.functions.contains(name)
    }

    pub(super) fn ansi_code_page(&self) -> u32 {
        self.ansi_code_page.unwrap_or(1252)
    }

    pub(super) fn newer_digest(&self) -> bool {
        self.newer_digest
    }

    /// The error of who asks for something that this version does not know.
    pub(super) fn refuses(&self, asked: Requested) -> Option<Win32Error> {
        match asked {
            Requested::SetOption(option) => self.options.contains(&option).then_some(ERROR_WINHTTP_INVALID_OPTION),
            Requested::QueryOption(option) => self.options.contains(&option).then_some(ERROR_INVALID_PARAMETER),
            Requested::Session(flags) => (flags & self.session_flags != 0).then_some(ERROR_INVALID_PARAMETER),
            Requested::Request(flags) => (flags & self.request_flags != 0).then_some(ERROR_INVALID_PARAMETER),
            Requested::Headers(level) => (level & self.query_flags != 0).then_some(ERROR_INVALID_PARAMETER),
            Requested::Operation(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each constructor is in the table under its own name, and so are they in the header of C and in the guide.
    #[test]
    fn each_profile_has_its_name() {
        let source = include_str!("profile.rs");
        let constructors: Vec<_> = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub fn ")?.strip_suffix("() -> Profile {"))
            .map(|name| name.replace("windows_8_1", "windows_8.1").replace('_', "-"))
            .collect();
        let mut names: Vec<_> = Profile::names().collect();
        assert!(names.iter().all(|name| Profile::named(name).is_some()));
        assert_eq!(Profile::named("windows-10-22h2"), Some(Profile::windows_10_22h2()));
        assert_eq!((Profile::named("newest"), Profile::named("windows-95")), (Some(Profile::newest()), None));
        for text in [include_str!("../../include/winhttp_lab.h"), include_str!("../guide/05_faults.md")] {
            assert!(names.iter().all(|name| text.contains(name)), "{names:?}");
        }
        let mut constructors: Vec<_> = constructors.iter().map(String::as_str).collect();
        constructors.sort_unstable();
        names.sort_unstable();
        assert_eq!(constructors, names);
    }
}
