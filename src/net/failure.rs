//! Which Windows error a failure of tokio, hyper or rustls is.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::transport::Failure;
use crate::win32::*;

/// A failure of the connection while a request is on it.
pub fn of_exchange(error: &hyper::Error) -> Failure {
    // d01: an end before the head is complete, also one without TLS' last word, is a reply that makes no sense; a reset is
    // told by the socket.
    let broken = io_source(error).filter(|error| error.kind() != io::ErrorKind::UnexpectedEof);
    broken.map_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE.into(), of_io)
}

/// A failure inside the body; `None` is an end that came too early.
pub fn of_body(error: &hyper::Error) -> Option<Failure> {
    // hyper's predicates do not tell an early end: its source does.
    let source = io_source(error);
    match source.map(io::Error::kind) {
        Some(io::ErrorKind::UnexpectedEof) => None,
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            Some(ERROR_WINHTTP_INVALID_SERVER_RESPONSE.into())
        }
        // m14: a reset has its Winsock error in the body, too.
        _ => Some(source.map_or(ERROR_WINHTTP_CONNECTION_ERROR.into(), of_io)),
    }
}

/// A failure of HTTP/2: of a stream or of its connection.
pub fn of_h2(error: &h2::Error) -> Failure {
    if let Some(io) = error.get_io() {
        return of_io(io);
    }
    let error_code = error.reason().filter(|_| error.is_reset()).map(u32::from);
    // What the server sent made no sense, or it ended the stream or the connection itself.
    let number =
        if error.is_library() { ERROR_WINHTTP_INVALID_SERVER_RESPONSE } else { ERROR_WINHTTP_CONNECTION_ERROR };
    Failure { stream: error_code.unwrap_or(0), ..number.into() }
}

/// A failure of a TLS handshake, or of the socket under it.
pub fn of_handshake(error: &io::Error) -> Failure {
    tls(error).map_or_else(|| of_io(error), of_tls)
}

fn tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// A failure of a socket, or of TLS on it whose handshake is over.
pub fn of_io(error: &io::Error) -> Failure {
    if let Some(tls) = tls(error) {
        let later = wants_certificate_later(tls);
        return if later { ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED.into() } else { of_tls(tls) };
    }
    if let Some(failure) = numbered(error) {
        return failure;
    }
    let number = match error.kind() {
        io::ErrorKind::TimedOut => ERROR_WINHTTP_TIMEOUT,
        _ => ERROR_WINHTTP_CONNECTION_ERROR,
    };
    Failure { winsock: winsock(error), ..number.into() }
}

/// No address answered; the last attempt failed with this.
pub fn of_connect(error: Option<&io::Error>) -> Failure {
    if let Some(failure) = error.and_then(numbered) {
        return failure;
    }
    match error {
        Some(error) if error.kind() == io::ErrorKind::TimedOut => {
            Failure { winsock: winsock(error), ..ERROR_WINHTTP_TIMEOUT.into() }
        }
        error => Failure { winsock: error.map_or(0, winsock), ..ERROR_WINHTTP_CANNOT_CONNECT.into() },
    }
}

/// What has Windows' number already: the reader of the head gives it, and the lab.
fn numbered(error: &io::Error) -> Option<Failure> {
    let inner = error.get_ref()?;
    #[cfg(feature = "live")]
    if let Some(Injected(failure)) = inner.downcast_ref() {
        return Some(*failure);
    }
    inner.downcast_ref::<Win32Error>().map(|error| (*error).into())
}

/// A failure that a fault of the lab brings, whole.
#[cfg(feature = "live")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.error)]
pub struct Injected(pub Failure);

#[cfg(feature = "live")]
impl From<Injected> for io::Error {
    fn from(injected: Injected) -> io::Error {
        io::Error::other(injected)
    }
}

/// A name without addresses.
pub fn of_name(error: &io::Error) -> Failure {
    if let Some(failure) = numbered(error) {
        return failure;
    }
    let winsock = match winsock(error) {
        0 => WSAHOST_NOT_FOUND,
        number => number,
    };
    Failure { winsock, ..ERROR_WINHTTP_NAME_NOT_RESOLVED.into() }
}

/// The host is not known.
pub const WSAHOST_NOT_FOUND: u32 = 11001;

/// Winsock's number of a failed socket call (EXTENDED_ERROR); 0 if it has none.
fn winsock(error: &io::Error) -> u32 {
    match error.kind() {
        io::ErrorKind::PermissionDenied => 10013,
        io::ErrorKind::AddrInUse => 10048,
        io::ErrorKind::AddrNotAvailable => 10049,
        io::ErrorKind::NetworkDown => 10050,
        io::ErrorKind::NetworkUnreachable => 10051,
        io::ErrorKind::ConnectionAborted => 10053,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => 10054,
        io::ErrorKind::NotConnected => 10057,
        io::ErrorKind::TimedOut => 10060,
        io::ErrorKind::ConnectionRefused => 10061,
        io::ErrorKind::HostUnreachable => 10065,
        _ => 0,
    }
}

/// What a failure of TLS is called when it was spoken with a proxy.
pub fn of_proxy(failure: Failure) -> Failure {
    let error = match failure.error {
        ERROR_WINHTTP_SECURE_FAILURE => ERROR_WINHTTP_SECURE_FAILURE_PROXY,
        ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED => ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY,
        other => other,
    };
    Failure { error, ..failure }
}

/// A failure of TLS, as ERROR_WINHTTP_SECURE_FAILURE and the bits that SECURE_FAILURE tells. Faults of a certificate are
/// found and told by its verdict; here is what rustls refuses on its own.
pub fn of_tls(error: &rustls::Error) -> Failure {
    use rustls::Error as Tls;
    // It speaks nothing of what it was offered.
    if matches!(error, Tls::AlertReceived(AlertDescription::NoApplicationProtocol)) {
        return ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH.into();
    }
    let secure = match error {
        Tls::InvalidCertificate(fault) => of_certificate(fault),
        Tls::NoCertificatesPresented => WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT,
        Tls::InvalidCertRevocationList(_) => WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED,
        // Nobody there speaks TLS, or not as we do: alerts, other versions, records that are none or too long.
        _ => WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR,
    };
    Failure { secure, ..ERROR_WINHTTP_SECURE_FAILURE.into() }
}

/// Whether a server asks for a client certificate when the handshake is over (source w5): by TLS 1.3's CertificateRequest,
/// which rustls refuses, by the alert that says so, or by the alert of a server of TLS 1.2 whose renegotiation rustls has
/// declined.
fn wants_certificate_later(error: &rustls::Error) -> bool {
    use rustls::{Error as Tls, HandshakeType};
    matches!(
        error,
        Tls::InappropriateHandshakeMessage { got_type: HandshakeType::CertificateRequest, .. }
            | Tls::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure)
    )
}

fn of_certificate(fault: &CertificateError) -> u32 {
    use CertificateError as Fault;
    match fault {
        Fault::UnknownIssuer => WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID,
        Fault::Expired | Fault::ExpiredContext { .. } | Fault::NotValidYet | Fault::NotValidYetContext { .. } => {
            WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID
        }
        Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. } => WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE,
        Fault::Revoked => WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED,
        Fault::UnknownRevocationStatus
        | Fault::ExpiredRevocationList
        | Fault::ExpiredRevocationListContext { .. }
        | Fault::InvalidOcspResponse => WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED,
        // The server does not have the key of its certificate.
        Fault::BadSignature => WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR,
        _ => WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT,
    }
}

fn io_source(error: &hyper::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use rustls::HandshakeType;

    use super::*;

    /// What TLS refuses in the handshake, and later.
    #[test]
    fn what_tls_refuses() {
        let late = rustls::Error::InappropriateHandshakeMessage {
            expect_types: Vec::new(),
            got_type: HandshakeType::CertificateRequest,
        };
        let alert = rustls::Error::AlertReceived;
        const SECURE: Win32Error = ERROR_WINHTTP_SECURE_FAILURE;
        const ASKED: Win32Error = ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED;
        const MISMATCH: Win32Error = ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH;
        let rows = [
            (late, SECURE, ASKED),
            (alert(AlertDescription::CertificateRequired), SECURE, ASKED),
            (alert(AlertDescription::HandshakeFailure), SECURE, ASKED),
            (alert(AlertDescription::NoApplicationProtocol), MISMATCH, MISMATCH),
            (alert(AlertDescription::InternalError), SECURE, SECURE),
        ];
        for (error, at_first, later) in rows {
            let error = io::Error::other(error);
            assert_eq!((of_handshake(&error).error, of_io(&error).error), (at_first, later), "{error:?}");
        }
    }
}
