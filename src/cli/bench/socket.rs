//! Web sockets: messages that come back, by tungstenite alone and by WinHTTP.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::mpsc::{Sender, channel};

use portable_winhttp::win32::*;
use tungstenite::{Message, WebSocket, client, protocol::Role};

use super::winhttp::*;
use super::work::Work;

/// So many messages of this size.
pub fn work(size: usize, count: usize) -> Work {
    let address = serve();
    let client = Client::open(address, size);
    let mut peer = dial(address);
    Work {
        name: format!("web socket, echo of {size} bytes"),
        unit: "messages/s",
        peer: "tungstenite",
        amount: count as f64,
        ours: Box::new(move || client.run(count)),
        theirs: Box::new(move || {
            for _ in 0..count {
                peer.send(Message::binary(vec![7; size])).expect("the server reads");
                assert_eq!(peer.read().expect("an echo").len(), size);
            }
        }),
    }
}

/// Echoes, a thread for each connection.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                let Ok(mut socket) = tungstenite::accept(stream) else { return };
                while let Ok(message) = socket.read() {
                    if message.is_close() || socket.send(message).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn dial(address: SocketAddr) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a TCP socket");
    let upgrade = client(format!("ws://{address}/"), stream);
    let (socket, _) = upgrade.unwrap_or_else(|_| panic!("the server upgrades"));
    WebSocket::from_raw_socket(socket.into_inner(), Role::Client, None)
}

/// A web socket of WinHTTP, driven by its callback.
struct Client {
    socket: *mut c_void,
    /// Belongs to the callback while messages are on their way.
    state: *mut State,
    _handles: Handles,
}

struct State {
    sent: Vec<u8>,
    received: Vec<u8>,
    /// Bytes of the message that have come.
    come: usize,
    /// Messages that are still to be sent.
    left: usize,
    told: Sender<()>,
}

impl Client {
    fn open(address: SocketAddr, size: usize) -> Client {
        let handles = Handles::open(address, false, WINHTTP_FLAG_ASYNC, Some(on_status));
        let (told, opened) = channel();
        let state = State { sent: vec![7; size], received: vec![0; size], come: 0, left: 0, told };
        let state = Box::into_raw(Box::new(state));
        let request = handles.request(null(), null());
        // SAFETY: the state lives as long as the process; completions are waited for one by one.
        unsafe {
            let set = WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0);
            assert_ne!(set, 0, "WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET");
            let context = state.expose_provenance();
            assert_ne!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, context), 0, "WinHttpSendRequest");
            opened.recv().expect("the server upgrades");
            let socket = WinHttpWebSocketCompleteUpgrade(request, context);
            assert!(!socket.is_null(), "WinHttpWebSocketCompleteUpgrade");
            close(request);
            Client { socket, state, _handles: handles }
        }
    }

    fn run(&self, count: usize) {
        let (told, done) = channel();
        // SAFETY: no message is on its way, so the callback does not touch the state.
        unsafe {
            (*self.state).left = count;
            (*self.state).told = told;
            next(self.socket, self.state);
        }
        done.recv().expect("all messages came back");
    }
}

/// Sends the next message, or says that there is none.
unsafe fn next(socket: *mut c_void, state: *mut State) {
    // SAFETY: the state is the caller's, and its buffers live as long.
    unsafe {
        if (*state).left == 0 {
            let _ = (*state).told.send(());
            return;
        }
        (*state).left -= 1;
        (*state).come = 0;
        let (data, length) = ((*state).sent.as_ptr(), (*state).sent.len() as u32);
        let sent = WinHttpWebSocketSend(socket, WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, data.cast(), length);
        assert_eq!(sent, 0, "WinHttpWebSocketSend");
    }
}

unsafe fn receive(socket: *mut c_void, state: *mut State) {
    // SAFETY: as in `next`.
    unsafe {
        let come = (*state).come;
        let (room, length) = ((*state).received.as_mut_ptr().add(come), ((*state).received.len() - come) as u32);
        let asked = WinHttpWebSocketReceive(socket, room.cast(), length, null_mut(), null_mut());
        assert_eq!(asked, 0, "WinHttpWebSocketReceive");
    }
}

unsafe extern "system" fn on_status(
    handle: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    let state = std::ptr::with_exposed_provenance_mut::<State>(context);
    // SAFETY: a context other than 0 is a state that is never freed; the information has the shape of the status.
    unsafe {
        match status {
            _ if state.is_null() => {}
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                assert_ne!(WinHttpReceiveResponse(handle, null_mut()), 0, "WinHttpReceiveResponse");
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                let _ = (*state).told.send(());
            }
            WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE => receive(handle, state),
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                assert_eq!(length as usize, size_of::<WINHTTP_WEB_SOCKET_STATUS>());
                (*state).come += information.cast::<WINHTTP_WEB_SOCKET_STATUS>().read().dwBytesTransferred as usize;
                if (*state).come < (*state).received.len() {
                    return receive(handle, state);
                }
                next(handle, state);
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR if (*state).left > 0 => refused(information),
            _ => {}
        }
    }
}
