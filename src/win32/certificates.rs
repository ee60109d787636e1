//! The structures and numbers of wincrypt.h and sspi.h that WinHTTP hands out or takes.
//!
//! Fields carry Windows' names and meaning; their pages are named `ns-wincrypt-...` and `ns-schannel-...`. Tests compare
//! sizes and offsets with `windows-sys`.
#![allow(non_camel_case_types, non_snake_case, missing_docs)]

use std::ffi::c_void;

use super::{BOOL, FILETIME, GUID, PCSTR, PSTR, PWSTR, Win32Error};

/// A certificate store.
pub type HCERTSTORE = *mut c_void;

/// How chains are built: NULL is the usual way.
pub type HCERTCHAINENGINE = *mut c_void;

/// Chooses among certificates (PFN_CERT_CHAIN_FIND_BY_ISSUER_CALLBACK).
pub type RawFindByIssuer = unsafe extern "system" fn(pcert: *const CERT_CONTEXT, pvfindarg: *mut c_void) -> BOOL;

/// Bytes and their number: CRYPT_DATA_BLOB, CERT_NAME_BLOB, CRYPT_HASH_BLOB.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CRYPT_INTEGER_BLOB {
    pub cbData: u32,
    pub pbData: *mut u8,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CRYPT_BIT_BLOB {
    pub cbData: u32,
    pub pbData: *mut u8,
    pub cUnusedBits: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CRYPT_ALGORITHM_IDENTIFIER {
    pub pszObjId: PSTR,
    pub Parameters: CRYPT_INTEGER_BLOB,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_PUBLIC_KEY_INFO {
    pub Algorithm: CRYPT_ALGORITHM_IDENTIFIER,
    pub PublicKey: CRYPT_BIT_BLOB,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_EXTENSION {
    pub pszObjId: PSTR,
    pub fCritical: BOOL,
    pub Value: CRYPT_INTEGER_BLOB,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_INFO {
    pub dwVersion: u32,
    pub SerialNumber: CRYPT_INTEGER_BLOB,
    pub SignatureAlgorithm: CRYPT_ALGORITHM_IDENTIFIER,
    pub Issuer: CRYPT_INTEGER_BLOB,
    pub NotBefore: FILETIME,
    pub NotAfter: FILETIME,
    pub Subject: CRYPT_INTEGER_BLOB,
    pub SubjectPublicKeyInfo: CERT_PUBLIC_KEY_INFO,
    pub IssuerUniqueId: CRYPT_BIT_BLOB,
    pub SubjectUniqueId: CRYPT_BIT_BLOB,
    pub cExtension: u32,
    pub rgExtension: *mut CERT_EXTENSION,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CONTEXT {
    pub dwCertEncodingType: u32,
    pub pbCertEncoded: *mut u8,
    pub cbCertEncoded: u32,
    pub pCertInfo: *mut CERT_INFO,
    pub hCertStore: HCERTSTORE,
}
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CERT_TRUST_STATUS {
    pub dwErrorStatus: u32,
    pub dwInfoStatus: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CHAIN_ELEMENT {
    pub cbSize: u32,
    pub pCertContext: *const CERT_CONTEXT,
    pub TrustStatus: CERT_TRUST_STATUS,
    pub pRevocationInfo: *mut c_void,
    pub pIssuanceUsage: *mut c_void,
    pub pApplicationUsage: *mut c_void,
    pub pwszExtendedErrorInfo: *const u16,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_SIMPLE_CHAIN {
    pub cbSize: u32,
    pub TrustStatus: CERT_TRUST_STATUS,
    pub cElement: u32,
    pub rgpElement: *mut *mut CERT_CHAIN_ELEMENT,
    pub pTrustListInfo: *mut c_void,
    pub fHasRevocationFreshnessTime: BOOL,
    pub dwRevocationFreshnessTime: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CHAIN_CONTEXT {
    pub cbSize: u32,
    pub TrustStatus: CERT_TRUST_STATUS,
    pub cChain: u32,
    pub rgpChain: *mut *mut CERT_SIMPLE_CHAIN,
    pub cLowerQualityChainContext: u32,
    pub rgpLowerQualityChainContext: *mut *mut CERT_CHAIN_CONTEXT,
    pub fHasRevocationFreshnessTime: BOOL,
    pub dwRevocationFreshnessTime: u32,
    pub dwCreateFlags: u32,
    pub ChainId: GUID,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CTL_USAGE {
    pub cUsageIdentifier: u32,
    pub rgpszUsageIdentifier: *mut PSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_USAGE_MATCH {
    pub dwType: u32,
    pub Usage: CTL_USAGE,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CHAIN_PARA {
    pub cbSize: u32,
    pub RequestedUsage: CERT_USAGE_MATCH,
    pub RequestedIssuancePolicy: CERT_USAGE_MATCH,
    pub dwUrlRetrievalTimeout: u32,
    pub fCheckRevocationFreshnessTime: BOOL,
    pub dwRevocationFreshnessTime: u32,
    pub pftCacheResync: *mut FILETIME,
    pub pStrongSignPara: *mut c_void,
    pub dwStrongSignFlags: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CHAIN_ENGINE_CONFIG {
    pub cbSize: u32,
    pub hRestrictedRoot: HCERTSTORE,
    pub hRestrictedTrust: HCERTSTORE,
    pub hRestrictedOther: HCERTSTORE,
    pub cAdditionalStore: u32,
    pub rghAdditionalStore: *mut HCERTSTORE,
    pub dwFlags: u32,
    pub dwUrlRetrievalTimeout: u32,
    pub MaximumCachedCertificates: u32,
    pub CycleDetectionModulus: u32,
    pub hExclusiveRoot: HCERTSTORE,
    pub hExclusiveTrustedPeople: HCERTSTORE,
    pub dwExclusiveFlags: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CHAIN_POLICY_PARA {
    pub cbSize: u32,
    pub dwFlags: u32,
    pub pvExtraPolicyPara: *mut c_void,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CHAIN_POLICY_STATUS {
    pub cbSize: u32,
    pub dwError: u32,
    pub lChainIndex: i32,
    pub lElementIndex: i32,
    pub pvExtraPolicyStatus: *mut c_void,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CERT_CHAIN_FIND_BY_ISSUER_PARA {
    pub cbSize: u32,
    pub pszUsageIdentifier: PCSTR,
    pub dwKeySpec: u32,
    pub dwAcquirePrivateKeyFlags: u32,
    pub cIssuer: u32,
    pub rgIssuer: *mut CRYPT_INTEGER_BLOB,
    pub pfnFindCallback: Option<RawFindByIssuer>,
    pub pvFindArg: *mut c_void,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub union HTTPSPolicyCallbackData_0 {
    pub cbStruct: u32,
    pub cbSize: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HTTPSPolicyCallbackData {
    pub Anonymous: HTTPSPolicyCallbackData_0,
    pub dwAuthType: u32,
    pub fdwChecks: u32,
    pub pwszServerName: PWSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SecPkgContext_IssuerListInfoEx {
    pub aIssuers: *mut CRYPT_INTEGER_BLOB,
    pub cIssuers: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SecPkgContext_Bindings {
    pub BindingsLength: u32,
    pub Bindings: *mut SEC_CHANNEL_BINDINGS,
}
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SEC_CHANNEL_BINDINGS {
    pub dwInitiatorAddrType: u32,
    pub cbInitiatorLength: u32,
    pub dwInitiatorOffset: u32,
    pub dwAcceptorAddrType: u32,
    pub cbAcceptorLength: u32,
    pub dwAcceptorOffset: u32,
    pub cbApplicationDataLength: u32,
    pub dwApplicationDataOffset: u32,
}
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecPkgContext_ConnectionInfo {
    pub dwProtocol: u32,
    pub aiCipher: u32,
    pub dwCipherStrength: u32,
    pub aiHash: u32,
    pub dwHashStrength: u32,
    pub aiExch: u32,
    pub dwExchStrength: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SecPkgContext_CipherInfo {
    pub dwVersion: u32,
    pub dwProtocol: u32,
    pub dwCipherSuite: u32,
    pub dwBaseCipherSuite: u32,
    pub szCipherSuite: [u16; 64],
    pub szCipher: [u16; 64],
    pub dwCipherLen: u32,
    pub dwCipherBlockLen: u32,
    pub szHash: [u16; 64],
    pub dwHashLen: u32,
    pub szExchange: [u16; 64],
    pub dwMinExchangeLen: u32,
    pub dwMaxExchangeLen: u32,
    pub szCertificate: [u16; 64],
    pub dwKeyType: u32,
}
/// `WINHTTP_SECURITY_INFO` of newer SDKs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_SECURITY_INFO {
    pub ConnectionInfo: SecPkgContext_ConnectionInfo,
    pub CipherInfo: SecPkgContext_CipherInfo,
}

pub const X509_ASN_ENCODING: u32 = 1;
pub const PKCS_7_ASN_ENCODING: u32 = 0x10000;

pub const CERT_STORE_PROV_MEMORY: usize = 2;
pub const CERT_STORE_PROV_SYSTEM_A: usize = 9;
pub const CERT_STORE_PROV_SYSTEM_W: usize = 10;
pub const CERT_CLOSE_STORE_CHECK_FLAG: u32 = 2;

pub const CERT_STORE_ADD_NEW: u32 = 1;
pub const CERT_STORE_ADD_USE_EXISTING: u32 = 2;
pub const CERT_STORE_ADD_REPLACE_EXISTING: u32 = 3;
pub const CERT_STORE_ADD_ALWAYS: u32 = 4;

pub const CERT_FIND_ANY: u32 = 0;
pub const CERT_FIND_SHA1_HASH: u32 = 0x10000;
pub const CERT_FIND_ISSUER_NAME: u32 = 0x20004;
pub const CERT_FIND_SUBJECT_NAME: u32 = 0x20007;
pub const CERT_FIND_ISSUER_STR_A: u32 = 0x70004;
pub const CERT_FIND_SUBJECT_STR_A: u32 = 0x70007;
pub const CERT_FIND_ISSUER_STR_W: u32 = 0x80004;
pub const CERT_FIND_SUBJECT_STR_W: u32 = 0x80007;
pub const CERT_FIND_SUBJECT_CERT: u32 = 0xB0000;
pub const CERT_FIND_ISSUER_OF: u32 = 0xC0000;
pub const CERT_FIND_EXISTING: u32 = 0xD0000;
pub const CERT_FIND_HAS_PRIVATE_KEY: u32 = 0x15_0000;

pub const CERT_SHA1_HASH_PROP_ID: u32 = 3;
pub const CERT_MD5_HASH_PROP_ID: u32 = 4;
pub const CERT_FRIENDLY_NAME_PROP_ID: u32 = 11;
pub const CERT_KEY_IDENTIFIER_PROP_ID: u32 = 20;
pub const CERT_SHA256_HASH_PROP_ID: u32 = 107;

pub const CERT_NAME_EMAIL_TYPE: u32 = 1;
pub const CERT_NAME_RDN_TYPE: u32 = 2;
pub const CERT_NAME_ATTR_TYPE: u32 = 3;
pub const CERT_NAME_SIMPLE_DISPLAY_TYPE: u32 = 4;
pub const CERT_NAME_FRIENDLY_DISPLAY_TYPE: u32 = 5;
pub const CERT_NAME_DNS_TYPE: u32 = 6;
pub const CERT_NAME_URL_TYPE: u32 = 7;
pub const CERT_NAME_UPN_TYPE: u32 = 8;
pub const CERT_NAME_ISSUER_FLAG: u32 = 1;

pub const CERT_SIMPLE_NAME_STR: u32 = 1;
pub const CERT_OID_NAME_STR: u32 = 2;
pub const CERT_X500_NAME_STR: u32 = 3;
pub const CERT_NAME_STR_REVERSE_FLAG: u32 = 0x0200_0000;
pub const CERT_NAME_STR_CRLF_FLAG: u32 = 0x0800_0000;
pub const CERT_NAME_STR_NO_QUOTING_FLAG: u32 = 0x1000_0000;
pub const CERT_NAME_STR_NO_PLUS_FLAG: u32 = 0x2000_0000;
pub const CERT_NAME_STR_SEMICOLON_FLAG: u32 = 0x4000_0000;

pub const CERT_STORE_CREATE_NEW_FLAG: u32 = 0x2000;
pub const CERT_STORE_OPEN_EXISTING_FLAG: u32 = 0x4000;
pub const CERT_STORE_READONLY_FLAG: u32 = 0x8000;
pub const CERT_SYSTEM_STORE_CURRENT_USER: u32 = 0x10000;
pub const CERT_SYSTEM_STORE_LOCAL_MACHINE: u32 = 0x20000;

pub const USAGE_MATCH_TYPE_AND: u32 = 0;
pub const USAGE_MATCH_TYPE_OR: u32 = 1;
pub const CERT_CHAIN_CACHE_END_CERT: u32 = 0x1;
pub const CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL: u32 = 0x4;
pub const CERT_CHAIN_USE_LOCAL_MACHINE_STORE: u32 = 0x8;
pub const CERT_CHAIN_ENABLE_CACHE_AUTO_UPDATE: u32 = 0x10;
pub const CERT_CHAIN_ENABLE_SHARE_STORE: u32 = 0x20;
pub const CERT_CHAIN_DISABLE_PASS1_QUALITY_FILTERING: u32 = 0x40;
pub const CERT_CHAIN_RETURN_LOWER_QUALITY_CONTEXTS: u32 = 0x80;
pub const CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE: u32 = 0x100;
pub const CERT_CHAIN_TIMESTAMP_TIME: u32 = 0x200;
pub const CERT_CHAIN_DISABLE_AIA: u32 = 0x2000;
pub const CERT_CHAIN_REVOCATION_ACCUMULATIVE_TIMEOUT: u32 = 0x0800_0000;
pub const CERT_CHAIN_REVOCATION_CHECK_END_CERT: u32 = 0x1000_0000;
pub const CERT_CHAIN_REVOCATION_CHECK_CHAIN: u32 = 0x2000_0000;
pub const CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT: u32 = 0x4000_0000;
pub const CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY: u32 = 0x8000_0000;
pub const CERT_CHAIN_FIND_BY_ISSUER: u32 = 1;
pub const CERT_CHAIN_FIND_BY_ISSUER_COMPARE_KEY_FLAG: u32 = 0x1;
pub const CERT_CHAIN_FIND_BY_ISSUER_COMPLEX_CHAIN_FLAG: u32 = 0x2;
pub const CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_URL_FLAG: u32 = 0x4;
pub const CERT_CHAIN_FIND_BY_ISSUER_LOCAL_MACHINE_FLAG: u32 = 0x8;
pub const CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG: u32 = 0x4000;
pub const CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_FLAG: u32 = 0x8000;
pub const CERT_CHAIN_POLICY_BASE: usize = 1;
pub const CERT_CHAIN_POLICY_AUTHENTICODE: usize = 2;
pub const CERT_CHAIN_POLICY_SSL: usize = 4;
pub const CERT_CHAIN_POLICY_BASIC_CONSTRAINTS: usize = 5;
pub const CERT_CHAIN_POLICY_NT_AUTH: usize = 6;
pub const CERT_CHAIN_POLICY_MICROSOFT_ROOT: usize = 7;
pub const CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG: u32 = 0x1;
pub const CERT_CHAIN_POLICY_IGNORE_CTL_NOT_TIME_VALID_FLAG: u32 = 0x2;
pub const CERT_CHAIN_POLICY_IGNORE_NOT_TIME_NESTED_FLAG: u32 = 0x4;
pub const CERT_CHAIN_POLICY_IGNORE_ALL_NOT_TIME_VALID_FLAGS: u32 = 0x7;
pub const CERT_CHAIN_POLICY_IGNORE_INVALID_BASIC_CONSTRAINTS_FLAG: u32 = 0x8;
pub const CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG: u32 = 0x10;
pub const CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG: u32 = 0x20;
pub const CERT_CHAIN_POLICY_IGNORE_INVALID_NAME_FLAG: u32 = 0x40;
pub const CERT_CHAIN_POLICY_IGNORE_INVALID_POLICY_FLAG: u32 = 0x80;
pub const CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG: u32 = 0x100;
pub const CERT_CHAIN_POLICY_IGNORE_CTL_SIGNER_REV_UNKNOWN_FLAG: u32 = 0x200;
pub const CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG: u32 = 0x400;
pub const CERT_CHAIN_POLICY_IGNORE_ROOT_REV_UNKNOWN_FLAG: u32 = 0x800;
pub const CERT_CHAIN_POLICY_IGNORE_ALL_REV_UNKNOWN_FLAGS: u32 = 0xF00;
pub const AUTHTYPE_CLIENT: u32 = 1;
pub const AUTHTYPE_SERVER: u32 = 2;
/// Of the checks of TLS in CertVerifyCertificateChainPolicy.
pub const SECURITY_FLAG_IGNORE_REVOCATION: u32 = 0x80;

pub const CERT_TRUST_NO_ERROR: u32 = 0;
pub const CERT_TRUST_IS_NOT_TIME_VALID: u32 = 0x1;
pub const CERT_TRUST_IS_REVOKED: u32 = 0x4;
pub const CERT_TRUST_IS_NOT_SIGNATURE_VALID: u32 = 0x8;
pub const CERT_TRUST_IS_NOT_VALID_FOR_USAGE: u32 = 0x10;
pub const CERT_TRUST_IS_UNTRUSTED_ROOT: u32 = 0x20;
pub const CERT_TRUST_REVOCATION_STATUS_UNKNOWN: u32 = 0x40;
pub const CERT_TRUST_IS_CYCLIC: u32 = 0x80;
pub const CERT_TRUST_INVALID_EXTENSION: u32 = 0x100;
pub const CERT_TRUST_INVALID_POLICY_CONSTRAINTS: u32 = 0x200;
pub const CERT_TRUST_INVALID_BASIC_CONSTRAINTS: u32 = 0x400;
pub const CERT_TRUST_INVALID_NAME_CONSTRAINTS: u32 = 0x800;
pub const CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT: u32 = 0x1000;
pub const CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT: u32 = 0x2000;
pub const CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT: u32 = 0x4000;
pub const CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT: u32 = 0x8000;
pub const CERT_TRUST_CTL_IS_NOT_TIME_VALID: u32 = 0x20000;
pub const CERT_TRUST_CTL_IS_NOT_SIGNATURE_VALID: u32 = 0x40000;
pub const CERT_TRUST_CTL_IS_NOT_VALID_FOR_USAGE: u32 = 0x80000;
pub const CERT_TRUST_HAS_WEAK_SIGNATURE: u32 = 0x10_0000;
pub const CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY: u32 = 0x0200_0000;
pub const CERT_TRUST_IS_EXPLICIT_DISTRUST: u32 = 0x0400_0000;
pub const CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT: u32 = 0x0800_0000;
pub const CERT_TRUST_HAS_EXACT_MATCH_ISSUER: u32 = 0x1;
pub const CERT_TRUST_HAS_KEY_MATCH_ISSUER: u32 = 0x2;
pub const CERT_TRUST_HAS_PREFERRED_ISSUER: u32 = 0x100;
pub const CERT_TRUST_IS_PARTIAL_CHAIN: u32 = 0x10000;
pub const CERT_TRUST_IS_OFFLINE_REVOCATION: u32 = 0x0100_0000;
pub const CERT_TRUST_HAS_NAME_MATCH_ISSUER: u32 = 0x4;
pub const CERT_TRUST_IS_SELF_SIGNED: u32 = 0x8;

/// The last error of crypt32 functions: the password is wrong.
pub const ERROR_INVALID_PASSWORD: Win32Error = Win32Error(86);
/// The last error of crypt32 functions: the buffer is too small.
pub const ERROR_MORE_DATA: Win32Error = Win32Error(234);
/// The last error of crypt32 functions: an object is not there.
pub const CRYPT_E_NOT_FOUND: Win32Error = Win32Error(0x8009_2004);
/// The last error of crypt32 functions: an object is there already.
pub const CRYPT_E_EXISTS: Win32Error = Win32Error(0x8009_2005);
/// The last error of crypt32 functions: a store was closed while some of its certificates are in use.
pub const CRYPT_E_PENDING_CLOSE: Win32Error = Win32Error(0x8009_200F);
/// Of a chain: a certificate was revoked.
pub const CRYPT_E_REVOKED: Win32Error = Win32Error(0x8009_2010);
/// Of a chain: nothing tells whether a certificate was revoked.
pub const CRYPT_E_NO_REVOCATION_CHECK: Win32Error = Win32Error(0x8009_2012);
/// Of a chain: what would tell whether a certificate was revoked cannot be had.
pub const CRYPT_E_REVOCATION_OFFLINE: Win32Error = Win32Error(0x8009_2013);
/// Of a chain: a signature is wrong.
pub const TRUST_E_CERT_SIGNATURE: Win32Error = Win32Error(0x8009_6004);
/// Of a chain: a basic constraint is not kept.
pub const TRUST_E_BASIC_CONSTRAINTS: Win32Error = Win32Error(0x8009_6019);
/// Of a chain: a certificate is not valid at this time.
pub const CERT_E_EXPIRED: Win32Error = Win32Error(0x800B_0101);
/// Of a chain: validity periods do not lie within each other.
pub const CERT_E_VALIDITYPERIODNESTING: Win32Error = Win32Error(0x800B_0102);
/// Of a chain: a certificate is used as what it is not.
pub const CERT_E_ROLE: Win32Error = Win32Error(0x800B_0103);
/// Of a chain: an extension is critical and unknown.
pub const CERT_E_CRITICAL: Win32Error = Win32Error(0x800B_0105);
/// Of a chain: a certificate is for another purpose.
pub const CERT_E_PURPOSE: Win32Error = Win32Error(0x800B_0106);
/// Of a chain: its root is not trusted.
pub const CERT_E_UNTRUSTEDROOT: Win32Error = Win32Error(0x800B_0109);
/// Of a chain: it leads to no root.
pub const CERT_E_CHAINING: Win32Error = Win32Error(0x800B_010A);
/// Of a chain: a certificate was revoked explicitly.
pub const CERT_E_REVOKED: Win32Error = Win32Error(0x800B_010C);
/// Of a chain: its root is one for tests.
pub const CERT_E_UNTRUSTEDTESTROOT: Win32Error = Win32Error(0x800B_010D);
/// Of a chain: revocation could not be looked for.
pub const CERT_E_REVOCATION_FAILURE: Win32Error = Win32Error(0x800B_010E);
/// Of a chain: the certificate is for another name.
pub const CERT_E_CN_NO_MATCH: Win32Error = Win32Error(0x800B_010F);
/// Of a chain: a certificate is not for the usage that is wanted.
pub const CERT_E_WRONG_USAGE: Win32Error = Win32Error(0x800B_0110);
/// Of a chain: a policy is wrong.
pub const CERT_E_INVALID_POLICY: Win32Error = Win32Error(0x800B_0113);
/// Of a chain: a name is not permitted.
pub const CERT_E_INVALID_NAME: Win32Error = Win32Error(0x800B_0114);
/// The last error of crypt32 functions: what should be a certificate is none.
pub const CRYPT_E_ASN1_BADTAG: Win32Error = Win32Error(0x8009_310B);
/// The last error of crypt32 functions: an argument is wrong.
pub const E_INVALIDARG: Win32Error = Win32Error(0x8007_0057);
