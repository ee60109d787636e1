//! What a request tells of the server's certificate and of the connection.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

use rcgen::DnType;
use sha2::{Digest, Sha256};
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::Security::Authentication::Identity::{SEC_CHANNEL_BINDINGS, SecPkgContext_Bindings};
use windows_sys::Win32::Security::Cryptography::*;

use crate::certificates::*;
use crate::client::{Get, query};
use crate::server::Server;
use crate::support::{Client, Record, close, last_error, receive, send, serve_always, wide};

/// A pointer option; the last error if there is none.
fn pointer<T>(request: *mut c_void, option: u32) -> Result<*mut T, u32> {
    query::<*mut T>(request, option)
}

fn text(pointer: *const u16) -> String {
    let mut units = Vec::new();
    let mut at = 0;
    loop {
        // SAFETY: it ends in NUL.
        match unsafe { *pointer.add(at) } {
            0 => return String::from_utf16(&units).unwrap(),
            unit => units.push(unit),
        }
        at += 1;
    }
}

fn name(context: *const CERT_CONTEXT, kind: u32, flags: u32) -> String {
    // SAFETY: the buffer has the length that the first call answers.
    unsafe {
        let length = CertGetNameStringW(context, kind, flags, null(), null_mut(), 0);
        let mut buffer = vec![0xFFFF_u16; length as usize];
        assert_eq!(CertGetNameStringW(context, kind, flags, null(), buffer.as_mut_ptr(), length), length);
        text(buffer.as_ptr())
    }
}

/// A server that shows an intermediate, too.
fn server() -> (Server, Leaf) {
    let middle = intermediate(&TRUSTED, |_| {});
    let leaf = Leaf::signed(parameters("127.0.0.1"), &middle).with(&[der(&middle)]);
    (Server::new(leaf.server()), leaf)
}

#[test]
fn before_tls_there_is_nothing() {
    let _ = &*TRUSTED;
    let get = Get::new(1);
    for option in [
        WINHTTP_OPTION_SERVER_CERT_CONTEXT,
        WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT,
        WINHTTP_OPTION_CLIENT_CERT_ISSUER_LIST,
    ] {
        assert_eq!(pointer::<c_void>(get.request, option), Err(12019), "{option}");
    }
    assert_eq!(
        query::<WINHTTP_CERTIFICATE_INFO>(get.request, WINHTTP_OPTION_SECURITY_CERTIFICATE_STRUCT).err(),
        Some(12019)
    );
    assert_eq!(query::<[u8; 256]>(get.request, WINHTTP_OPTION_SERVER_CBT).err(), Some(12019));
    assert_eq!(query::<u32>(get.request, WINHTTP_OPTION_SECURITY_KEY_BITNESS), Ok(0));
    assert_eq!(query::<u32>(get.request, WINHTTP_OPTION_SECURITY_FLAGS), Ok(0));
    let info = query::<[u32; 177]>(get.request, WINHTTP_OPTION_SECURITY_INFO).unwrap();
    assert_eq!(info, [0; 177]);
    get.close();
}

/// The certificate is there inside SENDING_REQUEST, and the store of its context has all that the server sent.
#[test]
fn the_context_inside_sending_request() {
    let (server, leaf) = server();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let get = Get::with(server.port, move |request, notification| {
        if notification.status != WINHTTP_CALLBACK_STATUS_SENDING_REQUEST {
            return;
        }
        let context = pointer::<CERT_CONTEXT>(request, WINHTTP_OPTION_SERVER_CERT_CONTEXT).unwrap();
        // SAFETY: the context is alive until it is freed.
        unsafe {
            let CERT_CONTEXT { pbCertEncoded, cbCertEncoded, hCertStore, .. } = *context;
            let mut ders = vec![std::slice::from_raw_parts(pbCertEncoded, cbCertEncoded as usize).to_vec()];
            let mut next = CertEnumCertificatesInStore(hCertStore, null());
            while !next.is_null() {
                ders.push(std::slice::from_raw_parts((*next).pbCertEncoded, (*next).cbCertEncoded as usize).to_vec());
                next = CertEnumCertificatesInStore(hCertStore, next);
            }
            assert_eq!(CertFreeCertificateContext(context), 1);
            told.lock().unwrap().extend(ders);
        }
    });
    assert_eq!(get.run().error, None);
    let expected = [&leaf.chain[0], &leaf.chain[0], &leaf.chain[1]].map(|certificate| certificate.to_vec());
    assert_eq!(*seen.lock().unwrap(), expected);
}

/// source n122: behind a redirect to https SENDING_REQUEST comes again, with the certificate of that server.
#[test]
fn the_context_behind_a_redirect_to_https() {
    let (server, leaf) = server();
    let to = server.port;
    let port =
        serve_always(format!("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:{to}/\r\nContent-Length: 0\r\n\r\n"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let record = Record::with(move |request, notification| match notification.status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => assert_eq!(receive(request), 1),
        WINHTTP_CALLBACK_STATUS_SENDING_REQUEST => {
            let context = pointer::<CERT_CONTEXT>(request, WINHTTP_OPTION_SERVER_CERT_CONTEXT).ok();
            // SAFETY: the context is alive until it is freed.
            told.lock().unwrap().push(context.map(|context| unsafe {
                let CERT_CONTEXT { pbCertEncoded, cbCertEncoded, .. } = *context;
                let der = std::slice::from_raw_parts(pbCertEncoded, cbCertEncoded as usize).to_vec();
                assert_eq!(CertFreeCertificateContext(context), 1);
                der
            }));
        }
        _ => {}
    });
    let client = Client::new(true, port);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    close(request);
    client.close();
    assert_eq!(*seen.lock().unwrap(), [None, Some(leaf.chain[0].to_vec())]);
}

/// source n123: who does not like the certificate closes the request inside SENDING_REQUEST; the server gets none.
#[test]
fn closed_inside_sending_request() {
    let (server, _) = server();
    let get = Get::with(server.port, |request, notification| {
        if notification.status == WINHTTP_CALLBACK_STATUS_SENDING_REQUEST {
            assert_eq!(close(request), 1);
        }
    });
    assert_eq!(get.send().error, Some((API_SEND_REQUEST, ERROR_WINHTTP_OPERATION_CANCELLED)));
    get.client.close();
    let visit = server.visit();
    assert_eq!((visit.greeted, visit.bytes), (true, 0));
}

#[test]
fn a_context_is_what_windows_makes_of_a_certificate() {
    let (server, leaf) = server();
    let get = Get::new(server.port);
    assert_eq!(get.send().error, None);
    let context = pointer::<CERT_CONTEXT>(get.request, WINHTTP_OPTION_SERVER_CERT_CONTEXT).unwrap();
    // It outlives the request.
    get.close();
    assert_eq!(name(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0), "127.0.0.1");
    assert_eq!(name(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, CERT_NAME_ISSUER_FLAG), "intermediate");
    assert_eq!(name(context, CERT_NAME_DNS_TYPE, 0), "127.0.0.1");
    assert_eq!(name(context, CERT_NAME_UPN_TYPE, 0), "");
    // SAFETY: the context is alive until its last reference is gone; nothing is followed after that.
    unsafe {
        let info = &*(*context).pCertInfo;
        assert_eq!(info.dwVersion, CERT_V3);
        let id = std::ffi::CStr::from_ptr(info.SubjectPublicKeyInfo.Algorithm.pszObjId.cast());
        assert_eq!(id.to_str(), Ok("1.2.840.10045.2.1"));
        let start = u64::from(info.NotBefore.dwHighDateTime) << 32 | u64::from(info.NotBefore.dwLowDateTime);
        // The beginning of 1975.
        assert_eq!(start, (157_766_400 + 11_644_473_600) * 10_000_000);
        let extensions = std::slice::from_raw_parts(info.rgExtension, info.cExtension as usize);
        let ids: Vec<_> =
            extensions.iter().map(|each| std::ffi::CStr::from_ptr(each.pszObjId.cast()).to_str().unwrap()).collect();
        assert!(ids.contains(&"2.5.29.17") && ids.contains(&"2.5.29.37"), "{ids:?}");

        let mut text_of_subject = [0; 64];
        let length =
            CertNameToStrW(X509_ASN_ENCODING, &info.Subject, CERT_X500_NAME_STR, text_of_subject.as_mut_ptr(), 64);
        assert_eq!(text(text_of_subject.as_ptr()), "O=portable, CN=127.0.0.1");
        assert_eq!(length as usize, "O=portable, CN=127.0.0.1".len() + 1);

        let mut hash = [0_u8; 32];
        let mut length = 32;
        let read =
            CertGetCertificateContextProperty(context, CERT_SHA256_HASH_PROP_ID, hash.as_mut_ptr().cast(), &mut length);
        assert_eq!((read, length), (1, 32));
        assert_eq!(hash[..], Sha256::digest(&leaf.chain[0])[..]);
        let missing = CertGetCertificateContextProperty(context, CERT_FRIENDLY_NAME_PROP_ID, null_mut(), &mut length);
        assert_eq!((missing, last_error()), (0, 0x8009_2004));

        assert_eq!(CertDuplicateCertificateContext(context), context);
        assert_eq!(CertFreeCertificateContext(context), 1);
        assert_eq!((*context).cbCertEncoded as usize, leaf.chain[0].len());
        assert_eq!(CertFreeCertificateContext(context), 1);
        // What is gone, or was never there, is not followed.
        assert_eq!(CertFreeCertificateContext(context), 1);
        assert!(CertDuplicateCertificateContext(context).is_null());
        assert_eq!(last_error(), 0x8007_0057);
        assert!(CertDuplicateCertificateContext(std::ptr::dangling()).is_null());
    }
}

#[test]
fn the_summary_and_the_connection() {
    let (server, _) = server();
    let get = Get::new(server.port);
    assert_eq!(get.send().error, None);
    let info = query::<WINHTTP_CERTIFICATE_INFO>(get.request, WINHTTP_OPTION_SECURITY_CERTIFICATE_STRUCT).unwrap();
    assert_eq!(text(info.lpszSubjectInfo), "portable\r\n127.0.0.1");
    assert_eq!(text(info.lpszIssuerInfo), "intermediate");
    assert!(info.lpszProtocolName.is_null());
    for name in [info.lpszSubjectInfo, info.lpszIssuerInfo] {
        // SAFETY: allocated for us.
        assert!(unsafe { LocalFree(name.cast()) }.is_null());
    }
    let bits = query::<u32>(get.request, WINHTTP_OPTION_SECURITY_KEY_BITNESS).unwrap();
    assert!(matches!(bits, 128 | 256), "{bits}");
    assert_eq!(info.dwKeySize, bits);
    assert_eq!(
        query::<u32>(get.request, WINHTTP_OPTION_SECURITY_FLAGS),
        Ok(SECURITY_FLAG_SECURE | SECURITY_FLAG_STRENGTH_STRONG)
    );
    let security = query::<[u32; 177]>(get.request, WINHTTP_OPTION_SECURITY_INFO).unwrap();
    assert_eq!((security[0], security[2]), (WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, bits));
    let suite: Vec<u16> = security[11..43].iter().flat_map(|two| [*two as u16, (*two >> 16) as u16]).collect();
    assert!(text(suite.as_ptr()).starts_with("TLS_"), "{}", text(suite.as_ptr()));
    get.close();
}

/// The token of RFC 5929 stands in the caller's buffer, and what points to it too.
#[test]
fn the_channel_binding() {
    let (server, leaf) = server();
    let get = Get::new(server.port);
    assert_eq!(get.send().error, None);
    let mut length = 0;
    // SAFETY: NULL and 0 ask for the length.
    let asked = unsafe { WinHttpQueryOption(get.request, WINHTTP_OPTION_SERVER_CBT, null_mut(), &mut length) };
    assert_eq!((asked, last_error()), (0, 122));
    let mut buffer = vec![0_u64; length as usize / 8 + 1];
    // SAFETY: the buffer has so many bytes, and what is read of it was written by the call.
    unsafe {
        let start = buffer.as_mut_ptr().cast::<u8>();
        assert_eq!(WinHttpQueryOption(get.request, WINHTTP_OPTION_SERVER_CBT, start.cast(), &mut length), 1);
        let SecPkgContext_Bindings { BindingsLength, Bindings } = *start.cast::<SecPkgContext_Bindings>();
        assert_eq!(length as usize, 16 + BindingsLength as usize);
        let SEC_CHANNEL_BINDINGS { cbApplicationDataLength, dwApplicationDataOffset, .. } = *Bindings;
        let token = Bindings.cast::<u8>().add(dwApplicationDataOffset as usize);
        let token = std::slice::from_raw_parts(token, cbApplicationDataLength as usize);
        let expected = [b"tls-server-end-point:".as_slice(), &Sha256::digest(&leaf.chain[0])].concat();
        assert_eq!(token, expected);
    }
    get.close();
}

/// The chain says what is wrong with whom; the certificate of a server that was refused can be asked for, too.
#[test]
fn the_chain_of_a_refused_server() {
    let _ = &*TRUSTED;
    let trusted = [(None, 0, 2)];
    let unknown = [
        (Some(Fault::Authority), CERT_TRUST_IS_PARTIAL_CHAIN, 1),
        (Some(Fault::Expired), CERT_TRUST_IS_NOT_TIME_VALID, 2),
        (Some(Fault::Usage), CERT_TRUST_IS_NOT_VALID_FOR_USAGE, 2),
        (Some(Fault::Name), 0, 2),
    ];
    for (fault, status, length) in trusted.into_iter().chain(unknown) {
        let server = Server::new(certificate(fault.as_slice()).server());
        let get = Get::new(server.port);
        assert_eq!(get.send().error.is_some(), fault.is_some());
        let chain = pointer::<CERT_CHAIN_CONTEXT>(get.request, WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT).unwrap();
        get.close();
        // SAFETY: the chain is alive until it is freed.
        unsafe {
            assert_eq!((*chain).TrustStatus.dwErrorStatus, status, "{fault:?}");
            let simple = &**(*chain).rgpChain;
            assert_eq!(((*chain).cChain, simple.cElement), (1, length), "{fault:?}");
            let first = &**simple.rgpElement;
            // That there is no root is told of the chain alone.
            let of_first = status & !CERT_TRUST_IS_PARTIAL_CHAIN;
            assert_eq!(first.TrustStatus.dwErrorStatus, of_first, "{fault:?}");
            assert_eq!(name(first.pCertContext, CERT_NAME_ATTR_TYPE, 0), "");
            let last = &**simple.rgpElement.add(length as usize - 1);
            if length == 2 {
                assert_eq!(name(last.pCertContext, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0), "trusted");
            }
            assert_eq!(CertDuplicateCertificateChain(chain), chain);
            CertFreeCertificateChain(chain);
            CertFreeCertificateChain(chain);
            CertFreeCertificateChain(chain);
        }
    }
}

/// Stores: what is added is found again, and lives as long as somebody holds it.
#[test]
fn stores() {
    let leaf = certificate(&[]);
    let other = Leaf::self_signed({
        let mut params = parameters("example.org");
        params.distinguished_name.push(DnType::OrganizationalUnitName, "a, b");
        params
    });
    // SAFETY: pointers are to what lives; contexts are followed only while they are held.
    unsafe {
        let store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, null());
        assert!(!store.is_null());
        let add = |der: &[u8], how| {
            let mut added = null_mut();
            let done = CertAddEncodedCertificateToStore(
                store,
                X509_ASN_ENCODING,
                der.as_ptr(),
                der.len() as u32,
                how,
                &mut added,
            );
            if done == 0 { Err(last_error()) } else { Ok(added) }
        };
        assert_eq!(add(b"nonsense", CERT_STORE_ADD_ALWAYS), Err(0x8009_310B));
        let first = add(&leaf.chain[0], CERT_STORE_ADD_NEW).unwrap();
        assert_eq!(add(&leaf.chain[0], CERT_STORE_ADD_NEW), Err(0x8009_2005));
        assert_eq!(add(&leaf.chain[0], CERT_STORE_ADD_USE_EXISTING), Ok(first));
        let second = add(&other.chain[0], CERT_STORE_ADD_REPLACE_EXISTING).unwrap();
        assert_eq!((*first).hCertStore, store);

        let find =
            |kind, para: *const c_void| CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, kind, para, null());
        let part = wide("EXAMPLE");
        let found = find(CERT_FIND_SUBJECT_STR, part.as_ptr().cast());
        assert_eq!(found, second);
        assert_eq!(name(found, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0), "example.org");
        let mut quoted = [0; 64];
        CertNameToStrW(
            X509_ASN_ENCODING,
            &(*(*found).pCertInfo).Subject,
            CERT_X500_NAME_STR | CERT_NAME_STR_REVERSE_FLAG,
            quoted.as_mut_ptr(),
            64,
        );
        assert_eq!(text(quoted.as_ptr()), "OU=\"a, b\", CN=example.org, O=portable");
        assert_eq!(find(CERT_FIND_SUBJECT_CERT, (*first).pCertInfo.cast()), first);
        let mut hash = [0_u8; 20];
        let mut length = 20;
        assert_eq!(
            CertGetCertificateContextProperty(first, CERT_SHA1_HASH_PROP_ID, hash.as_mut_ptr().cast(), &mut length),
            1
        );
        let blob = CRYPT_INTEGER_BLOB { cbData: 20, pbData: hash.as_mut_ptr() };
        assert_eq!(find(CERT_FIND_SHA1_HASH, (&raw const blob).cast()), first);
        assert!(find(CERT_FIND_HAS_PRIVATE_KEY, null()).is_null());
        assert_eq!(last_error(), 0x8009_2004);

        assert_eq!((CertCloseStore(store, CERT_CLOSE_STORE_CHECK_FLAG), last_error()), (0, 0x8009_200F));
        assert_eq!((CertCloseStore(store, 0), last_error()), (0, 0x8007_0057));
        for _ in 0..4 {
            CertFreeCertificateContext(first);
        }
        assert_eq!((*second).cbCertEncoded as usize, other.chain[0].len());
        CertFreeCertificateContext(second);
        CertFreeCertificateContext(second);
        assert!(CertDuplicateCertificateContext(second).is_null());

        // "MY" is one store of the process.
        let my = CertOpenSystemStoreW(0, wide("MY").as_ptr());
        assert_eq!(
            CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, wide("My").as_ptr().cast()),
            my
        );
        assert_eq!(CertOpenSystemStoreA(0, c"my".as_ptr().cast()), my);
        for _ in 0..3 {
            assert_eq!(CertCloseStore(my, 0), 1);
        }
        assert!(CertOpenSystemStoreW(0, wide("SPC").as_ptr()).is_null());
        assert_eq!(last_error(), 2);

        // "ROOT" is the world's, and does not change.
        let root = CertOpenSystemStoreW(0, wide("Root").as_ptr());
        assert!(!root.is_null());
        let der = &leaf.chain[0];
        let put = |how| CertAddEncodedCertificateToStore(root, 1, der.as_ptr(), der.len() as u32, how, null_mut());
        assert_eq!((put(CERT_STORE_ADD_ALWAYS), last_error()), (0, 5));
        let first = CertEnumCertificatesInStore(root, null());
        if !first.is_null() {
            assert_eq!((CertDeleteCertificateFromStore(first), last_error()), (0, 5));
            let again = CertEnumCertificatesInStore(root, null());
            assert_eq!(again, first);
            CertFreeCertificateContext(again);
        }
        assert_eq!(CertCloseStore(root, 0), 1);
    }
}
