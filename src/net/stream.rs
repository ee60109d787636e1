//! What HTTP is spoken over: layers of TCP and TLS.

use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::budget;

/// Connected bytes. TLS lies on any other stream: on TLS to a proxy, too.
#[derive(Debug)]
pub enum Stream {
    Tcp(Tcp),
    Tls(Box<TlsStream<Stream>>),
    #[cfg(feature = "live")]
    Pipe(super::pipe::Pipe),
}

impl Stream {
    /// The protocol that the server chose from those that TLS offered it.
    pub fn chosen(&self) -> Option<&[u8]> {
        match self {
            Stream::Tls(stream) => stream.get_ref().1.alpn_protocol(),
            _ => None,
        }
    }

    /// The next read asks the system for bytes even if the runtime has not heard of any.
    pub fn look(&mut self) {
        match self {
            Stream::Tcp(stream) => stream.looks = true,
            Stream::Tls(stream) => stream.get_mut().0.look(),
            #[cfg(feature = "live")]
            Stream::Pipe(_) => {}
        }
    }
}

/// A socket. The runtime learns some time later than the system what came, or that the peer has closed: whoever must know
/// it now looks.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    looks: bool,
}

impl From<TcpStream> for Tcp {
    fn from(stream: TcpStream) -> Tcp {
        Tcp { stream, looks: false }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Tcp { stream, looks } = self.get_mut();
        let polled = Pin::new(&mut *stream).poll_read(cx, buf);
        if polled.is_ready() || !std::mem::take(looks) {
            return polled;
        }
        let socket = SockRef::from(&*stream);
        // Mostly nothing has come, and the room for it need not be made ready.
        match socket.peek(&mut [MaybeUninit::uninit()]).and_then(|_| (&*socket).read(buf.initialize_unfilled())) {
            Ok(count) => {
                buf.advance(count);
                Poll::Ready(Ok(()))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The same for every kind of stream.
macro_rules! on {
    ($stream:expr, $inner:ident => $do:expr) => {
        match $stream.get_mut() {
            Stream::Tcp($inner) => $do,
            Stream::Tls($inner) => $do,
            #[cfg(feature = "live")]
            Stream::Pipe($inner) => $do,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // TLS has records at hand that the socket knows nothing of: each is a read.
        ready!(budget::poll_read(cx));
        on!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        on!(self, stream => Pin::new(stream).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use std::task::Waker;

    use super::super::budget::Budget;
    use super::super::pipe::pipe;
    use super::*;

    /// A peer whose bytes never run out does not keep a task for ever.
    #[test]
    fn a_step_reads_so_often() {
        let (mut peer, own) = pipe();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut peer).poll_write(&mut cx, &[0; 4096]).is_ready());
        let mut stream = Stream::Pipe(own);
        let mut read = || {
            let mut byte = [0];
            Pin::new(&mut stream).poll_read(&mut cx, &mut ReadBuf::new(&mut byte)).is_ready()
        };
        for _ in 0..3 {
            let _step = Budget::of_step();
            let reads = (0..1000).take_while(|_| read()).count();
            assert!((1..1000).contains(&reads), "{reads}");
        }
        assert!((0..1000).all(|_| read()), "outside of a step");
    }
}
