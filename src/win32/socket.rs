//! What of sockets only the system's C library knows: fast open, statistics, the numbers of interfaces.
#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
pub use linux::*;
#[cfg(not(target_os = "linux"))]
pub use others::*;

/// The number of a network interface.
#[cfg(unix)]
pub fn interface(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: the name ends in NUL and lives through the call.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number != 0).then_some(number)
}

/// Names of interfaces are known on Unix only.
#[cfg(not(unix))]
pub fn interface(_name: &str) -> Option<u32> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::mem::{size_of, size_of_val, zeroed};
    use std::os::fd::{AsRawFd, RawFd};

    use crate::win32::TcpInfo;

    /// Lets data go with the first packet (TCP_FAST_OPEN).
    pub fn fast_open(socket: &impl AsRawFd) -> io::Result<()> {
        let on: libc::c_int = 1;
        // SAFETY: the option takes an int, which lives through the call; a socket that is none is an error.
        let answer = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_FASTOPEN_CONNECT,
                (&raw const on).cast(),
                size_of_val(&on) as libc::socklen_t,
            )
        };
        if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// A way to ask about a socket, until it is closed: a number that was given to another one is noticed.
    pub fn inquiry(socket: &impl AsRawFd) -> Option<Box<dyn Fn() -> Option<TcpInfo> + Send + Sync>> {
        let socket = socket.as_raw_fd();
        let known = cookie(socket)?;
        Some(Box::new(move || if cookie(socket) == Some(known) { ask(socket) } else { None }))
    }

    /// What the system calls this socket and never another.
    fn cookie(socket: RawFd) -> Option<u64> {
        let mut cookie = 0;
        get(socket, libc::SOL_SOCKET, libc::SO_COOKIE, &mut cookie).then_some(cookie)
    }

    /// Reads an option of a socket whose value is made of integers.
    fn get<T: Copy>(socket: RawFd, level: libc::c_int, option: libc::c_int, value: &mut T) -> bool {
        let mut length = size_of::<T>() as libc::socklen_t;
        // SAFETY: the system writes at most `length` bytes to the value; a socket that is none is an error.
        unsafe { libc::getsockopt(socket, level, option, std::ptr::from_mut(value).cast(), &raw mut length) == 0 }
    }

    fn ask(socket: RawFd) -> Option<TcpInfo> {
        // SAFETY: the structure is made of integers.
        let mut info: libc::tcp_info = unsafe { zeroed() };
        get(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info).then(|| TcpInfo {
            state: state(info.tcpi_state),
            mss: info.tcpi_snd_mss,
            rtt: info.tcpi_rtt,
            in_flight: info.tcpi_unacked.saturating_mul(info.tcpi_snd_mss),
            congestion_window: info.tcpi_snd_cwnd.saturating_mul(info.tcpi_snd_mss),
            receive_window: info.tcpi_rcv_space,
            bytes_out: info.tcpi_bytes_acked,
            bytes_in: info.tcpi_bytes_received,
            min_rtt: info.tcpi_min_rtt,
            bytes_retransmitted: info.tcpi_total_retrans.saturating_mul(info.tcpi_snd_mss),
            timeouts: info.tcpi_retransmits.into(),
            ..TcpInfo::default()
        })
    }

    /// Linux' number of a state as Windows' TCPSTATE.
    fn state(linux: u8) -> u32 {
        match linux {
            1 => 4,  // established
            2 => 2,  // SYN sent
            3 => 3,  // SYN received
            4 => 5,  // FIN wait 1
            5 => 6,  // FIN wait 2
            6 => 10, // time wait
            7 => 0,  // closed
            8 => 7,  // close wait
            9 => 9,  // last ACK
            10 => 1, // listen
            11 => 8, // closing
            _ => 0,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod others {
    use std::io;

    use crate::win32::TcpInfo;

    /// Not here.
    pub fn fast_open<S>(_socket: &S) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Not here.
    pub fn inquiry<S>(_socket: &S) -> Option<Box<dyn Fn() -> Option<TcpInfo> + Send + Sync>> {
        None
    }
}
