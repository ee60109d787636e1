//! TLS with scripted peers: what is told, what is ignored, what can be asked for.
#![cfg(all(feature = "lab", feature = "win32"))]

mod support;

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use portable_winhttp::lab::{Fault, Reply, Sim, Stage, any};
use portable_winhttp::win32::{CERT_CHAIN_CONTEXT, CERT_CONTEXT, ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED};
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::Security::Cryptography::{
    CERT_CHAIN_PARA, CERT_CHAIN_POLICY_BASE, CERT_CHAIN_POLICY_STATUS, CERT_CHAIN_REVOCATION_CHECK_END_CERT,
    CERT_NAME_SIMPLE_DISPLAY_TYPE, CERT_TRUST_IS_NOT_TIME_VALID, CERT_TRUST_IS_OFFLINE_REVOCATION,
    CERT_TRUST_IS_UNTRUSTED_ROOT, CERT_TRUST_REVOCATION_STATUS_UNKNOWN, CertCloseStore, CertEnumCertificatesInStore,
    CertFreeCertificateChain, CertFreeCertificateContext, CertGetCertificateChain, CertGetNameStringW,
    CertOpenSystemStoreW, CertVerifyCertificateChainPolicy,
};

/// A synchronous GET of https://api.test: 0, or the last error of SendRequest; then `look`.
fn get(flags: u32, look: impl FnOnce(*mut c_void)) -> u32 {
    // SAFETY: NUL-terminated strings; the handles are closed once.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
        let connection = WinHttpConnect(session, wide("api.test").as_ptr(), 0, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE);
        let set = WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, (&raw const flags).cast(), 4);
        assert_eq!(set, 1);
        let error = if send(request) == 0 { last_error() } else { 0 };
        look(request);
        for handle in [request, connection, session] {
            close(handle);
        }
        error
    }
}

/// The subject of the server's certificate, or the last error.
fn subject(request: *mut c_void) -> Result<String, u32> {
    let mut context: *mut CERT_CONTEXT = null_mut();
    let mut length = size_of::<usize>() as u32;
    // SAFETY: a pointer fits; the context is alive until it is freed.
    unsafe {
        let place = (&raw mut context).cast();
        if WinHttpQueryOption(request, WINHTTP_OPTION_SERVER_CERT_CONTEXT, place, &mut length) == 0 {
            return Err(last_error());
        }
        let mut name = [0; 64];
        let kind = CERT_NAME_SIMPLE_DISPLAY_TYPE;
        let length = CertGetNameStringW(context.cast(), kind, 0, null(), name.as_mut_ptr(), 64);
        CertFreeCertificateContext(context.cast());
        Ok(String::from_utf16(&name[..length as usize - 1]).unwrap())
    }
}

#[test]
fn faults_are_ignored_one_by_one() {
    let (ca, date) = (SECURITY_FLAG_IGNORE_UNKNOWN_CA, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID);
    let both = WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA | WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID;
    let revoked = WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED;
    let rows =
        [(both, 0, 12175), (both, ca, 12175), (both, date, 12175), (both, ca | date, 0), (revoked, ca | date, 12175)];
    for (faults, ignored, error) in rows {
        let sim = Sim::new();
        let peer = sim.peer("https://api.test");
        peer.on(any()).reply(Reply::ok());
        peer.fault(Fault::at(Stage::Tls).secure(faults));
        // Refused or not, the certificate can be asked for.
        let look = |request| assert_eq!(subject(request).as_deref(), Ok("scripted peer"));
        assert_eq!(get(ignored, look), error, "{faults:#x} {ignored:#x}");
    }
}

/// The bits of the chain of the server's certificate, and what the base policy says of it.
fn judged(request: *mut c_void, flags: u32) -> (u32, u32) {
    let mut context: *mut CERT_CONTEXT = null_mut();
    let mut length = size_of::<usize>() as u32;
    // SAFETY: a pointer fits; everything is alive until it is freed.
    unsafe {
        let place = (&raw mut context).cast();
        assert_eq!(WinHttpQueryOption(request, WINHTTP_OPTION_SERVER_CERT_CONTEXT, place, &mut length), 1);
        let para = CERT_CHAIN_PARA { cbSize: size_of::<CERT_CHAIN_PARA>() as u32, ..Default::default() };
        let (store, mut chain) = ((*context).hCertStore, null_mut());
        let certificate = context.cast();
        let built = CertGetCertificateChain(null_mut(), certificate, null(), store, &para, flags, null(), &mut chain);
        assert_eq!(built, 1);
        CertFreeCertificateContext(certificate);
        let mut status = CERT_CHAIN_POLICY_STATUS::default();
        assert_eq!(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE, chain, null(), &mut status), 1);
        let bits = (*chain).TrustStatus.dwErrorStatus;
        CertFreeCertificateChain(chain);
        (bits, status.dwError)
    }
}

/// A chain that the program builds has the faults that TLS told of, or none.
#[test]
fn chains_have_the_faults_of_their_servers() {
    let (ca, date) = (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID);
    let rows = [
        (0, 0, 0, 0),
        (ca, 12175, CERT_TRUST_IS_UNTRUSTED_ROOT, 0x800B_0109),
        (date, 12175, CERT_TRUST_IS_NOT_TIME_VALID, 0x800B_0101),
        (ca | date, 12175, CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_NOT_TIME_VALID, 0x800B_0109),
    ];
    for (faults, error, bits, verdict) in rows {
        let sim = Sim::new();
        let peer = sim.peer("https://api.test");
        peer.on(any()).reply(Reply::ok());
        if faults != 0 {
            peer.fault(Fault::at(Stage::Tls).secure(faults));
        }
        let look = |request| assert_eq!(judged(request, 0), (bits, verdict), "{faults:#x}");
        assert_eq!(get(0, look), error, "{faults:#x}");
    }
}

/// Over bytes it is the network of the Sim that judges, and that looks for lists; the certificate names none.
#[test]
fn chains_over_bytes() {
    let sim = Sim::builder().bytes().build();
    sim.peer("https://api.test").on(any()).reply(Reply::ok());
    let unknown = CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION;
    let look = |request| {
        assert_eq!(judged(request, 0), (0, 0));
        assert_eq!(judged(request, CERT_CHAIN_REVOCATION_CHECK_END_CERT), (unknown, 0x8009_2013));
    };
    assert_eq!(get(0, look), 0);
}

/// The certificates of the system's store "ROOT", DER.
fn roots() -> Vec<Vec<u8>> {
    // SAFETY: NUL-terminated text; a context is alive until the next is asked for.
    unsafe {
        let store = CertOpenSystemStoreW(0, wide("ROOT").as_ptr());
        assert!(!store.is_null());
        let mut context: *const CERT_CONTEXT = null();
        let next = std::iter::from_fn(|| {
            context = CertEnumCertificatesInStore(store, context.cast()).cast();
            let found = context.as_ref()?;
            Some(std::slice::from_raw_parts(found.pbCertEncoded, found.cbCertEncoded as usize).to_vec())
        });
        let roots = next.collect();
        assert_eq!(CertCloseStore(store, 0), 1);
        roots
    }
}

/// The last certificate of the chain of the server's, DER.
fn root_of_chain(request: *mut c_void) -> Vec<u8> {
    let mut chain: *mut CERT_CHAIN_CONTEXT = null_mut();
    let mut length = size_of::<usize>() as u32;
    // SAFETY: a pointer fits; the chain is alive until it is freed.
    unsafe {
        let place = (&raw mut chain).cast();
        assert_eq!(WinHttpQueryOption(request, WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT, place, &mut length), 1);
        let simple = &**(*chain).rgpChain;
        let last = &*(**simple.rgpElement.add(simple.cElement as usize - 1)).pCertContext;
        let der = std::slice::from_raw_parts(last.pbCertEncoded, last.cbCertEncoded as usize).to_vec();
        CertFreeCertificateChain(chain.cast());
        der
    }
}

/// Who looks through "ROOT" finds those whom the Sim trusts; one that nobody knows is not among them.
#[test]
fn the_roots_of_a_sim() {
    for (arm, make) in [("script", Sim::new as fn() -> Sim), ("bytes", || Sim::builder().bytes().build())] {
        let sim = make();
        sim.peer("https://api.test").on(any()).reply(Reply::ok());
        sim.peer("http://plain.test").on(any()).reply(Reply::ok());
        let mut root = Vec::new();
        assert_eq!(get(0, |request| root = root_of_chain(request)), 0);
        assert_eq!(roots(), [root], "{arm}");
    }
    let sim = Sim::new();
    let peer = sim.peer("https://api.test");
    peer.fault(Fault::at(Stage::Tls).secure(WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA));
    assert_eq!(get(0, |_| ()), 12175);
    assert!(roots().is_empty());
}

/// sources n116, n117: the same handle succeeds with flags that are set after the refusal, by a script and over bytes.
#[test]
fn flags_that_are_set_after_the_refusal() {
    let faults: [(u32, u32); 3] = [
        (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, SECURITY_FLAG_IGNORE_UNKNOWN_CA),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, SECURITY_FLAG_IGNORE_CERT_CN_INVALID),
    ];
    for (arm, make) in [("script", Sim::new as fn() -> Sim), ("bytes", || Sim::builder().bytes().build())] {
        for (fault, ignored) in faults {
            let sim = make();
            let peer = sim.peer("https://api.test");
            peer.on(any()).reply(Reply::ok()).expect(1);
            peer.fault(Fault::at(Stage::Tls).secure(fault));
            let again = |request: *mut c_void| {
                assert!(subject(request).is_ok(), "{arm} {fault:#x}");
                // SAFETY: a DWORD.
                let set =
                    unsafe { WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, (&raw const ignored).cast(), 4) };
                assert_eq!((set, send(request), receive(request)), (1, 1, 1), "{arm} {fault:#x}: {}", last_error());
            };
            assert_eq!(get(0, again), 12175, "{arm} {fault:#x}");
        }
    }
}

#[test]
fn a_channel_that_failed_has_no_certificate() {
    let sim = Sim::new();
    sim.peer("https://api.test")
        .fault(Fault::at(Stage::Tls).secure(WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR));
    assert_eq!(get(0, |request| assert_eq!(subject(request), Err(12019))), 12175);
}

#[test]
fn a_certificate_is_asked_for() {
    let sim = Sim::new();
    let peer = sim.peer("https://api.test");
    peer.on(any()).reply(Reply::ok());
    peer.fault(Fault::at(Stage::Tls).fail(ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED));
    let again = |request: *mut c_void| {
        // SAFETY: NULL and 0: no certificate, on purpose.
        let set = unsafe { WinHttpSetOption(request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, null(), 0) };
        assert_eq!((set, send(request), receive(request)), (1, 1, 1));
    };
    assert_eq!(get(0, again), 12044);
}

/// Source b04: from https to http a redirect is the reply, unless the policy is ALWAYS.
#[test]
fn a_redirect_that_leaves_tls() {
    let over: &[fn() -> Sim] = &[
        Sim::new,
        #[cfg(feature = "live")]
        || Sim::builder().bytes().build(),
    ];
    for world in over {
        for (policy, expected) in [
            (None, 302),
            (Some(WINHTTP_OPTION_REDIRECT_POLICY_DISALLOW_HTTPS_TO_HTTP), 302),
            (Some(WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS), 204),
        ] {
            let sim = world();
            sim.peer("https://api.test").on(any()).reply(Reply::redirect("http://plain.test/"));
            let plain = sim.peer("http://plain.test");
            plain.on(any()).reply(Reply::status(204));
            // SAFETY: NUL-terminated strings, DWORDs; the handles are closed once.
            unsafe {
                let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
                let connection = WinHttpConnect(session, wide("api.test").as_ptr(), 0, 0);
                let request =
                    WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE);
                if let Some(policy) = policy {
                    let value = (&raw const policy).cast();
                    assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_REDIRECT_POLICY, value, 4), 1);
                }
                let flags = SECURITY_FLAG_IGNORE_UNKNOWN_CA;
                let value = (&raw const flags).cast();
                assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, value, 4), 1);
                assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
                assert_eq!(status_code(request), expected, "{policy:?}");
                for handle in [request, connection, session] {
                    close(handle);
                }
            }
            assert_eq!(plain.received().len(), usize::from(expected == 204));
        }
    }
}
