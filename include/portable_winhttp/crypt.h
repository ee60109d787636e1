/* The certificates of wincrypt.h and schannel.h, as far as WinHTTP programs need them.
 *
 * Made from the crate's source by `PORTABLE_WINHTTP_HEADERS=write cargo test --test c headers`. */
#ifndef PORTABLE_WINHTTP_CRYPT_H
#define PORTABLE_WINHTTP_CRYPT_H

#include "portable_winhttp/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef LPVOID HCERTSTORE;
typedef LPVOID HCERTCHAINENGINE;
struct _CERT_CONTEXT;
typedef BOOL(WINAPI *PFN_CERT_CHAIN_FIND_BY_ISSUER_CALLBACK)(const struct _CERT_CONTEXT *pCert, void *pvFindArg);

/* numbers */
#undef X509_ASN_ENCODING
#define X509_ASN_ENCODING 1
#undef PKCS_7_ASN_ENCODING
#define PKCS_7_ASN_ENCODING 0x10000
#undef CERT_STORE_PROV_MEMORY
#define CERT_STORE_PROV_MEMORY ((LPCSTR)2)
#undef CERT_STORE_PROV_SYSTEM_A
#define CERT_STORE_PROV_SYSTEM_A ((LPCSTR)9)
#undef CERT_STORE_PROV_SYSTEM_W
#define CERT_STORE_PROV_SYSTEM_W ((LPCSTR)10)
#undef CERT_CLOSE_STORE_CHECK_FLAG
#define CERT_CLOSE_STORE_CHECK_FLAG 2
#undef CERT_STORE_ADD_NEW
#define CERT_STORE_ADD_NEW 1
#undef CERT_STORE_ADD_USE_EXISTING
#define CERT_STORE_ADD_USE_EXISTING 2
#undef CERT_STORE_ADD_REPLACE_EXISTING
#define CERT_STORE_ADD_REPLACE_EXISTING 3
#undef CERT_STORE_ADD_ALWAYS
#define CERT_STORE_ADD_ALWAYS 4
#undef CERT_FIND_ANY
#define CERT_FIND_ANY 0
#undef CERT_FIND_SHA1_HASH
#define CERT_FIND_SHA1_HASH 0x10000
#undef CERT_FIND_ISSUER_NAME
#define CERT_FIND_ISSUER_NAME 0x20004
#undef CERT_FIND_SUBJECT_NAME
#define CERT_FIND_SUBJECT_NAME 0x20007
#undef CERT_FIND_ISSUER_STR_A
#define CERT_FIND_ISSUER_STR_A 0x70004
#undef CERT_FIND_SUBJECT_STR_A
#define CERT_FIND_SUBJECT_STR_A 0x70007
#undef CERT_FIND_ISSUER_STR_W
#define CERT_FIND_ISSUER_STR_W 0x80004
#undef CERT_FIND_SUBJECT_STR_W
#define CERT_FIND_SUBJECT_STR_W 0x80007
#undef CERT_FIND_SUBJECT_CERT
#define CERT_FIND_SUBJECT_CERT 0xB0000
#undef CERT_FIND_ISSUER_OF
#define CERT_FIND_ISSUER_OF 0xC0000
#undef CERT_FIND_EXISTING
#define CERT_FIND_EXISTING 0xD0000
#undef CERT_FIND_HAS_PRIVATE_KEY
#define CERT_FIND_HAS_PRIVATE_KEY 0x150000
#undef CERT_SHA1_HASH_PROP_ID
#define CERT_SHA1_HASH_PROP_ID 3
#undef CERT_MD5_HASH_PROP_ID
#define CERT_MD5_HASH_PROP_ID 4
#undef CERT_FRIENDLY_NAME_PROP_ID
#define CERT_FRIENDLY_NAME_PROP_ID 11
#undef CERT_KEY_IDENTIFIER_PROP_ID
#define CERT_KEY_IDENTIFIER_PROP_ID 20
#undef CERT_SHA256_HASH_PROP_ID
#define CERT_SHA256_HASH_PROP_ID 107
#undef CERT_NAME_EMAIL_TYPE
#define CERT_NAME_EMAIL_TYPE 1
#undef CERT_NAME_RDN_TYPE
#define CERT_NAME_RDN_TYPE 2
#undef CERT_NAME_ATTR_TYPE
#define CERT_NAME_ATTR_TYPE 3
#undef CERT_NAME_SIMPLE_DISPLAY_TYPE
#define CERT_NAME_SIMPLE_DISPLAY_TYPE 4
#undef CERT_NAME_FRIENDLY_DISPLAY_TYPE
#define CERT_NAME_FRIENDLY_DISPLAY_TYPE 5
#undef CERT_NAME_DNS_TYPE
#define CERT_NAME_DNS_TYPE 6
#undef CERT_NAME_URL_TYPE
#define CERT_NAME_URL_TYPE 7
#undef CERT_NAME_UPN_TYPE
#define CERT_NAME_UPN_TYPE 8
#undef CERT_NAME_ISSUER_FLAG
#define CERT_NAME_ISSUER_FLAG 1
#undef CERT_SIMPLE_NAME_STR
#define CERT_SIMPLE_NAME_STR 1
#undef CERT_OID_NAME_STR
#define CERT_OID_NAME_STR 2
#undef CERT_X500_NAME_STR
#define CERT_X500_NAME_STR 3
#undef CERT_NAME_STR_REVERSE_FLAG
#define CERT_NAME_STR_REVERSE_FLAG 0x02000000
#undef CERT_NAME_STR_CRLF_FLAG
#define CERT_NAME_STR_CRLF_FLAG 0x08000000
#undef CERT_NAME_STR_NO_QUOTING_FLAG
#define CERT_NAME_STR_NO_QUOTING_FLAG 0x10000000
#undef CERT_NAME_STR_NO_PLUS_FLAG
#define CERT_NAME_STR_NO_PLUS_FLAG 0x20000000
#undef CERT_NAME_STR_SEMICOLON_FLAG
#define CERT_NAME_STR_SEMICOLON_FLAG 0x40000000
#undef CERT_STORE_CREATE_NEW_FLAG
#define CERT_STORE_CREATE_NEW_FLAG 0x2000
#undef CERT_STORE_OPEN_EXISTING_FLAG
#define CERT_STORE_OPEN_EXISTING_FLAG 0x4000
#undef CERT_STORE_READONLY_FLAG
#define CERT_STORE_READONLY_FLAG 0x8000
#undef CERT_SYSTEM_STORE_CURRENT_USER
#define CERT_SYSTEM_STORE_CURRENT_USER 0x10000
#undef CERT_SYSTEM_STORE_LOCAL_MACHINE
#define CERT_SYSTEM_STORE_LOCAL_MACHINE 0x20000
#undef USAGE_MATCH_TYPE_AND
#define USAGE_MATCH_TYPE_AND 0
#undef USAGE_MATCH_TYPE_OR
#define USAGE_MATCH_TYPE_OR 1
#undef CERT_CHAIN_CACHE_END_CERT
#define CERT_CHAIN_CACHE_END_CERT 0x1
#undef CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL
#define CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL 0x4
#undef CERT_CHAIN_USE_LOCAL_MACHINE_STORE
#define CERT_CHAIN_USE_LOCAL_MACHINE_STORE 0x8
#undef CERT_CHAIN_ENABLE_CACHE_AUTO_UPDATE
#define CERT_CHAIN_ENABLE_CACHE_AUTO_UPDATE 0x10
#undef CERT_CHAIN_ENABLE_SHARE_STORE
#define CERT_CHAIN_ENABLE_SHARE_STORE 0x20
#undef CERT_CHAIN_DISABLE_PASS1_QUALITY_FILTERING
#define CERT_CHAIN_DISABLE_PASS1_QUALITY_FILTERING 0x40
#undef CERT_CHAIN_RETURN_LOWER_QUALITY_CONTEXTS
#define CERT_CHAIN_RETURN_LOWER_QUALITY_CONTEXTS 0x80
#undef CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE
#define CERT_CHAIN_DISABLE_AUTH_ROOT_AUTO_UPDATE 0x100
#undef CERT_CHAIN_TIMESTAMP_TIME
#define CERT_CHAIN_TIMESTAMP_TIME 0x200
#undef CERT_CHAIN_DISABLE_AIA
#define CERT_CHAIN_DISABLE_AIA 0x2000
#undef CERT_CHAIN_REVOCATION_ACCUMULATIVE_TIMEOUT
#define CERT_CHAIN_REVOCATION_ACCUMULATIVE_TIMEOUT 0x08000000
#undef CERT_CHAIN_REVOCATION_CHECK_END_CERT
#define CERT_CHAIN_REVOCATION_CHECK_END_CERT 0x10000000
#undef CERT_CHAIN_REVOCATION_CHECK_CHAIN
#define CERT_CHAIN_REVOCATION_CHECK_CHAIN 0x20000000
#undef CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT
#define CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT 0x40000000
#undef CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY
#define CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY 0x80000000
#undef CERT_CHAIN_FIND_BY_ISSUER
#define CERT_CHAIN_FIND_BY_ISSUER 1
#undef CERT_CHAIN_FIND_BY_ISSUER_COMPARE_KEY_FLAG
#define CERT_CHAIN_FIND_BY_ISSUER_COMPARE_KEY_FLAG 0x1
#undef CERT_CHAIN_FIND_BY_ISSUER_COMPLEX_CHAIN_FLAG
#define CERT_CHAIN_FIND_BY_ISSUER_COMPLEX_CHAIN_FLAG 0x2
#undef CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_URL_FLAG
#define CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_URL_FLAG 0x4
#undef CERT_CHAIN_FIND_BY_ISSUER_LOCAL_MACHINE_FLAG
#define CERT_CHAIN_FIND_BY_ISSUER_LOCAL_MACHINE_FLAG 0x8
#undef CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG
#define CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG 0x4000
#undef CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_FLAG
#define CERT_CHAIN_FIND_BY_ISSUER_CACHE_ONLY_FLAG 0x8000
#undef CERT_CHAIN_POLICY_BASE
#define CERT_CHAIN_POLICY_BASE ((LPCSTR)1)
#undef CERT_CHAIN_POLICY_AUTHENTICODE
#define CERT_CHAIN_POLICY_AUTHENTICODE ((LPCSTR)2)
#undef CERT_CHAIN_POLICY_SSL
#define CERT_CHAIN_POLICY_SSL ((LPCSTR)4)
#undef CERT_CHAIN_POLICY_BASIC_CONSTRAINTS
#define CERT_CHAIN_POLICY_BASIC_CONSTRAINTS ((LPCSTR)5)
#undef CERT_CHAIN_POLICY_NT_AUTH
#define CERT_CHAIN_POLICY_NT_AUTH ((LPCSTR)6)
#undef CERT_CHAIN_POLICY_MICROSOFT_ROOT
#define CERT_CHAIN_POLICY_MICROSOFT_ROOT ((LPCSTR)7)
#undef CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG
#define CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG 0x1
#undef CERT_CHAIN_POLICY_IGNORE_CTL_NOT_TIME_VALID_FLAG
#define CERT_CHAIN_POLICY_IGNORE_CTL_NOT_TIME_VALID_FLAG 0x2
#undef CERT_CHAIN_POLICY_IGNORE_NOT_TIME_NESTED_FLAG
#define CERT_CHAIN_POLICY_IGNORE_NOT_TIME_NESTED_FLAG 0x4
#undef CERT_CHAIN_POLICY_IGNORE_ALL_NOT_TIME_VALID_FLAGS
#define CERT_CHAIN_POLICY_IGNORE_ALL_NOT_TIME_VALID_FLAGS 0x7
#undef CERT_CHAIN_POLICY_IGNORE_INVALID_BASIC_CONSTRAINTS_FLAG
#define CERT_CHAIN_POLICY_IGNORE_INVALID_BASIC_CONSTRAINTS_FLAG 0x8
#undef CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG
#define CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG 0x10
#undef CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG
#define CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG 0x20
#undef CERT_CHAIN_POLICY_IGNORE_INVALID_NAME_FLAG
#define CERT_CHAIN_POLICY_IGNORE_INVALID_NAME_FLAG 0x40
#undef CERT_CHAIN_POLICY_IGNORE_INVALID_POLICY_FLAG
#define CERT_CHAIN_POLICY_IGNORE_INVALID_POLICY_FLAG 0x80
#undef CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG
#define CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG 0x100
#undef CERT_CHAIN_POLICY_IGNORE_CTL_SIGNER_REV_UNKNOWN_FLAG
#define CERT_CHAIN_POLICY_IGNORE_CTL_SIGNER_REV_UNKNOWN_FLAG 0x200
#undef CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG
#define CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG 0x400
#undef CERT_CHAIN_POLICY_IGNORE_ROOT_REV_UNKNOWN_FLAG
#define CERT_CHAIN_POLICY_IGNORE_ROOT_REV_UNKNOWN_FLAG 0x800
#undef CERT_CHAIN_POLICY_IGNORE_ALL_REV_UNKNOWN_FLAGS
#define CERT_CHAIN_POLICY_IGNORE_ALL_REV_UNKNOWN_FLAGS 0xF00
#undef AUTHTYPE_CLIENT
#define AUTHTYPE_CLIENT 1
#undef AUTHTYPE_SERVER
#define AUTHTYPE_SERVER 2
#undef SECURITY_FLAG_IGNORE_REVOCATION
#define SECURITY_FLAG_IGNORE_REVOCATION 0x80
#undef CERT_TRUST_NO_ERROR
#define CERT_TRUST_NO_ERROR 0
#undef CERT_TRUST_IS_NOT_TIME_VALID
#define CERT_TRUST_IS_NOT_TIME_VALID 0x1
#undef CERT_TRUST_IS_REVOKED
#define CERT_TRUST_IS_REVOKED 0x4
#undef CERT_TRUST_IS_NOT_SIGNATURE_VALID
#define CERT_TRUST_IS_NOT_SIGNATURE_VALID 0x8
#undef CERT_TRUST_IS_NOT_VALID_FOR_USAGE
#define CERT_TRUST_IS_NOT_VALID_FOR_USAGE 0x10
#undef CERT_TRUST_IS_UNTRUSTED_ROOT
#define CERT_TRUST_IS_UNTRUSTED_ROOT 0x20
#undef CERT_TRUST_REVOCATION_STATUS_UNKNOWN
#define CERT_TRUST_REVOCATION_STATUS_UNKNOWN 0x40
#undef CERT_TRUST_IS_CYCLIC
#define CERT_TRUST_IS_CYCLIC 0x80
#undef CERT_TRUST_INVALID_EXTENSION
#define CERT_TRUST_INVALID_EXTENSION 0x100
#undef CERT_TRUST_INVALID_POLICY_CONSTRAINTS
#define CERT_TRUST_INVALID_POLICY_CONSTRAINTS 0x200
#undef CERT_TRUST_INVALID_BASIC_CONSTRAINTS
#define CERT_TRUST_INVALID_BASIC_CONSTRAINTS 0x400
#undef CERT_TRUST_INVALID_NAME_CONSTRAINTS
#define CERT_TRUST_INVALID_NAME_CONSTRAINTS 0x800
#undef CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT
#define CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT 0x1000
#undef CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT
#define CERT_TRUST_HAS_NOT_DEFINED_NAME_CONSTRAINT 0x2000
#undef CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT
#define CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT 0x4000
#undef CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT
#define CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT 0x8000
#undef CERT_TRUST_CTL_IS_NOT_TIME_VALID
#define CERT_TRUST_CTL_IS_NOT_TIME_VALID 0x20000
#undef CERT_TRUST_CTL_IS_NOT_SIGNATURE_VALID
#define CERT_TRUST_CTL_IS_NOT_SIGNATURE_VALID 0x40000
#undef CERT_TRUST_CTL_IS_NOT_VALID_FOR_USAGE
#define CERT_TRUST_CTL_IS_NOT_VALID_FOR_USAGE 0x80000
#undef CERT_TRUST_HAS_WEAK_SIGNATURE
#define CERT_TRUST_HAS_WEAK_SIGNATURE 0x100000
#undef CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY
#define CERT_TRUST_NO_ISSUANCE_CHAIN_POLICY 0x02000000
#undef CERT_TRUST_IS_EXPLICIT_DISTRUST
#define CERT_TRUST_IS_EXPLICIT_DISTRUST 0x04000000
#undef CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT
#define CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT 0x08000000
#undef CERT_TRUST_HAS_EXACT_MATCH_ISSUER
#define CERT_TRUST_HAS_EXACT_MATCH_ISSUER 0x1
#undef CERT_TRUST_HAS_KEY_MATCH_ISSUER
#define CERT_TRUST_HAS_KEY_MATCH_ISSUER 0x2
#undef CERT_TRUST_HAS_PREFERRED_ISSUER
#define CERT_TRUST_HAS_PREFERRED_ISSUER 0x100
#undef CERT_TRUST_IS_PARTIAL_CHAIN
#define CERT_TRUST_IS_PARTIAL_CHAIN 0x10000
#undef CERT_TRUST_IS_OFFLINE_REVOCATION
#define CERT_TRUST_IS_OFFLINE_REVOCATION 0x01000000
#undef CERT_TRUST_HAS_NAME_MATCH_ISSUER
#define CERT_TRUST_HAS_NAME_MATCH_ISSUER 0x4
#undef CERT_TRUST_IS_SELF_SIGNED
#define CERT_TRUST_IS_SELF_SIGNED 0x8
#undef ERROR_INVALID_PASSWORD
#define ERROR_INVALID_PASSWORD 86
#undef ERROR_MORE_DATA
#define ERROR_MORE_DATA 234
#undef CRYPT_E_NOT_FOUND
#define CRYPT_E_NOT_FOUND ((HRESULT)0x80092004)
#undef CRYPT_E_EXISTS
#define CRYPT_E_EXISTS ((HRESULT)0x80092005)
#undef CRYPT_E_PENDING_CLOSE
#define CRYPT_E_PENDING_CLOSE ((HRESULT)0x8009200F)
#undef CRYPT_E_REVOKED
#define CRYPT_E_REVOKED ((HRESULT)0x80092010)
#undef CRYPT_E_NO_REVOCATION_CHECK
#define CRYPT_E_NO_REVOCATION_CHECK ((HRESULT)0x80092012)
#undef CRYPT_E_REVOCATION_OFFLINE
#define CRYPT_E_REVOCATION_OFFLINE ((HRESULT)0x80092013)
#undef TRUST_E_CERT_SIGNATURE
#define TRUST_E_CERT_SIGNATURE ((HRESULT)0x80096004)
#undef TRUST_E_BASIC_CONSTRAINTS
#define TRUST_E_BASIC_CONSTRAINTS ((HRESULT)0x80096019)
#undef CERT_E_EXPIRED
#define CERT_E_EXPIRED ((HRESULT)0x800B0101)
#undef CERT_E_VALIDITYPERIODNESTING
#define CERT_E_VALIDITYPERIODNESTING ((HRESULT)0x800B0102)
#undef CERT_E_ROLE
#define CERT_E_ROLE ((HRESULT)0x800B0103)
#undef CERT_E_CRITICAL
#define CERT_E_CRITICAL ((HRESULT)0x800B0105)
#undef CERT_E_PURPOSE
#define CERT_E_PURPOSE ((HRESULT)0x800B0106)
#undef CERT_E_UNTRUSTEDROOT
#define CERT_E_UNTRUSTEDROOT ((HRESULT)0x800B0109)
#undef CERT_E_CHAINING
#define CERT_E_CHAINING ((HRESULT)0x800B010A)
#undef CERT_E_REVOKED
#define CERT_E_REVOKED ((HRESULT)0x800B010C)
#undef CERT_E_UNTRUSTEDTESTROOT
#define CERT_E_UNTRUSTEDTESTROOT ((HRESULT)0x800B010D)
#undef CERT_E_REVOCATION_FAILURE
#define CERT_E_REVOCATION_FAILURE ((HRESULT)0x800B010E)
#undef CERT_E_CN_NO_MATCH
#define CERT_E_CN_NO_MATCH ((HRESULT)0x800B010F)
#undef CERT_E_WRONG_USAGE
#define CERT_E_WRONG_USAGE ((HRESULT)0x800B0110)
#undef CERT_E_INVALID_POLICY
#define CERT_E_INVALID_POLICY ((HRESULT)0x800B0113)
#undef CERT_E_INVALID_NAME
#define CERT_E_INVALID_NAME ((HRESULT)0x800B0114)
#undef CRYPT_E_ASN1_BADTAG
#define CRYPT_E_ASN1_BADTAG ((HRESULT)0x8009310B)
#undef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)

#if defined(__i386__)
#pragma pack(push, 4)
#else
#pragma pack(push, 8)
#endif

typedef struct _CRYPT_INTEGER_BLOB CRYPT_INTEGER_BLOB, *PCRYPT_INTEGER_BLOB, *LPCRYPT_INTEGER_BLOB;
typedef struct _CRYPT_BIT_BLOB CRYPT_BIT_BLOB, *PCRYPT_BIT_BLOB, *LPCRYPT_BIT_BLOB;
typedef struct _CRYPT_ALGORITHM_IDENTIFIER CRYPT_ALGORITHM_IDENTIFIER, *PCRYPT_ALGORITHM_IDENTIFIER, *LPCRYPT_ALGORITHM_IDENTIFIER;
typedef struct _CERT_PUBLIC_KEY_INFO CERT_PUBLIC_KEY_INFO, *PCERT_PUBLIC_KEY_INFO, *LPCERT_PUBLIC_KEY_INFO;
typedef const CERT_PUBLIC_KEY_INFO *PCCERT_PUBLIC_KEY_INFO;
typedef struct _CERT_EXTENSION CERT_EXTENSION, *PCERT_EXTENSION, *LPCERT_EXTENSION;
typedef const CERT_EXTENSION *PCCERT_EXTENSION;
typedef struct _CERT_INFO CERT_INFO, *PCERT_INFO, *LPCERT_INFO;
typedef const CERT_INFO *PCCERT_INFO;
typedef struct _CERT_CONTEXT CERT_CONTEXT, *PCERT_CONTEXT, *LPCERT_CONTEXT;
typedef const CERT_CONTEXT *PCCERT_CONTEXT;
typedef struct _CERT_TRUST_STATUS CERT_TRUST_STATUS, *PCERT_TRUST_STATUS, *LPCERT_TRUST_STATUS;
typedef const CERT_TRUST_STATUS *PCCERT_TRUST_STATUS;
typedef struct _CERT_CHAIN_ELEMENT CERT_CHAIN_ELEMENT, *PCERT_CHAIN_ELEMENT, *LPCERT_CHAIN_ELEMENT;
typedef const CERT_CHAIN_ELEMENT *PCCERT_CHAIN_ELEMENT;
typedef struct _CERT_SIMPLE_CHAIN CERT_SIMPLE_CHAIN, *PCERT_SIMPLE_CHAIN, *LPCERT_SIMPLE_CHAIN;
typedef const CERT_SIMPLE_CHAIN *PCCERT_SIMPLE_CHAIN;
typedef struct _CERT_CHAIN_CONTEXT CERT_CHAIN_CONTEXT, *PCERT_CHAIN_CONTEXT, *LPCERT_CHAIN_CONTEXT;
typedef const CERT_CHAIN_CONTEXT *PCCERT_CHAIN_CONTEXT;
typedef struct _CTL_USAGE CTL_USAGE, *PCTL_USAGE, *LPCTL_USAGE;
typedef struct _CERT_USAGE_MATCH CERT_USAGE_MATCH, *PCERT_USAGE_MATCH, *LPCERT_USAGE_MATCH;
typedef const CERT_USAGE_MATCH *PCCERT_USAGE_MATCH;
typedef struct _CERT_CHAIN_PARA CERT_CHAIN_PARA, *PCERT_CHAIN_PARA, *LPCERT_CHAIN_PARA;
typedef const CERT_CHAIN_PARA *PCCERT_CHAIN_PARA;
typedef struct _CERT_CHAIN_ENGINE_CONFIG CERT_CHAIN_ENGINE_CONFIG, *PCERT_CHAIN_ENGINE_CONFIG, *LPCERT_CHAIN_ENGINE_CONFIG;
typedef const CERT_CHAIN_ENGINE_CONFIG *PCCERT_CHAIN_ENGINE_CONFIG;
typedef struct _CERT_CHAIN_POLICY_PARA CERT_CHAIN_POLICY_PARA, *PCERT_CHAIN_POLICY_PARA, *LPCERT_CHAIN_POLICY_PARA;
typedef const CERT_CHAIN_POLICY_PARA *PCCERT_CHAIN_POLICY_PARA;
typedef struct _CERT_CHAIN_POLICY_STATUS CERT_CHAIN_POLICY_STATUS, *PCERT_CHAIN_POLICY_STATUS, *LPCERT_CHAIN_POLICY_STATUS;
typedef const CERT_CHAIN_POLICY_STATUS *PCCERT_CHAIN_POLICY_STATUS;
typedef struct _CERT_CHAIN_FIND_BY_ISSUER_PARA CERT_CHAIN_FIND_BY_ISSUER_PARA, *PCERT_CHAIN_FIND_BY_ISSUER_PARA, *LPCERT_CHAIN_FIND_BY_ISSUER_PARA;
typedef const CERT_CHAIN_FIND_BY_ISSUER_PARA *PCCERT_CHAIN_FIND_BY_ISSUER_PARA;
typedef struct _HTTPSPolicyCallbackData HTTPSPolicyCallbackData, *PHTTPSPolicyCallbackData, *LPHTTPSPolicyCallbackData;
typedef struct _SecPkgContext_IssuerListInfoEx SecPkgContext_IssuerListInfoEx, *PSecPkgContext_IssuerListInfoEx, *LPSecPkgContext_IssuerListInfoEx;
typedef struct _SecPkgContext_Bindings SecPkgContext_Bindings, *PSecPkgContext_Bindings, *LPSecPkgContext_Bindings;
typedef struct _SEC_CHANNEL_BINDINGS SEC_CHANNEL_BINDINGS, *PSEC_CHANNEL_BINDINGS, *LPSEC_CHANNEL_BINDINGS;
typedef struct _SecPkgContext_ConnectionInfo SecPkgContext_ConnectionInfo, *PSecPkgContext_ConnectionInfo, *LPSecPkgContext_ConnectionInfo;
typedef struct _SecPkgContext_CipherInfo SecPkgContext_CipherInfo, *PSecPkgContext_CipherInfo, *LPSecPkgContext_CipherInfo;
typedef struct _WINHTTP_SECURITY_INFO WINHTTP_SECURITY_INFO, *PWINHTTP_SECURITY_INFO, *LPWINHTTP_SECURITY_INFO;

struct _CRYPT_INTEGER_BLOB {
    DWORD cbData;
    BYTE *pbData;
};

struct _CRYPT_BIT_BLOB {
    DWORD cbData;
    BYTE *pbData;
    DWORD cUnusedBits;
};

struct _CRYPT_ALGORITHM_IDENTIFIER {
    LPSTR pszObjId;
    CRYPT_INTEGER_BLOB Parameters;
};

struct _CERT_PUBLIC_KEY_INFO {
    CRYPT_ALGORITHM_IDENTIFIER Algorithm;
    CRYPT_BIT_BLOB PublicKey;
};

struct _CERT_EXTENSION {
    LPSTR pszObjId;
    BOOL fCritical;
    CRYPT_INTEGER_BLOB Value;
};

struct _CERT_INFO {
    DWORD dwVersion;
    CRYPT_INTEGER_BLOB SerialNumber;
    CRYPT_ALGORITHM_IDENTIFIER SignatureAlgorithm;
    CRYPT_INTEGER_BLOB Issuer;
    FILETIME NotBefore;
    FILETIME NotAfter;
    CRYPT_INTEGER_BLOB Subject;
    CERT_PUBLIC_KEY_INFO SubjectPublicKeyInfo;
    CRYPT_BIT_BLOB IssuerUniqueId;
    CRYPT_BIT_BLOB SubjectUniqueId;
    DWORD cExtension;
    CERT_EXTENSION *rgExtension;
};

struct _CERT_CONTEXT {
    DWORD dwCertEncodingType;
    BYTE *pbCertEncoded;
    DWORD cbCertEncoded;
    CERT_INFO *pCertInfo;
    HCERTSTORE hCertStore;
};

struct _CERT_TRUST_STATUS {
    DWORD dwErrorStatus;
    DWORD dwInfoStatus;
};

struct _CERT_CHAIN_ELEMENT {
    DWORD cbSize;
    PCCERT_CONTEXT pCertContext;
    CERT_TRUST_STATUS TrustStatus;
    LPVOID pRevocationInfo;
    LPVOID pIssuanceUsage;
    LPVOID pApplicationUsage;
    LPCWSTR pwszExtendedErrorInfo;
};

struct _CERT_SIMPLE_CHAIN {
    DWORD cbSize;
    CERT_TRUST_STATUS TrustStatus;
    DWORD cElement;
    CERT_CHAIN_ELEMENT * *rgpElement;
    LPVOID pTrustListInfo;
    BOOL fHasRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
};

struct _CERT_CHAIN_CONTEXT {
    DWORD cbSize;
    CERT_TRUST_STATUS TrustStatus;
    DWORD cChain;
    CERT_SIMPLE_CHAIN * *rgpChain;
    DWORD cLowerQualityChainContext;
    PCCERT_CHAIN_CONTEXT *rgpLowerQualityChainContext;
    BOOL fHasRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
    DWORD dwCreateFlags;
    GUID ChainId;
};

struct _CTL_USAGE {
    DWORD cUsageIdentifier;
    LPSTR *rgpszUsageIdentifier;
};

struct _CERT_USAGE_MATCH {
    DWORD dwType;
    CTL_USAGE Usage;
};

struct _CERT_CHAIN_PARA {
    DWORD cbSize;
    CERT_USAGE_MATCH RequestedUsage;
    CERT_USAGE_MATCH RequestedIssuancePolicy;
    DWORD dwUrlRetrievalTimeout;
    BOOL fCheckRevocationFreshnessTime;
    DWORD dwRevocationFreshnessTime;
    FILETIME *pftCacheResync;
    LPVOID pStrongSignPara;
    DWORD dwStrongSignFlags;
};

struct _CERT_CHAIN_ENGINE_CONFIG {
    DWORD cbSize;
    HCERTSTORE hRestrictedRoot;
    HCERTSTORE hRestrictedTrust;
    HCERTSTORE hRestrictedOther;
    DWORD cAdditionalStore;
    HCERTSTORE *rghAdditionalStore;
    DWORD dwFlags;
    DWORD dwUrlRetrievalTimeout;
    DWORD MaximumCachedCertificates;
    DWORD CycleDetectionModulus;
    HCERTSTORE hExclusiveRoot;
    HCERTSTORE hExclusiveTrustedPeople;
    DWORD dwExclusiveFlags;
};

struct _CERT_CHAIN_POLICY_PARA {
    DWORD cbSize;
    DWORD dwFlags;
    LPVOID pvExtraPolicyPara;
};

struct _CERT_CHAIN_POLICY_STATUS {
    DWORD cbSize;
    DWORD dwError;
    INT lChainIndex;
    INT lElementIndex;
    LPVOID pvExtraPolicyStatus;
};

struct _CERT_CHAIN_FIND_BY_ISSUER_PARA {
    DWORD cbSize;
    LPCSTR pszUsageIdentifier;
    DWORD dwKeySpec;
    DWORD dwAcquirePrivateKeyFlags;
    DWORD cIssuer;
    CRYPT_INTEGER_BLOB *rgIssuer;
    PFN_CERT_CHAIN_FIND_BY_ISSUER_CALLBACK pfnFindCallback;
    LPVOID pvFindArg;
};

struct _HTTPSPolicyCallbackData {
    union {
        DWORD cbStruct;
        DWORD cbSize;
    };
    DWORD dwAuthType;
    DWORD fdwChecks;
    LPWSTR pwszServerName;
};

struct _SecPkgContext_IssuerListInfoEx {
    CRYPT_INTEGER_BLOB *aIssuers;
    DWORD cIssuers;
};

struct _SecPkgContext_Bindings {
    DWORD BindingsLength;
    SEC_CHANNEL_BINDINGS *Bindings;
};

struct _SEC_CHANNEL_BINDINGS {
    DWORD dwInitiatorAddrType;
    DWORD cbInitiatorLength;
    DWORD dwInitiatorOffset;
    DWORD dwAcceptorAddrType;
    DWORD cbAcceptorLength;
    DWORD dwAcceptorOffset;
    DWORD cbApplicationDataLength;
    DWORD dwApplicationDataOffset;
};

struct _SecPkgContext_ConnectionInfo {
    DWORD dwProtocol;
    DWORD aiCipher;
    DWORD dwCipherStrength;
    DWORD aiHash;
    DWORD dwHashStrength;
    DWORD aiExch;
    DWORD dwExchStrength;
};

struct _SecPkgContext_CipherInfo {
    DWORD dwVersion;
    DWORD dwProtocol;
    DWORD dwCipherSuite;
    DWORD dwBaseCipherSuite;
    WCHAR szCipherSuite[64];
    WCHAR szCipher[64];
    DWORD dwCipherLen;
    DWORD dwCipherBlockLen;
    WCHAR szHash[64];
    DWORD dwHashLen;
    WCHAR szExchange[64];
    DWORD dwMinExchangeLen;
    DWORD dwMaxExchangeLen;
    WCHAR szCertificate[64];
    DWORD dwKeyType;
};

struct _WINHTTP_SECURITY_INFO {
    SecPkgContext_ConnectionInfo ConnectionInfo;
    SecPkgContext_CipherInfo CipherInfo;
};

#pragma pack(pop)

#ifdef __LP64__
PWH_ASSERT(sizeof(CRYPT_INTEGER_BLOB) == 16, "CRYPT_INTEGER_BLOB");
PWH_ASSERT(offsetof(CRYPT_INTEGER_BLOB, cbData) == 0, "CRYPT_INTEGER_BLOB.cbData");
PWH_ASSERT(offsetof(CRYPT_INTEGER_BLOB, pbData) == 8, "CRYPT_INTEGER_BLOB.pbData");
PWH_ASSERT(sizeof(CRYPT_BIT_BLOB) == 24, "CRYPT_BIT_BLOB");
PWH_ASSERT(offsetof(CRYPT_BIT_BLOB, cbData) == 0, "CRYPT_BIT_BLOB.cbData");
PWH_ASSERT(offsetof(CRYPT_BIT_BLOB, pbData) == 8, "CRYPT_BIT_BLOB.pbData");
PWH_ASSERT(offsetof(CRYPT_BIT_BLOB, cUnusedBits) == 16, "CRYPT_BIT_BLOB.cUnusedBits");
PWH_ASSERT(sizeof(CRYPT_ALGORITHM_IDENTIFIER) == 24, "CRYPT_ALGORITHM_IDENTIFIER");
PWH_ASSERT(offsetof(CRYPT_ALGORITHM_IDENTIFIER, pszObjId) == 0, "CRYPT_ALGORITHM_IDENTIFIER.pszObjId");
PWH_ASSERT(offsetof(CRYPT_ALGORITHM_IDENTIFIER, Parameters) == 8, "CRYPT_ALGORITHM_IDENTIFIER.Parameters");
PWH_ASSERT(sizeof(CERT_PUBLIC_KEY_INFO) == 48, "CERT_PUBLIC_KEY_INFO");
PWH_ASSERT(offsetof(CERT_PUBLIC_KEY_INFO, Algorithm) == 0, "CERT_PUBLIC_KEY_INFO.Algorithm");
PWH_ASSERT(offsetof(CERT_PUBLIC_KEY_INFO, PublicKey) == 24, "CERT_PUBLIC_KEY_INFO.PublicKey");
PWH_ASSERT(sizeof(CERT_EXTENSION) == 32, "CERT_EXTENSION");
PWH_ASSERT(offsetof(CERT_EXTENSION, pszObjId) == 0, "CERT_EXTENSION.pszObjId");
PWH_ASSERT(offsetof(CERT_EXTENSION, fCritical) == 8, "CERT_EXTENSION.fCritical");
PWH_ASSERT(offsetof(CERT_EXTENSION, Value) == 16, "CERT_EXTENSION.Value");
PWH_ASSERT(sizeof(CERT_INFO) == 208, "CERT_INFO");
PWH_ASSERT(offsetof(CERT_INFO, dwVersion) == 0, "CERT_INFO.dwVersion");
PWH_ASSERT(offsetof(CERT_INFO, SerialNumber) == 8, "CERT_INFO.SerialNumber");
PWH_ASSERT(offsetof(CERT_INFO, SignatureAlgorithm) == 24, "CERT_INFO.SignatureAlgorithm");
PWH_ASSERT(offsetof(CERT_INFO, Issuer) == 48, "CERT_INFO.Issuer");
PWH_ASSERT(offsetof(CERT_INFO, NotBefore) == 64, "CERT_INFO.NotBefore");
PWH_ASSERT(offsetof(CERT_INFO, NotAfter) == 72, "CERT_INFO.NotAfter");
PWH_ASSERT(offsetof(CERT_INFO, Subject) == 80, "CERT_INFO.Subject");
PWH_ASSERT(offsetof(CERT_INFO, SubjectPublicKeyInfo) == 96, "CERT_INFO.SubjectPublicKeyInfo");
PWH_ASSERT(offsetof(CERT_INFO, IssuerUniqueId) == 144, "CERT_INFO.IssuerUniqueId");
PWH_ASSERT(offsetof(CERT_INFO, SubjectUniqueId) == 168, "CERT_INFO.SubjectUniqueId");
PWH_ASSERT(offsetof(CERT_INFO, cExtension) == 192, "CERT_INFO.cExtension");
PWH_ASSERT(offsetof(CERT_INFO, rgExtension) == 200, "CERT_INFO.rgExtension");
PWH_ASSERT(sizeof(CERT_CONTEXT) == 40, "CERT_CONTEXT");
PWH_ASSERT(offsetof(CERT_CONTEXT, dwCertEncodingType) == 0, "CERT_CONTEXT.dwCertEncodingType");
PWH_ASSERT(offsetof(CERT_CONTEXT, pbCertEncoded) == 8, "CERT_CONTEXT.pbCertEncoded");
PWH_ASSERT(offsetof(CERT_CONTEXT, cbCertEncoded) == 16, "CERT_CONTEXT.cbCertEncoded");
PWH_ASSERT(offsetof(CERT_CONTEXT, pCertInfo) == 24, "CERT_CONTEXT.pCertInfo");
PWH_ASSERT(offsetof(CERT_CONTEXT, hCertStore) == 32, "CERT_CONTEXT.hCertStore");
PWH_ASSERT(sizeof(CERT_TRUST_STATUS) == 8, "CERT_TRUST_STATUS");
PWH_ASSERT(offsetof(CERT_TRUST_STATUS, dwErrorStatus) == 0, "CERT_TRUST_STATUS.dwErrorStatus");
PWH_ASSERT(offsetof(CERT_TRUST_STATUS, dwInfoStatus) == 4, "CERT_TRUST_STATUS.dwInfoStatus");
PWH_ASSERT(sizeof(CERT_CHAIN_ELEMENT) == 56, "CERT_CHAIN_ELEMENT");
PWH_ASSERT(offsetof(CERT_CHAIN_ELEMENT, cbSize) == 0, "CERT_CHAIN_ELEMENT.cbSize");
PWH_ASSERT(offsetof(CERT_CHAIN_ELEMENT, pCertContext) == 8, "CERT_CHAIN_ELEMENT.pCertContext");
PWH_ASSERT(offsetof(CERT_CHAIN_ELEMENT, TrustStatus) == 16, "CERT_CHAIN_ELEMENT.TrustStatus");
PWH_ASSERT(offsetof(CERT_CHAIN_ELEMENT, pRevocationInfo) == 24, "CERT_CHAIN_ELEMENT.pRevocationInfo");
PWH_ASSERT(offsetof(CERT_CHAIN_ELEMENT, pIssuanceUsage) == 32, "CERT_CHAIN_ELEMENT.pIssuanceUsage");
PWH_ASSERT(offsetof(CERT_CHAIN_ELEMENT, pApplicationUsage) == 40, "CERT_CHAIN_ELEMENT.pApplicationUsage");
PWH_ASSERT(offsetof(CERT_CHAIN_ELEMENT, pwszExtendedErrorInfo) == 48, "CERT_CHAIN_ELEMENT.pwszExtendedErrorInfo");
PWH_ASSERT(sizeof(CERT_SIMPLE_CHAIN) == 40, "CERT_SIMPLE_CHAIN");
PWH_ASSERT(offsetof(CERT_SIMPLE_CHAIN, cbSize) == 0, "CERT_SIMPLE_CHAIN.cbSize");
PWH_ASSERT(offsetof(CERT_SIMPLE_CHAIN, TrustStatus) == 4, "CERT_SIMPLE_CHAIN.TrustStatus");
PWH_ASSERT(offsetof(CERT_SIMPLE_CHAIN, cElement) == 12, "CERT_SIMPLE_CHAIN.cElement");
PWH_ASSERT(offsetof(CERT_SIMPLE_CHAIN, rgpElement) == 16, "CERT_SIMPLE_CHAIN.rgpElement");
PWH_ASSERT(offsetof(CERT_SIMPLE_CHAIN, pTrustListInfo) == 24, "CERT_SIMPLE_CHAIN.pTrustListInfo");
PWH_ASSERT(offsetof(CERT_SIMPLE_CHAIN, fHasRevocationFreshnessTime) == 32, "CERT_SIMPLE_CHAIN.fHasRevocationFreshnessTime");
PWH_ASSERT(offsetof(CERT_SIMPLE_CHAIN, dwRevocationFreshnessTime) == 36, "CERT_SIMPLE_CHAIN.dwRevocationFreshnessTime");
PWH_ASSERT(sizeof(CERT_CHAIN_CONTEXT) == 72, "CERT_CHAIN_CONTEXT");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, cbSize) == 0, "CERT_CHAIN_CONTEXT.cbSize");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, TrustStatus) == 4, "CERT_CHAIN_CONTEXT.TrustStatus");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, cChain) == 12, "CERT_CHAIN_CONTEXT.cChain");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, rgpChain) == 16, "CERT_CHAIN_CONTEXT.rgpChain");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, cLowerQualityChainContext) == 24, "CERT_CHAIN_CONTEXT.cLowerQualityChainContext");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, rgpLowerQualityChainContext) == 32, "CERT_CHAIN_CONTEXT.rgpLowerQualityChainContext");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, fHasRevocationFreshnessTime) == 40, "CERT_CHAIN_CONTEXT.fHasRevocationFreshnessTime");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, dwRevocationFreshnessTime) == 44, "CERT_CHAIN_CONTEXT.dwRevocationFreshnessTime");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, dwCreateFlags) == 48, "CERT_CHAIN_CONTEXT.dwCreateFlags");
PWH_ASSERT(offsetof(CERT_CHAIN_CONTEXT, ChainId) == 52, "CERT_CHAIN_CONTEXT.ChainId");
PWH_ASSERT(sizeof(CTL_USAGE) == 16, "CTL_USAGE");
PWH_ASSERT(offsetof(CTL_USAGE, cUsageIdentifier) == 0, "CTL_USAGE.cUsageIdentifier");
PWH_ASSERT(offsetof(CTL_USAGE, rgpszUsageIdentifier) == 8, "CTL_USAGE.rgpszUsageIdentifier");
PWH_ASSERT(sizeof(CERT_USAGE_MATCH) == 24, "CERT_USAGE_MATCH");
PWH_ASSERT(offsetof(CERT_USAGE_MATCH, dwType) == 0, "CERT_USAGE_MATCH.dwType");
PWH_ASSERT(offsetof(CERT_USAGE_MATCH, Usage) == 8, "CERT_USAGE_MATCH.Usage");
PWH_ASSERT(sizeof(CERT_CHAIN_PARA) == 96, "CERT_CHAIN_PARA");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, cbSize) == 0, "CERT_CHAIN_PARA.cbSize");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, RequestedUsage) == 8, "CERT_CHAIN_PARA.RequestedUsage");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, RequestedIssuancePolicy) == 32, "CERT_CHAIN_PARA.RequestedIssuancePolicy");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, dwUrlRetrievalTimeout) == 56, "CERT_CHAIN_PARA.dwUrlRetrievalTimeout");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, fCheckRevocationFreshnessTime) == 60, "CERT_CHAIN_PARA.fCheckRevocationFreshnessTime");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, dwRevocationFreshnessTime) == 64, "CERT_CHAIN_PARA.dwRevocationFreshnessTime");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, pftCacheResync) == 72, "CERT_CHAIN_PARA.pftCacheResync");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, pStrongSignPara) == 80, "CERT_CHAIN_PARA.pStrongSignPara");
PWH_ASSERT(offsetof(CERT_CHAIN_PARA, dwStrongSignFlags) == 88, "CERT_CHAIN_PARA.dwStrongSignFlags");
PWH_ASSERT(sizeof(CERT_CHAIN_ENGINE_CONFIG) == 88, "CERT_CHAIN_ENGINE_CONFIG");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, cbSize) == 0, "CERT_CHAIN_ENGINE_CONFIG.cbSize");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, hRestrictedRoot) == 8, "CERT_CHAIN_ENGINE_CONFIG.hRestrictedRoot");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, hRestrictedTrust) == 16, "CERT_CHAIN_ENGINE_CONFIG.hRestrictedTrust");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, hRestrictedOther) == 24, "CERT_CHAIN_ENGINE_CONFIG.hRestrictedOther");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, cAdditionalStore) == 32, "CERT_CHAIN_ENGINE_CONFIG.cAdditionalStore");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, rghAdditionalStore) == 40, "CERT_CHAIN_ENGINE_CONFIG.rghAdditionalStore");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, dwFlags) == 48, "CERT_CHAIN_ENGINE_CONFIG.dwFlags");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, dwUrlRetrievalTimeout) == 52, "CERT_CHAIN_ENGINE_CONFIG.dwUrlRetrievalTimeout");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, MaximumCachedCertificates) == 56, "CERT_CHAIN_ENGINE_CONFIG.MaximumCachedCertificates");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, CycleDetectionModulus) == 60, "CERT_CHAIN_ENGINE_CONFIG.CycleDetectionModulus");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, hExclusiveRoot) == 64, "CERT_CHAIN_ENGINE_CONFIG.hExclusiveRoot");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, hExclusiveTrustedPeople) == 72, "CERT_CHAIN_ENGINE_CONFIG.hExclusiveTrustedPeople");
PWH_ASSERT(offsetof(CERT_CHAIN_ENGINE_CONFIG, dwExclusiveFlags) == 80, "CERT_CHAIN_ENGINE_CONFIG.dwExclusiveFlags");
PWH_ASSERT(sizeof(CERT_CHAIN_POLICY_PARA) == 16, "CERT_CHAIN_POLICY_PARA");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_PARA, cbSize) == 0, "CERT_CHAIN_POLICY_PARA.cbSize");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_PARA, dwFlags) == 4, "CERT_CHAIN_POLICY_PARA.dwFlags");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_PARA, pvExtraPolicyPara) == 8, "CERT_CHAIN_POLICY_PARA.pvExtraPolicyPara");
PWH_ASSERT(sizeof(CERT_CHAIN_POLICY_STATUS) == 24, "CERT_CHAIN_POLICY_STATUS");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_STATUS, cbSize) == 0, "CERT_CHAIN_POLICY_STATUS.cbSize");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_STATUS, dwError) == 4, "CERT_CHAIN_POLICY_STATUS.dwError");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_STATUS, lChainIndex) == 8, "CERT_CHAIN_POLICY_STATUS.lChainIndex");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_STATUS, lElementIndex) == 12, "CERT_CHAIN_POLICY_STATUS.lElementIndex");
PWH_ASSERT(offsetof(CERT_CHAIN_POLICY_STATUS, pvExtraPolicyStatus) == 16, "CERT_CHAIN_POLICY_STATUS.pvExtraPolicyStatus");
PWH_ASSERT(sizeof(CERT_CHAIN_FIND_BY_ISSUER_PARA) == 56, "CERT_CHAIN_FIND_BY_ISSUER_PARA");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, cbSize) == 0, "CERT_CHAIN_FIND_BY_ISSUER_PARA.cbSize");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, pszUsageIdentifier) == 8, "CERT_CHAIN_FIND_BY_ISSUER_PARA.pszUsageIdentifier");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, dwKeySpec) == 16, "CERT_CHAIN_FIND_BY_ISSUER_PARA.dwKeySpec");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, dwAcquirePrivateKeyFlags) == 20, "CERT_CHAIN_FIND_BY_ISSUER_PARA.dwAcquirePrivateKeyFlags");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, cIssuer) == 24, "CERT_CHAIN_FIND_BY_ISSUER_PARA.cIssuer");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, rgIssuer) == 32, "CERT_CHAIN_FIND_BY_ISSUER_PARA.rgIssuer");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, pfnFindCallback) == 40, "CERT_CHAIN_FIND_BY_ISSUER_PARA.pfnFindCallback");
PWH_ASSERT(offsetof(CERT_CHAIN_FIND_BY_ISSUER_PARA, pvFindArg) == 48, "CERT_CHAIN_FIND_BY_ISSUER_PARA.pvFindArg");
PWH_ASSERT(sizeof(HTTPSPolicyCallbackData) == 24, "HTTPSPolicyCallbackData");
PWH_ASSERT(offsetof(HTTPSPolicyCallbackData, dwAuthType) == 4, "HTTPSPolicyCallbackData.dwAuthType");
PWH_ASSERT(offsetof(HTTPSPolicyCallbackData, fdwChecks) == 8, "HTTPSPolicyCallbackData.fdwChecks");
PWH_ASSERT(offsetof(HTTPSPolicyCallbackData, pwszServerName) == 16, "HTTPSPolicyCallbackData.pwszServerName");
PWH_ASSERT(sizeof(SecPkgContext_IssuerListInfoEx) == 16, "SecPkgContext_IssuerListInfoEx");
PWH_ASSERT(offsetof(SecPkgContext_IssuerListInfoEx, aIssuers) == 0, "SecPkgContext_IssuerListInfoEx.aIssuers");
PWH_ASSERT(offsetof(SecPkgContext_IssuerListInfoEx, cIssuers) == 8, "SecPkgContext_IssuerListInfoEx.cIssuers");
PWH_ASSERT(sizeof(SecPkgContext_Bindings) == 16, "SecPkgContext_Bindings");
PWH_ASSERT(offsetof(SecPkgContext_Bindings, BindingsLength) == 0, "SecPkgContext_Bindings.BindingsLength");
PWH_ASSERT(offsetof(SecPkgContext_Bindings, Bindings) == 8, "SecPkgContext_Bindings.Bindings");
PWH_ASSERT(sizeof(SEC_CHANNEL_BINDINGS) == 32, "SEC_CHANNEL_BINDINGS");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, dwInitiatorAddrType) == 0, "SEC_CHANNEL_BINDINGS.dwInitiatorAddrType");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, cbInitiatorLength) == 4, "SEC_CHANNEL_BINDINGS.cbInitiatorLength");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, dwInitiatorOffset) == 8, "SEC_CHANNEL_BINDINGS.dwInitiatorOffset");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, dwAcceptorAddrType) == 12, "SEC_CHANNEL_BINDINGS.dwAcceptorAddrType");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, cbAcceptorLength) == 16, "SEC_CHANNEL_BINDINGS.cbAcceptorLength");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, dwAcceptorOffset) == 20, "SEC_CHANNEL_BINDINGS.dwAcceptorOffset");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, cbApplicationDataLength) == 24, "SEC_CHANNEL_BINDINGS.cbApplicationDataLength");
PWH_ASSERT(offsetof(SEC_CHANNEL_BINDINGS, dwApplicationDataOffset) == 28, "SEC_CHANNEL_BINDINGS.dwApplicationDataOffset");
PWH_ASSERT(sizeof(SecPkgContext_ConnectionInfo) == 28, "SecPkgContext_ConnectionInfo");
PWH_ASSERT(offsetof(SecPkgContext_ConnectionInfo, dwProtocol) == 0, "SecPkgContext_ConnectionInfo.dwProtocol");
PWH_ASSERT(offsetof(SecPkgContext_ConnectionInfo, aiCipher) == 4, "SecPkgContext_ConnectionInfo.aiCipher");
PWH_ASSERT(offsetof(SecPkgContext_ConnectionInfo, dwCipherStrength) == 8, "SecPkgContext_ConnectionInfo.dwCipherStrength");
PWH_ASSERT(offsetof(SecPkgContext_ConnectionInfo, aiHash) == 12, "SecPkgContext_ConnectionInfo.aiHash");
PWH_ASSERT(offsetof(SecPkgContext_ConnectionInfo, dwHashStrength) == 16, "SecPkgContext_ConnectionInfo.dwHashStrength");
PWH_ASSERT(offsetof(SecPkgContext_ConnectionInfo, aiExch) == 20, "SecPkgContext_ConnectionInfo.aiExch");
PWH_ASSERT(offsetof(SecPkgContext_ConnectionInfo, dwExchStrength) == 24, "SecPkgContext_ConnectionInfo.dwExchStrength");
PWH_ASSERT(sizeof(SecPkgContext_CipherInfo) == 680, "SecPkgContext_CipherInfo");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwVersion) == 0, "SecPkgContext_CipherInfo.dwVersion");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwProtocol) == 4, "SecPkgContext_CipherInfo.dwProtocol");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwCipherSuite) == 8, "SecPkgContext_CipherInfo.dwCipherSuite");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwBaseCipherSuite) == 12, "SecPkgContext_CipherInfo.dwBaseCipherSuite");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, szCipherSuite) == 16, "SecPkgContext_CipherInfo.szCipherSuite");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, szCipher) == 144, "SecPkgContext_CipherInfo.szCipher");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwCipherLen) == 272, "SecPkgContext_CipherInfo.dwCipherLen");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwCipherBlockLen) == 276, "SecPkgContext_CipherInfo.dwCipherBlockLen");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, szHash) == 280, "SecPkgContext_CipherInfo.szHash");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwHashLen) == 408, "SecPkgContext_CipherInfo.dwHashLen");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, szExchange) == 412, "SecPkgContext_CipherInfo.szExchange");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwMinExchangeLen) == 540, "SecPkgContext_CipherInfo.dwMinExchangeLen");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwMaxExchangeLen) == 544, "SecPkgContext_CipherInfo.dwMaxExchangeLen");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, szCertificate) == 548, "SecPkgContext_CipherInfo.szCertificate");
PWH_ASSERT(offsetof(SecPkgContext_CipherInfo, dwKeyType) == 676, "SecPkgContext_CipherInfo.dwKeyType");
#endif

BOOL WINAPI CertGetCertificateChain(HCERTCHAINENGINE hchainengine, PCCERT_CONTEXT pcertcontext, const FILETIME *ptime, HCERTSTORE hadditionalstore, const CERT_CHAIN_PARA *pchainpara, DWORD dwflags, LPCVOID pvreserved, PCCERT_CHAIN_CONTEXT *ppchaincontext);
PCCERT_CHAIN_CONTEXT WINAPI CertDuplicateCertificateChain(PCCERT_CHAIN_CONTEXT pchaincontext);
void WINAPI CertFreeCertificateChain(PCCERT_CHAIN_CONTEXT pchaincontext);
PCCERT_CONTEXT WINAPI CertCreateCertificateContext(DWORD dwcertencodingtype, const BYTE *pbcertencoded, DWORD cbcertencoded);
PCCERT_CONTEXT WINAPI CertDuplicateCertificateContext(PCCERT_CONTEXT pcertcontext);
BOOL WINAPI CertFreeCertificateContext(PCCERT_CONTEXT pcertcontext);
BOOL WINAPI CertCreateCertificateChainEngine(const CERT_CHAIN_ENGINE_CONFIG *pconfig, HCERTCHAINENGINE *phchainengine);
void WINAPI CertFreeCertificateChainEngine(HCERTCHAINENGINE hchainengine);
PCCERT_CONTEXT WINAPI CertFindCertificateInStore(HCERTSTORE hcertstore, DWORD dwcertencodingtype, DWORD dwfindflags, DWORD dwfindtype, LPCVOID pvfindpara, PCCERT_CONTEXT pprevcertcontext);
PCCERT_CHAIN_CONTEXT WINAPI CertFindChainInStore(HCERTSTORE hcertstore, DWORD dwcertencodingtype, DWORD dwfindflags, DWORD dwfindtype, LPCVOID pvfindpara, PCCERT_CHAIN_CONTEXT pprevchaincontext);
PCCERT_CONTEXT WINAPI PortableWinHttpClientCertificateFromPem(LPCSTR certificates, LPCSTR key);
DWORD WINAPI CertGetNameStringW(PCCERT_CONTEXT pcertcontext, DWORD dwtype, DWORD dwflags, LPCVOID pvtypepara, LPWSTR psznamestring, DWORD cchnamestring);
DWORD WINAPI CertGetNameStringA(PCCERT_CONTEXT pcertcontext, DWORD dwtype, DWORD dwflags, LPCVOID pvtypepara, BYTE *psznamestring, DWORD cchnamestring);
DWORD WINAPI CertNameToStrW(DWORD dwcertencodingtype, const CRYPT_INTEGER_BLOB *pname, DWORD dwstrtype, LPWSTR psz, DWORD csz);
HCERTSTORE WINAPI CertOpenStore(LPCSTR lpszstoreprovider, DWORD dwencodingtype, DWORD_PTR hcryptprov, DWORD dwflags, LPCVOID pvpara);
HCERTSTORE WINAPI CertOpenSystemStoreW(DWORD_PTR hprov, LPCWSTR szsubsystemprotocol);
HCERTSTORE WINAPI CertOpenSystemStoreA(DWORD_PTR hprov, LPCSTR szsubsystemprotocol);
HCERTSTORE WINAPI PFXImportCertStore(const CRYPT_INTEGER_BLOB *ppfx, LPCWSTR szpassword, DWORD dwflags);
BOOL WINAPI CertVerifyCertificateChainPolicy(LPCSTR pszpolicyoid, PCCERT_CHAIN_CONTEXT pchaincontext, const CERT_CHAIN_POLICY_PARA *ppolicypara, CERT_CHAIN_POLICY_STATUS *ppolicystatus);
BOOL WINAPI CertGetCertificateContextProperty(PCCERT_CONTEXT pcertcontext, DWORD dwpropid, LPVOID pvdata, LPDWORD pcbdata);
BOOL WINAPI CertSetCertificateContextProperty(PCCERT_CONTEXT pcertcontext, DWORD dwpropid, DWORD dwflags, LPCVOID pvdata);
HCERTSTORE WINAPI CertDuplicateStore(HCERTSTORE hcertstore);
BOOL WINAPI CertCloseStore(HCERTSTORE hcertstore, DWORD dwflags);
PCCERT_CONTEXT WINAPI CertEnumCertificatesInStore(HCERTSTORE hcertstore, PCCERT_CONTEXT pprevcertcontext);
BOOL WINAPI CertAddEncodedCertificateToStore(HCERTSTORE hcertstore, DWORD dwcertencodingtype, const BYTE *pbcertencoded, DWORD cbcertencoded, DWORD dwadddisposition, PCCERT_CONTEXT *ppcertcontext);
BOOL WINAPI CertAddCertificateContextToStore(HCERTSTORE hcertstore, PCCERT_CONTEXT pcertcontext, DWORD dwadddisposition, PCCERT_CONTEXT *ppstorecontext);
BOOL WINAPI CertDeleteCertificateFromStore(PCCERT_CONTEXT pcertcontext);

#ifdef __cplusplus
}
#endif

#endif
