//! Chains that a program builds itself, and what policies say of them (sources crypt.chain, crypt.chain-status,
//! crypt.policy-errors).

use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

use rcgen::ExtendedKeyUsagePurpose;
use windows_sys::Win32::Foundation::{
    CERT_E_CHAINING, CERT_E_CN_NO_MATCH, CERT_E_EXPIRED, CERT_E_UNTRUSTEDROOT, CERT_E_WRONG_USAGE, CRYPT_E_REVOKED,
    E_INVALIDARG, ERROR_FILE_NOT_FOUND, FILETIME,
};
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::Security::Cryptography::*;

use crate::certificates::*;
use crate::client::{Get, query};
use crate::revocation;
use crate::server::Server;
use crate::support::{last_error, wide};

const SERVER: &CStr = c"1.3.6.1.5.5.7.3.1";
const CLIENT: &CStr = c"1.3.6.1.5.5.7.3.2";
const OFFLINE: u32 = CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION;
/// Of wininet.h.
const IGNORE_REVOCATION: u32 = 0x80;

/// How a chain is asked for.
#[derive(Clone, Copy)]
struct How<'a> {
    engine: HCERTCHAINENGINE,
    time: Option<FILETIME>,
    usages: (u32, &'a [&'a CStr]),
    flags: u32,
    store: HCERTSTORE,
}

const USUAL: How<'static> = How { engine: null_mut(), time: None, usages: (0, &[]), flags: 0, store: null_mut() };

/// A context of a certificate that is in no store.
fn context(der: &[u8]) -> *mut CERT_CONTEXT {
    // SAFETY: bytes of that length.
    let context = unsafe { CertCreateCertificateContext(X509_ASN_ENCODING, der.as_ptr(), der.len() as u32) };
    assert!(!context.is_null());
    context
}

/// A store of these certificates.
fn store(ders: &[&[u8]]) -> HCERTSTORE {
    // SAFETY: a store in memory; bytes of that length.
    unsafe {
        let store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, null());
        for der in ders {
            let encoding = X509_ASN_ENCODING | PKCS_7_ASN_ENCODING;
            let (bytes, length, how) = (der.as_ptr(), der.len() as u32, CERT_STORE_ADD_NEW);
            assert_eq!(CertAddEncodedCertificateToStore(store, encoding, bytes, length, how, null_mut()), 1);
        }
        store
    }
}

/// A chain, or the last error.
fn chain(certificate: *const CERT_CONTEXT, how: How<'_>) -> Result<*mut CERT_CHAIN_CONTEXT, i32> {
    let mut ids: Vec<*mut u8> = how.usages.1.iter().map(|id| id.as_ptr().cast_mut().cast()).collect();
    let usage = CTL_USAGE { cUsageIdentifier: ids.len() as u32, rgpszUsageIdentifier: ids.as_mut_ptr() };
    let parameters = CERT_CHAIN_PARA {
        cbSize: size_of::<CERT_CHAIN_PARA>() as u32,
        RequestedUsage: CERT_USAGE_MATCH { dwType: how.usages.0, Usage: usage },
        ..Default::default()
    };
    let time = how.time.as_ref().map_or(null(), std::ptr::from_ref);
    let mut chain = null_mut();
    // SAFETY: everything lives until the call returns.
    let built = unsafe {
        CertGetCertificateChain(how.engine, certificate, time, how.store, &parameters, how.flags, null(), &mut chain)
    };
    if built == 1 { Ok(chain) } else { Err(last_error() as i32) }
}

/// What a policy says: the error, and the index of the certificate that has it.
fn policy(chain: *const CERT_CHAIN_CONTEXT, policy: *const c_char, flags: u32, extra: *mut c_void) -> (i32, i32) {
    let size = size_of::<CERT_CHAIN_POLICY_PARA>() as u32;
    let parameters = CERT_CHAIN_POLICY_PARA { cbSize: size, dwFlags: flags, pvExtraPolicyPara: extra };
    let mut status =
        CERT_CHAIN_POLICY_STATUS { cbSize: size_of::<CERT_CHAIN_POLICY_STATUS>() as u32, ..Default::default() };
    // SAFETY: everything lives until the call returns.
    let asked = unsafe { CertVerifyCertificateChainPolicy(policy.cast(), chain, &parameters, &mut status) };
    assert_eq!(asked, 1, "{:#x}", last_error());
    (status.dwError as i32, status.lElementIndex)
}

/// What the policy of TLS says for this server, where these checks are ignored.
fn of_server(chain: *const CERT_CHAIN_CONTEXT, name: &str, ignored: u32) -> (i32, i32) {
    let mut name = wide(name);
    let mut extra = HTTPSPolicyCallbackData {
        Anonymous: HTTPSPolicyCallbackData_0 { cbSize: size_of::<HTTPSPolicyCallbackData>() as u32 },
        dwAuthType: AUTHTYPE_SERVER,
        fdwChecks: ignored,
        pwszServerName: name.as_mut_ptr(),
    };
    policy(chain, CERT_CHAIN_POLICY_SSL.cast(), 0, (&raw mut extra).cast())
}

/// The bits of a chain, then those of each certificate.
fn bits(chain: *const CERT_CHAIN_CONTEXT) -> (u32, Vec<(u32, u32)>) {
    // SAFETY: the chain is alive.
    unsafe {
        let simple = &**(*chain).rgpChain;
        assert_eq!(((*chain).cChain, (*chain).TrustStatus.dwErrorStatus), (1, simple.TrustStatus.dwErrorStatus));
        let elements = std::slice::from_raw_parts(simple.rgpElement, simple.cElement as usize);
        let of = |element: &*mut CERT_CHAIN_ELEMENT| {
            let CERT_TRUST_STATUS { dwErrorStatus, dwInfoStatus } = (**element).TrustStatus;
            (dwErrorStatus, dwInfoStatus)
        };
        (simple.TrustStatus.dwErrorStatus, elements.iter().map(of).collect())
    }
}

fn free(chain: *const CERT_CHAIN_CONTEXT) {
    // SAFETY: nobody uses it any more.
    unsafe { CertFreeCertificateChain(chain) };
}

/// As clients do it: the certificate of the server that answered or was refused, the store that came with it, the chain, and
/// the policy of TLS.
#[test]
fn of_the_certificate_of_a_server() {
    let _ = &*TRUSTED;
    let (ca, date) = (SECURITY_FLAG_IGNORE_UNKNOWN_CA, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID);
    let (usage, name) = (SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE, SECURITY_FLAG_IGNORE_CERT_CN_INVALID);
    let rows = [
        (None, 0, (0, -1), 0),
        (Some(Fault::Authority), CERT_TRUST_IS_PARTIAL_CHAIN, (CERT_E_CHAINING, -1), ca),
        (Some(Fault::Expired), CERT_TRUST_IS_NOT_TIME_VALID, (CERT_E_EXPIRED, 0), date),
        (Some(Fault::NotYetValid), CERT_TRUST_IS_NOT_TIME_VALID, (CERT_E_EXPIRED, 0), date),
        (Some(Fault::Usage), CERT_TRUST_IS_NOT_VALID_FOR_USAGE, (CERT_E_WRONG_USAGE, 0), usage),
        (Some(Fault::Name), 0, (CERT_E_CN_NO_MATCH, 0), name),
    ];
    for (fault, status, refusal, ignored) in rows {
        let server = Server::new(certificate(fault.as_slice()).server());
        let get = Get::new(server.port);
        assert_eq!(get.send().error.is_some(), fault.is_some());
        let context = query::<*mut CERT_CONTEXT>(get.request, WINHTTP_OPTION_SERVER_CERT_CONTEXT).unwrap();
        get.close();
        // SAFETY: the context is alive.
        let store = unsafe { (*context).hCertStore };
        let chain = chain(context, How { store, usages: (USAGE_MATCH_TYPE_OR, &[SERVER]), ..USUAL }).unwrap();
        // SAFETY: the chain holds what it needs.
        unsafe { CertFreeCertificateContext(context) };
        assert_eq!(bits(chain).0, status, "{fault:?}");
        assert_eq!(of_server(chain, "127.0.0.1", 0), refusal, "{fault:?}");
        assert_eq!(of_server(chain, "127.0.0.1", ignored), (0, -1), "{fault:?}");
        // Without a name, and without anything more, nobody looks at it.
        let base = if fault == Some(Fault::Name) { (0, -1) } else { refusal };
        assert_eq!(policy(chain, CERT_CHAIN_POLICY_SSL.cast(), 0, null_mut()), base, "{fault:?}");
        assert_eq!(policy(chain, CERT_CHAIN_POLICY_BASE.cast(), 0, null_mut()), base, "{fault:?}");
        free(chain);
    }
}

/// Where several things are wrong a policy tells the first that it does not ignore.
#[test]
fn several_faults() {
    let leaf = certificate(&[Fault::Expired, Fault::Name, Fault::Usage]);
    let context = context(&leaf.chain[0]);
    let chain = chain(context, How { usages: (USAGE_MATCH_TYPE_AND, &[SERVER]), ..USUAL }).unwrap();
    let (usage, date) = (SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID);
    for (ignored, refusal) in [(0, CERT_E_WRONG_USAGE), (usage, CERT_E_EXPIRED), (usage | date, CERT_E_CN_NO_MATCH)] {
        assert_eq!(of_server(chain, "127.0.0.1", ignored), (refusal, 0));
    }
    let flags = CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG | CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG;
    assert_eq!(policy(chain, CERT_CHAIN_POLICY_BASE.cast(), flags, null_mut()), (0, -1));
    free(chain);
    // SAFETY: nobody uses it any more.
    unsafe { CertFreeCertificateContext(context) };
}

/// Usages, all or one; none is asked for where none is named. The time is what the program says.
#[test]
fn usages_and_times() {
    let mut params = parameters("a.test");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let context = context(&Leaf::signed(params, &TRUSTED).chain[0]);
    let wrong = CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
    let rows: [(u32, &[&CStr], u32); 6] = [
        (USAGE_MATCH_TYPE_AND, &[], 0),
        (USAGE_MATCH_TYPE_OR, &[], 0),
        (USAGE_MATCH_TYPE_AND, &[SERVER, CLIENT], wrong),
        (USAGE_MATCH_TYPE_OR, &[SERVER, CLIENT], 0),
        (USAGE_MATCH_TYPE_OR, &[CLIENT], wrong),
        (USAGE_MATCH_TYPE_AND, &[c"no identifier"], wrong),
    ];
    for (kind, ids, expected) in rows {
        let chain = chain(context, How { usages: (kind, ids), ..USUAL }).unwrap();
        assert_eq!(bits(chain).0, expected, "{kind} {ids:?}");
        free(chain);
    }
    // 1601, long before the certificate.
    let chain = chain(context, How { time: Some(FILETIME { dwLowDateTime: 1, dwHighDateTime: 0 }), ..USUAL }).unwrap();
    assert_eq!(bits(chain).0, CERT_TRUST_IS_NOT_TIME_VALID);
    free(chain);
    // SAFETY: nobody uses it any more.
    unsafe { CertFreeCertificateContext(context) };
}

/// The intermediate is in the additional store or missing; a root that nobody trusts is told as one.
#[test]
fn stores_and_roots() {
    let middle = intermediate(&UNKNOWN, |_| {});
    let leaf = Leaf::signed(parameters("a.test"), &middle);
    let (context, unknown) = (context(&leaf.chain[0]), der(&UNKNOWN));
    let preferred = CERT_TRUST_HAS_PREFERRED_ISSUER;
    let (by_name, itself) = (preferred | CERT_TRUST_HAS_NAME_MATCH_ISSUER, CERT_TRUST_IS_SELF_SIGNED);
    let middle = der(&middle);
    let rows = [
        (vec![], CERT_TRUST_IS_PARTIAL_CHAIN, vec![(0, 0)]),
        (vec![&middle], CERT_TRUST_IS_PARTIAL_CHAIN, vec![(0, by_name), (0, 0)]),
        (
            vec![&middle, &unknown],
            CERT_TRUST_IS_UNTRUSTED_ROOT,
            vec![(0, by_name), (0, by_name), (CERT_TRUST_IS_UNTRUSTED_ROOT, by_name | itself)],
        ),
    ];
    for (others, whole, elements) in rows {
        let store = store(&others.iter().map(|der| der.as_ref()).collect::<Vec<_>>());
        let chain = chain(context, How { store, ..USUAL }).unwrap();
        assert_eq!(bits(chain), (whole, elements));
        let unknown = (CERT_E_UNTRUSTEDROOT, 2);
        let refusal = if whole == CERT_TRUST_IS_UNTRUSTED_ROOT { unknown } else { (CERT_E_CHAINING, -1) };
        assert_eq!(of_server(chain, "a.test", 0), refusal);
        let flags = CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG;
        assert_eq!(policy(chain, CERT_CHAIN_POLICY_SSL.cast(), flags, null_mut()), (0, -1));
        free(chain);
        // SAFETY: nobody uses it any more.
        unsafe { CertCloseStore(store, 0) };
    }
    // SAFETY: the same.
    unsafe { CertFreeCertificateContext(context) };
}

/// An engine trusts whom it is told to trust: exclusive roots and nobody else, restricted ones of the usual. As
/// azure-sdk-for-cpp does it with certificates that the application trusts.
#[test]
fn engines() {
    let (trusted, unknown) = (der(&TRUSTED), der(&UNKNOWN));
    let of = |authority: &Authority| context(&Leaf::signed(parameters("a.test"), authority).chain[0]);
    let (good, bad) = (of(&TRUSTED), of(&UNKNOWN));
    let rows = [("exclusive", &unknown, false, true), ("restricted", &trusted, true, false)];
    for (kind, root, of_trusted, of_unknown) in
        rows.into_iter().chain([("restricted", &unknown, false, false), ("exclusive", &trusted, true, false)])
    {
        let store = store(&[root]);
        let none = null_mut();
        let (exclusive, restricted) = if kind == "exclusive" { (store, none) } else { (none, store) };
        let config = CERT_CHAIN_ENGINE_CONFIG {
            cbSize: size_of::<CERT_CHAIN_ENGINE_CONFIG>() as u32,
            hRestrictedRoot: restricted,
            hExclusiveRoot: exclusive,
            dwFlags: CERT_CHAIN_ENABLE_CACHE_AUTO_UPDATE | CERT_CHAIN_ENABLE_SHARE_STORE,
            ..Default::default()
        };
        let mut engine = null_mut();
        // SAFETY: a configuration; the engine holds the store.
        unsafe {
            assert_eq!(CertCreateCertificateChainEngine(&config, &mut engine), 1);
            assert_eq!(CertCloseStore(store, 0), 1);
        }
        for (certificate, trusts) in [(good, of_trusted), (bad, of_unknown)] {
            let chain = chain(certificate, How { engine, ..USUAL }).unwrap();
            assert_eq!(bits(chain).0 == 0, trusts, "{kind} {of_trusted} {of_unknown}");
            free(chain);
        }
        // SAFETY: freed once; then it is none.
        unsafe { CertFreeCertificateChainEngine(engine) };
        assert_eq!(chain(good, How { engine, ..USUAL }), Err(E_INVALIDARG));
    }
    // SAFETY: nobody uses them any more.
    unsafe {
        CertFreeCertificateContext(good);
        CertFreeCertificateContext(bad);
    }
}

/// Lists are fetched for whom the flags name; what nobody can tell is ignored by the flag of its certificate.
#[test]
fn revocation_is_looked_for_if_asked() {
    let (end, all) = (CERT_CHAIN_REVOCATION_CHECK_END_CERT, CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT);
    let revoked = revocation::leaf(&[revocation::SERIAL]);
    let fine = revocation::leaf(&[]);
    let silent = certificate(&[]);
    let rows = [
        (&revoked, 0, 0, 0),
        (&revoked, end, CERT_TRUST_IS_REVOKED, CRYPT_E_REVOKED),
        (&revoked, all, CERT_TRUST_IS_REVOKED, CRYPT_E_REVOKED),
        (&fine, all | CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY, OFFLINE, 0),
        (&fine, end, 0, 0),
        (&fine, all | CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY, 0, 0),
        (&silent, end, OFFLINE, 0),
    ];
    for (at, (leaf, flags, expected, refusal)) in rows.into_iter().enumerate() {
        let context = context(&leaf.chain[0]);
        let chain = chain(context, How { flags, ..USUAL }).unwrap();
        let (whole, elements) = bits(chain);
        assert_eq!((whole, elements[0].0), (expected, expected), "row {at}");
        let unknown = CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG;
        assert_eq!(policy(chain, CERT_CHAIN_POLICY_BASE.cast(), unknown, null_mut()).0, refusal, "row {at}");
        assert_eq!(of_server(chain, "127.0.0.1", IGNORE_REVOCATION), (0, -1), "row {at}");
        free(chain);
        // SAFETY: nobody uses it any more.
        unsafe { CertFreeCertificateContext(context) };
    }
}

/// Arguments that are none, and policies that are not here.
#[test]
fn what_is_refused() {
    let _ = &*TRUSTED;
    let context = context(&certificate(&[]).chain[0]);
    assert_eq!(chain(null(), USUAL), Err(E_INVALIDARG));
    assert_eq!(chain(context, How { engine: std::ptr::without_provenance_mut(12), ..USUAL }), Err(E_INVALIDARG));
    let chain = chain(context, USUAL).unwrap();
    let mut status = CERT_CHAIN_POLICY_STATUS::default();
    // SAFETY: NULL, and what is alive.
    unsafe {
        let verify = |policy: *const u8, chain: *const CERT_CHAIN_CONTEXT, status| {
            let asked = CertVerifyCertificateChainPolicy(policy, chain, null(), status);
            if asked == 1 { Ok(()) } else { Err(last_error()) }
        };
        assert_eq!(verify(CERT_CHAIN_POLICY_BASE, chain, &mut status), Ok(()));
        assert_eq!(verify(CERT_CHAIN_POLICY_BASE, null(), &mut status), Err(E_INVALIDARG as u32));
        assert_eq!(verify(CERT_CHAIN_POLICY_BASE, chain, null_mut()), Err(E_INVALIDARG as u32));
        assert_eq!(verify(CERT_CHAIN_POLICY_AUTHENTICODE, chain, &mut status), Err(ERROR_FILE_NOT_FOUND));
        CertFreeCertificateContext(context);
    }
    free(chain);
}

/// A chain is found by the names of whom a server trusts, as libHttpClient does it.
#[test]
fn chains_of_client_certificates() {
    let mut params = parameters("client");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = Leaf::signed(params, &TRUSTED).with(&[der(&TRUSTED)]);
    let pem = leaf.pem();
    let identity = portable_winhttp::api::ClientCertificate::from_pem(pem.as_bytes(), pem.as_bytes()).unwrap();
    let keyed: *const CERT_CONTEXT = identity.context().cast();
    let other = context(&certificate(&[]).chain[0]);
    let store = store(&[]);
    // SAFETY: contexts that are alive; everything lives until the calls return.
    unsafe {
        for context in [other.cast_const(), keyed] {
            assert_eq!(CertAddCertificateContextToStore(store, context, CERT_STORE_ADD_NEW, null_mut()), 1);
        }
        let mut names: Vec<_> = [&*TRUSTED, &*UNKNOWN].map(|authority| self::context(&der(authority))).into();
        let find = |issuer: *const CERT_CONTEXT, usage: &CStr, previous| {
            let mut name = (*(*issuer).pCertInfo).Subject;
            let wanted = CERT_CHAIN_FIND_BY_ISSUER_PARA {
                cbSize: size_of::<CERT_CHAIN_FIND_BY_ISSUER_PARA>() as u32,
                pszUsageIdentifier: usage.as_ptr().cast(),
                cIssuer: 1,
                rgIssuer: &mut name,
                ..Default::default()
            };
            let kind = CERT_CHAIN_FIND_BY_ISSUER;
            CertFindChainInStore(store, X509_ASN_ENCODING, 0, kind, (&raw const wanted).cast(), previous)
        };
        assert!(find(names[1], CLIENT, null()).is_null());
        assert!(find(names[0], SERVER, null()).is_null());
        let found = find(names[0], CLIENT, null());
        let first = (**(**(*found).rgpChain).rgpElement).pCertContext;
        assert_eq!((*first).cbCertEncoded, (*keyed).cbCertEncoded);
        // It has its key: a request can be given it.
        let get = Get::new(1);
        let (option, size) = (WINHTTP_OPTION_CLIENT_CERT_CONTEXT, size_of::<CERT_CONTEXT>() as u32);
        assert_eq!(WinHttpSetOption(get.request, option, first.cast(), size), 1);
        get.close();
        assert!(find(names[0], CLIENT, found).is_null());
        assert_eq!(last_error(), 0x8009_2004);
        names.push(other);
        for context in names {
            CertFreeCertificateContext(context);
        }
        CertCloseStore(store, 0);
    }
}
