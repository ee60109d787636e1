//! The options that a request copies from its session, and their defaults (source option.table).

use std::time::Duration;

use crate::http::Encoding;
use crate::http::proxy::Access;
use crate::transport::{ClientCertificate, Http2, Network, PoolRules, Revocation, Tls};
use crate::win32::{
    ERROR_NOT_ENOUGH_MEMORY, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH, WINHTTP_AUTH_SCHEME_BASIC,
    WINHTTP_AUTH_SCHEME_DIGEST, WINHTTP_AUTH_SCHEME_NEGOTIATE, WINHTTP_AUTH_SCHEME_NTLM,
    WINHTTP_DISABLE_AUTHENTICATION, WINHTTP_DISABLE_COOKIES, WINHTTP_DISABLE_KEEP_ALIVE, WINHTTP_DISABLE_REDIRECTS,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS,
    WINHTTP_OPTION_REDIRECT_POLICY_DEFAULT, WINHTTP_PROTOCOL_FLAG_HTTP2, WINHTTP_PROTOCOL_FLAG_HTTP3,
    WINHTTP_PROXY_DISABLE_SCHEME_BASIC, WINHTTP_PROXY_DISABLE_SCHEME_DIGEST, WINHTTP_PROXY_DISABLE_SCHEME_NEGOTIATE,
    WINHTTP_PROXY_DISABLE_SCHEME_NTLM, Win32Error,
};

/// The timeouts of WinHttpSetTimeouts and RECEIVE_RESPONSE_TIMEOUT, in milliseconds; 0 and 0xFFFFFFFF mean no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// RESOLVE_TIMEOUT
    pub resolve: u32,
    /// CONNECT_TIMEOUT: each address of the host has it for itself (source option.connect-each).
    pub connect: u32,
    /// SEND_TIMEOUT: the request, or one WriteData.
    pub send: u32,
    /// RECEIVE_TIMEOUT: the longest silence of the server.
    pub receive: u32,
    /// RECEIVE_RESPONSE_TIMEOUT: the whole head; `None` until it is set.
    pub response: Option<u32>,
}

/// The time of a name or an address for whom nobody waits, where there is no limit: that of an address by default (our choice).
const UNLIMITED_AHEAD: u32 = 60_000;

impl Timeouts {
    /// How long a connection may take that nobody waits for: it always ends.
    pub fn ahead(&self) -> Duration {
        let limit = |time| if matches!(time, 0 | u32::MAX) { UNLIMITED_AHEAD } else { time };
        Duration::from_millis(u64::from(limit(self.resolve)) + u64::from(limit(self.connect)))
    }

    /// What a query of RECEIVE_RESPONSE_TIMEOUT reads: never less than the receive timeout.
    pub fn response_as_read(&self) -> u32 {
        self.response.map_or(u32::MAX, |value| value.max(self.receive))
    }
}

/// The options of a session or request that decide how requests run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The five timeouts.
    pub timeouts: Timeouts,
    /// CODEPAGE: of the query in the object names of requests.
    pub code_page: Encoding,
    /// REJECT_USERPWD_IN_URL: whether a redirect to a URL with a user's name is refused.
    pub reject_user: bool,
    /// REQUEST_ANNOTATION
    pub annotation: String,
    /// How often a request is sent again after 408 (FAILED_CONNECTION_RETRIES).
    pub timeout_retries: u32,
    /// How names are looked up and sockets made.
    pub network: Network,
    /// Which connections may carry requests.
    pub pool_rules: PoolRules,
    /// DISABLE_FEATURE bits, WINHTTP_DISABLE_*.
    pub disabled: u32,
    /// REDIRECT_POLICY
    pub redirect_policy: u32,
    /// MAX_HTTP_AUTOMATIC_REDIRECTS
    pub max_redirects: u32,
    /// MAX_HTTP_STATUS_CONTINUE: how many interim replies are skipped.
    pub max_interim: u32,
    /// MAX_RESPONSE_HEADER_SIZE, in bytes.
    pub max_head: u32,
    /// MAX_RESPONSE_DRAIN_SIZE, in bytes.
    pub max_drain: u32,
    /// DECOMPRESSION: WINHTTP_DECOMPRESSION_FLAG_* bits of the codings that are asked for and taken off.
    pub decompression: u32,
    /// CONFIGURE_PASSPORT_AUTH: whether a redirect to a Passport login is shown as 401.
    pub passport: bool,
    /// WINHTTP_FLAG_SECURE_DEFAULTS: nothing may be made weaker.
    pub secure_defaults: bool,
    /// SECURITY_FLAGS: the certificate errors that are ignored.
    pub security_flags: u32,
    /// WINHTTP_ENABLE_SSL_REVOCATION
    pub checks_revocation: bool,
    /// IGNORE_CERT_REVOCATION_OFFLINE
    pub ignores_revocation_offline: bool,
    /// CLIENT_CERT_CONTEXT: what a server gets that asks for a certificate.
    pub client_certificate: ClientCertificate,
    /// SECURE_PROTOCOLS: the versions of TLS that may be spoken.
    pub secure_protocols: u32,
    /// ENABLE_HTTP_PROTOCOL: WINHTTP_PROTOCOL_FLAG_* bits.
    pub protocols: u32,
    /// The options of HTTP/2.
    pub http2: Http2,
    /// ENABLE_HTTP2_PLUS_CLIENT_CERT: whether HTTP/2 is offered beside a client certificate.
    pub http2_with_certificate: bool,
    /// UPGRADE_TO_WEB_SOCKET: whether SendRequest asks for a web socket. Sessions have it never.
    pub web_socket: bool,
    /// WEB_SOCKET_RECEIVE_BUFFER_SIZE: how many bytes of messages wait for Receive before no more are read.
    pub web_socket_receive_buffer: u32,
    /// WEB_SOCKET_SEND_BUFFER_SIZE, in bytes.
    pub web_socket_send_buffer: u32,
    /// The access type: WinHttpOpen, and the option PROXY.
    pub proxy: Access,
    /// RECEIVE_PROXY_CONNECT_RESPONSE: whether the body of a refused CONNECT can be read.
    pub receive_connect_response: bool,
    /// DISABLE_PROXY_AUTH_SCHEMES: WINHTTP_PROXY_DISABLE_* bits.
    pub disabled_proxy_schemes: u32,
    /// Whether what RFC 7616 added to Digest is spoken, which WinHTTP does not (source e06).
    pub newer_digest: bool,
    /// DISABLE_GLOBAL_POOLING: the session whose connections are used, or 0 for those of all sessions.
    pub pool: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            timeouts: Timeouts { resolve: 0, connect: 60_000, send: 30_000, receive: 30_000, response: None },
            code_page: Encoding::default(),
            reject_user: false,
            annotation: String::new(),
            timeout_retries: 0,
            network: Network::default(),
            pool_rules: PoolRules::default(),
            disabled: 0,
            redirect_policy: WINHTTP_OPTION_REDIRECT_POLICY_DEFAULT,
            max_redirects: 10,
            max_interim: 10,
            max_head: 64 * 1024,
            max_drain: 1024 * 1024,
            decompression: 0,
            passport: false,
            secure_defaults: false,
            security_flags: 0,
            checks_revocation: false,
            ignores_revocation_offline: false,
            client_certificate: ClientCertificate::Absent,
            secure_protocols: WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3,
            protocols: 0,
            http2: Http2::default(),
            http2_with_certificate: false,
            web_socket: false,
            web_socket_receive_buffer: 32 * 1024,
            web_socket_send_buffer: 32 * 1024,
            proxy: Access::None,
            receive_connect_response: false,
            disabled_proxy_schemes: 0,
            newer_digest: false,
            pool: 0,
        }
    }
}

impl Settings {
    /// Schemes that a proxy gets nothing for, as WINHTTP_AUTH_SCHEME_* bits.
    pub fn refused_proxy_schemes(&self) -> u32 {
        const SCHEMES: [(u32, u32); 4] = [
            (WINHTTP_PROXY_DISABLE_SCHEME_BASIC, WINHTTP_AUTH_SCHEME_BASIC),
            (WINHTTP_PROXY_DISABLE_SCHEME_DIGEST, WINHTTP_AUTH_SCHEME_DIGEST),
            (WINHTTP_PROXY_DISABLE_SCHEME_NTLM, WINHTTP_AUTH_SCHEME_NTLM),
            (WINHTTP_PROXY_DISABLE_SCHEME_NEGOTIATE, WINHTTP_AUTH_SCHEME_NEGOTIATE),
        ];
        let disabled = SCHEMES.iter().filter(|(disable, _)| self.disabled_proxy_schemes & disable != 0);
        disabled.fold(0, |bits, (_, scheme)| bits | scheme)
    }

    /// Whether redirects are returned as they are.
    pub fn redirects_disabled(&self) -> bool {
        self.disabled & WINHTTP_DISABLE_REDIRECTS != 0
    }

    /// Whether each request closes its connection.
    pub fn keep_alive_disabled(&self) -> bool {
        self.disabled & WINHTTP_DISABLE_KEEP_ALIVE != 0
    }

    /// Whether cookies are neither stored nor sent.
    pub fn cookies_disabled(&self) -> bool {
        self.disabled & WINHTTP_DISABLE_COOKIES != 0
    }

    /// Whether 401 and 407 are returned as they are.
    pub fn authentication_disabled(&self) -> bool {
        self.disabled & WINHTTP_DISABLE_AUTHENTICATION != 0
    }

    /// Why SendRequest cannot ask for a web socket: a send buffer below 16 bytes (source WS9), or HTTP/2 alone, over
    /// which there is none here.
    pub fn refuses_web_socket(&self) -> Option<Win32Error> {
        match self.http2() {
            _ if self.web_socket_send_buffer < 16 => Some(ERROR_NOT_ENOUGH_MEMORY),
            Some(rules) if rules.required => Some(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH),
            _ => None,
        }
    }

    /// The rules of HTTP/2, if a request may use it.
    pub fn http2(&self) -> Option<Http2> {
        let certificate = matches!(self.client_certificate, ClientCertificate::Given(_));
        let enabled = self.protocols & WINHTTP_PROTOCOL_FLAG_HTTP2 != 0;
        (enabled && (!certificate || self.http2_with_certificate)).then_some(self.http2)
    }

    /// Whether only HTTP/3 will do, for which there is no QUIC here.
    pub fn asks_for_http3_alone(&self) -> bool {
        self.http2.required && self.protocols == WINHTTP_PROTOCOL_FLAG_HTTP3
    }

    /// The rules of TLS.
    pub fn tls(&self) -> Tls {
        let revocation = match (self.checks_revocation, self.ignores_revocation_offline) {
            (false, _) => Revocation::Unchecked,
            (true, false) => Revocation::Checked,
            (true, true) => Revocation::CheckedIfThere,
        };
        Tls {
            ignore: self.security_flags,
            protocols: self.secure_protocols,
            client: self.client_certificate.clone(),
            revocation,
        }
    }

    /// REDIRECT_POLICY, which WINHTTP_FLAG_SECURE_DEFAULTS keeps from leading to plain HTTP.
    pub fn allowed_redirects(&self) -> u32 {
        match self.redirect_policy {
            WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS if self.secure_defaults => WINHTTP_OPTION_REDIRECT_POLICY_DEFAULT,
            policy => policy,
        }
    }
}
