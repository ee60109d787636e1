//! Asking a SOCKS proxy for a connection: versions 4 (4a) and 5 (RFC 1928) without authentication. The proxy looks
//! names up. (The crates for it bring half of `futures` for these few bytes.)

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::http::proxy::Scheme;
use crate::http::zone::without_zone;

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, why.to_owned())
}

/// Asks for a connection to this host; behind it the stream is that connection.
pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    scheme: Scheme,
    host: &str,
    port: u16,
) -> io::Result<()> {
    let host = without_zone(host);
    match scheme {
        Scheme::Socks5 => version_5(stream, host, port).await,
        _ => version_4(stream, host, port).await,
    }
}

async fn version_4<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, host: &str, port: u16) -> io::Result<()> {
    const CONNECT: u8 = 1;
    const GRANTED: u8 = 90;
    let mut ask = vec![4, CONNECT];
    ask.extend(port.to_be_bytes());
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            ask.extend(address.octets());
            // No user.
            ask.push(0);
        }
        Ok(IpAddr::V6(_)) => return Err(refused("SOCKS 4 has no IPv6")),
        Err(_) => {
            // 4a: an address that cannot be, then the name behind the user.
            ask.extend([0, 0, 0, 1, 0]);
            ask.extend(host.as_bytes());
            ask.push(0);
        }
    }
    stream.write_all(&ask).await?;
    stream.flush().await?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await?;
    if answer[1] == GRANTED { Ok(()) } else { Err(refused("the SOCKS proxy refused")) }
}

async fn version_5<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, host: &str, port: u16) -> io::Result<()> {
    const CONNECT: u8 = 1;
    stream.write_all(&[5, 1, 0]).await?;
    stream.flush().await?;
    let mut method = [0; 2];
    stream.read_exact(&mut method).await?;
    if method != [5, 0] {
        return Err(refused("the SOCKS proxy wants authentication"));
    }
    let mut ask = vec![5, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            ask.push(1);
            ask.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            ask.push(4);
            ask.extend(address.octets());
        }
        Err(_) => {
            ask.push(3);
            ask.push(u8::try_from(host.len()).map_err(|_| refused("the name is too long for SOCKS"))?);
            ask.extend(host.as_bytes());
        }
    }
    ask.extend(port.to_be_bytes());
    stream.write_all(&ask).await?;
    stream.flush().await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    if answer[..2] != [5, 0] {
        return Err(refused("the SOCKS proxy refused"));
    }
    // The address that it connected from, which nobody needs.
    let length = match answer[3] {
        1 => 4,
        4 => 16,
        3 => stream.read_u8().await?.into(),
        _ => return Err(refused("the SOCKS proxy answered nonsense")),
    };
    let mut rest = vec![0; length + 2];
    stream.read_exact(&mut rest).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes to the proxy, and whether it opened, when the proxy answers these bytes.
    fn asked(scheme: Scheme, host: &str, answers: &[&[u8]]) -> (Vec<u8>, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut theirs) = tokio::io::duplex(1024);
            for answer in answers {
                theirs.write_all(answer).await.unwrap();
            }
            theirs.shutdown().await.unwrap();
            let opened = open(&mut ours, scheme, host, 443).await.is_ok();
            drop(ours);
            let mut sent = Vec::new();
            theirs.read_to_end(&mut sent).await.unwrap();
            (sent, opened)
        })
    }

    #[test]
    fn what_is_said_to_the_proxy() {
        let four = b"\x00\x5a\x00\x00\x00\x00\x00\x00";
        let five: &[u8] = b"\x05\x00\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50";
        type Row<'a> = (Scheme, &'a str, &'a [u8], &'a [u8], bool);
        let rows: [Row<'_>; 12] = [
            (Scheme::Socks4, "10.0.0.1", four, b"\x04\x01\x01\xbb\x0a\x00\x00\x01\x00", true),
            (Scheme::Socks4, "a.test", four, b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00a.test\x00", true),
            (
                Scheme::Socks4,
                "a.test",
                b"\x00\x5b\x00\x00\x00\x00\x00\x00",
                b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00a.test\x00",
                false,
            ),
            (Scheme::Socks4, "a.test", b"\x00\x5a", b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00a.test\x00", false),
            (Scheme::Socks4, "::1", four, b"", false),
            (Scheme::Socks5, "10.0.0.1", five, b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x01\xbb", true),
            (Scheme::Socks5, "a.test", five, b"\x05\x01\x00\x05\x01\x00\x03\x06a.test\x01\xbb", true),
            (
                Scheme::Socks5,
                "::1",
                five,
                b"\x05\x01\x00\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb",
                true,
            ),
            (Scheme::Socks5, "a.test", b"\x05\xff", b"\x05\x01\x00", false),
            (
                Scheme::Socks5,
                "a.test",
                b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0",
                b"\x05\x01\x00\x05\x01\x00\x03\x06a.test\x01\xbb",
                false,
            ),
            (
                Scheme::Socks5,
                "a.test",
                b"\x05\x00\x05\x00\x00\x03\x03abc\0\0",
                b"\x05\x01\x00\x05\x01\x00\x03\x06a.test\x01\xbb",
                true,
            ),
            (Scheme::Socks5, "a.test", b"HTTP/1.1 400 Bad Request\r\n", b"\x05\x01\x00", false),
        ];
        for (scheme, host, answer, sent, opened) in rows {
            assert_eq!(asked(scheme, host, &[answer]), (sent.to_vec(), opened), "{scheme:?} {host} {answer:?}");
        }
    }
}
