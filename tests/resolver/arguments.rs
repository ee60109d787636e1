//! The arguments of the functions of resolvers.

use std::ptr::{null, null_mut};

use portable_winhttp::lab::{Sim, Stop};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;

#[test]
fn arguments_of_the_resolver() {
    let sim = Sim::new();
    sim.allow(Stop::HandleAfterClose);
    let (synchronous, asynchronous) =
        (open(WINHTTP_ACCESS_TYPE_NO_PROXY, false), open(WINHTTP_ACCESS_TYPE_NO_PROXY, true));
    let resolver = resolver(asynchronous);
    let (url, script) = (wide("http://www.test/"), wide("http://pac.test/"));
    let good = options(CONFIG, Some(&script));
    let mut out = null_mut();
    // SAFETY: NULL, or valid.
    unsafe {
        assert_eq!(WinHttpCreateProxyResolver(null(), &mut out), 6);
        assert_eq!(WinHttpCreateProxyResolver(resolver, &mut out), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpCreateProxyResolver(synchronous, &mut out), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpCreateProxyResolver(asynchronous, null_mut()), 87);
        assert!(out.is_null());
        let for_url = |resolver, url: *const u16, options: *const WINHTTP_AUTOPROXY_OPTIONS| {
            WinHttpGetProxyForUrlEx(resolver, url, options, 0)
        };
        assert_eq!(for_url(null(), url.as_ptr(), &good), 6);
        assert_eq!(for_url(asynchronous, url.as_ptr(), &good), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(for_url(resolver, null(), &good), 87);
        assert_eq!(for_url(resolver, wide("").as_ptr(), &good), 87);
        assert_eq!(for_url(resolver, url.as_ptr(), null()), 87);
        assert_eq!(for_url(resolver, url.as_ptr(), &options(0, None)), 87);
        assert_eq!(for_url(resolver, url.as_ptr(), &options(CONFIG, None)), 87);
        assert_eq!(for_url(resolver, wide("http:").as_ptr(), &good), ERROR_WINHTTP_INVALID_URL);
        assert_eq!(for_url(resolver, wide("ftp://a/").as_ptr(), &good), ERROR_WINHTTP_UNRECOGNIZED_SCHEME);
        assert_eq!(WinHttpGetProxyForUrlEx2(resolver, url.as_ptr(), null(), 0, null(), 0), 87);
        assert_eq!(WinHttpGetProxyResult(null(), null_mut()), 6);
        assert_eq!(WinHttpGetProxyResult(asynchronous, null_mut()), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpGetProxyResult(resolver, null_mut()), 87);
        assert_eq!(WinHttpGetProxyResultEx(resolver, null_mut()), 87);
        WinHttpFreeProxyResult(null_mut());
        WinHttpFreeProxyResultEx(null_mut());
        assert_eq!(WinHttpResetAutoProxy(null(), WINHTTP_RESET_ALL | WINHTTP_RESET_OUT_OF_PROC), 6);
        assert_eq!(WinHttpResetAutoProxy(resolver, WINHTTP_RESET_OUT_OF_PROC), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpResetAutoProxy(asynchronous, WINHTTP_RESET_ALL), 87);
        assert_eq!(WinHttpResetAutoProxy(asynchronous, WINHTTP_RESET_ALL | WINHTTP_RESET_OUT_OF_PROC), 0);
        let (mut kind, mut length) = (0u32, 4);
        let read = WinHttpQueryOption(resolver, WINHTTP_OPTION_HANDLE_TYPE, (&raw mut kind).cast(), &mut length);
        assert_eq!((read, kind), (1, WINHTTP_HANDLE_TYPE_PROXY_RESOLVER));
    }
    close(resolver);
    close(synchronous);
    close(asynchronous);
    drop(sim);
}
