//! Which proxy a URL goes through, by WinHttpGetProxyForUrlEx: the asynchronous resolver, with a PAC script from a server
//! of the lab.
//!
//! ```text
//! cargo run --features pac --example resolver
//! ```
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::mpsc::{Receiver, Sender, channel};

use portable_winhttp::lab::{Reply, Sim, get};
use windows_sys::Win32::Foundation::ERROR_IO_PENDING;
use windows_sys::Win32::Networking::WinHttp::*;

/// What the resolver says: proxies in the order in which they are to be tried; `None` is the server itself.
type Answer = Result<Vec<Option<String>>, u32>;

/// A resolver that was asked. Its context belongs to the callback until HANDLE_CLOSING.
struct Resolver(*mut c_void);

impl Drop for Resolver {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody else closes it.
        unsafe { WinHttpCloseHandle(self.0) };
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// An asynchronous session whose resolvers tell [`on_status`] what they found.
fn session() -> *mut c_void {
    // SAFETY: no pointers but the callback, which may be called from any thread.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        let wanted = WINHTTP_CALLBACK_FLAG_GETPROXYFORURL_COMPLETE
            | WINHTTP_CALLBACK_FLAG_REQUEST_ERROR
            | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
        WinHttpSetStatusCallback(session, Some(on_status), wanted, 0);
        session
    }
}

/// Asks for the proxies of a URL.
fn ask(session: *const c_void, url: &str, script: &str) -> Result<(Resolver, Receiver<Answer>), u32> {
    let (url, script) = (wide(url), wide(script));
    let (sender, answer) = channel();
    let context = Box::into_raw(Box::new(sender));
    // SAFETY: strings end in NUL; the context lives until HANDLE_CLOSING of the resolver that it was bound to.
    unsafe {
        let mut resolver = null_mut();
        let error = WinHttpCreateProxyResolver(session, &raw mut resolver);
        if error != 0 {
            drop(Box::from_raw(context));
            return Err(error);
        }
        let options = WINHTTP_AUTOPROXY_OPTIONS {
            dwFlags: WINHTTP_AUTOPROXY_CONFIG_URL,
            lpszAutoConfigUrl: script.as_ptr(),
            ..std::mem::zeroed()
        };
        match WinHttpGetProxyForUrlEx(resolver, url.as_ptr(), &raw const options, context.expose_provenance()) {
            ERROR_IO_PENDING => Ok((Resolver(resolver), answer)),
            error => {
                WinHttpCloseHandle(resolver);
                drop(Box::from_raw(context));
                Err(error)
            }
        }
    }
}

unsafe extern "system" fn on_status(
    resolver: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    _length: u32,
) {
    let context = std::ptr::with_exposed_provenance_mut::<Sender<Answer>>(context);
    if context.is_null() {
        return;
    }
    // SAFETY: a context other than 0 is the sender of `ask`; the information has the shape that belongs to the status.
    unsafe {
        let answer = match status {
            WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE => result(resolver),
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => Err((*information.cast::<WINHTTP_ASYNC_RESULT>()).dwError),
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => return drop(Box::from_raw(context)),
            _ => return,
        };
        // Whoever asked may have gone.
        let _ = (*context).send(answer);
    }
}

/// The result of a resolver that is done.
unsafe fn result(resolver: *mut c_void) -> Answer {
    // SAFETY: the resolver is open inside its callback; the result is freed once, behind its last use.
    unsafe {
        let mut result: WINHTTP_PROXY_RESULT = std::mem::zeroed();
        let error = WinHttpGetProxyResult(resolver, &raw mut result);
        if error != 0 {
            return Err(error);
        }
        let entries = (0..result.cEntries as usize).map(|index| &*result.pEntries.add(index));
        let answer = entries.map(|entry| (entry.fProxy != 0).then(|| name(entry))).collect();
        WinHttpFreeProxyResult(&raw mut result);
        Ok(answer)
    }
}

unsafe fn name(entry: &WINHTTP_PROXY_RESULT_ENTRY) -> String {
    // SAFETY: the name of a proxy ends in NUL.
    unsafe {
        let length = (0..).take_while(|at| *entry.pwszProxy.add(*at) != 0).count();
        let name = String::from_utf16_lossy(std::slice::from_raw_parts(entry.pwszProxy, length));
        format!("{name}:{}", entry.ProxyPort)
    }
}

fn main() {
    const SCRIPT: &str = "function FindProxyForURL(url, host) {
        return dnsDomainIs(host, '.inside.test') ? 'DIRECT' : 'PROXY first.test:8080; PROXY second.test:8080; DIRECT';
    }";
    let sim = Sim::new();
    sim.peer("http://pac.test").on(get("/proxy.pac")).reply(Reply::ok().body(SCRIPT));

    let session = session();
    for (url, expected) in [
        ("https://www.inside.test/", vec![None]),
        ("https://www.outside.test/", vec![Some("first.test:8080"), Some("second.test:8080"), None]),
    ] {
        let (_resolver, answers) = ask(session, url, "http://pac.test/proxy.pac").expect("it was asked");
        let mut answer = None;
        sim.block_until(|| {
            answer = answer.take().or_else(|| answers.try_recv().ok());
            answer.is_some()
        });
        let proxies = answer.expect("it was told").expect("there is one");
        println!("{url}: {proxies:?}");
        assert_eq!(proxies.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }
    // SAFETY: it is open, and nobody else closes it.
    unsafe { WinHttpCloseHandle(session) };
}
