//! All structures and unions of `windows_sys::Win32::Networking::WinHttp`: size, alignment and every offset.

use std::mem::{align_of, offset_of, size_of};

use portable_winhttp::win32 as ours;
use windows_sys::Win32::Networking::WinHttp as theirs;

macro_rules! layouts {
    ($($name:ident: $($field:ident)*;)*) => {
        /// Name, what is measured, ours, theirs.
        pub const LAYOUTS: &[(&str, &str, usize, usize)] = &[$(
            (stringify!($name), "size", size_of::<ours::$name>(), size_of::<theirs::$name>()),
            (stringify!($name), "alignment", align_of::<ours::$name>(), align_of::<theirs::$name>()),
            $((stringify!($name), stringify!($field), offset_of!(ours::$name, $field), offset_of!(theirs::$name, $field)),)*
        )*];
    };
}

layouts! {
    WINHTTP_ASYNC_RESULT: dwResult dwError;
    WINHTTP_WEB_SOCKET_ASYNC_RESULT: AsyncResult Operation;
    WINHTTP_WEB_SOCKET_STATUS: dwBytesTransferred eBufferType;
    URL_COMPONENTS: dwStructSize lpszScheme dwSchemeLength nScheme lpszHostName dwHostNameLength nPort lpszUserName dwUserNameLength lpszPassword dwPasswordLength lpszUrlPath dwUrlPathLength lpszExtraInfo dwExtraInfoLength;
    WINHTTP_PROXY_INFO: dwAccessType lpszProxy lpszProxyBypass;
    WINHTTP_AUTOPROXY_OPTIONS: dwFlags dwAutoDetectFlags lpszAutoConfigUrl lpvReserved dwReserved fAutoLogonIfChallenged;
    WINHTTP_CURRENT_USER_IE_PROXY_CONFIG: fAutoDetect lpszAutoConfigUrl lpszProxy lpszProxyBypass;
    WINHTTP_PROXY_RESULT_ENTRY: fProxy fBypass ProxyScheme pwszProxy ProxyPort;
    WINHTTP_PROXY_RESULT: cEntries pEntries;
    WINHTTP_PROXY_RESULT_EX: cEntries pEntries hProxyDetectionHandle dwProxyInterfaceAffinity;
    WINHTTP_REQUEST_TIMES: cTimes rgullTimes;
    WINHTTP_REQUEST_STATS: ullFlags ulIndex cStats rgullStats;
    WINHTTP_CONNECTION_INFO: cbSize LocalAddress RemoteAddress;
    WINHTTP_CERTIFICATE_INFO: ftExpiry ftStart lpszSubjectInfo lpszIssuerInfo lpszProtocolName lpszSignatureAlgName lpszEncryptionAlgName dwKeySize;
    HTTP_VERSION_INFO: dwMajorVersion dwMinorVersion;
    WINHTTP_EXTENDED_HEADER: Anonymous1 Anonymous2;
    WINHTTP_EXTENDED_HEADER_0: pwszName pszName;
    WINHTTP_EXTENDED_HEADER_1: pwszValue pszValue;
    WINHTTP_HEADER_NAME: pwszName pszName;
    WINHTTP_CREDS: lpszUserName lpszPassword lpszRealm dwAuthScheme lpszHostName dwPort;
    WINHTTP_CREDS_EX: lpszUserName lpszPassword lpszRealm dwAuthScheme lpszHostName dwPort lpszUrl;
    WINHTTP_FAILED_CONNECTION_RETRIES: dwMaxRetries dwAllowedRetryConditions;
    WINHTTP_HTTP2_RECEIVE_WINDOW: ulStreamWindow ulStreamWindowUpdateDelta;
    WINHTTP_MATCH_CONNECTION_GUID: ConnectionGuid ullFlags;
    WINHTTP_CONNECTION_GROUP: cConnections guidGroup;
    WINHTTP_HOST_CONNECTION_GROUP: pwszHost cConnectionGroups pConnectionGroups;
    WINHTTP_QUERY_CONNECTION_GROUP_RESULT: cHosts pHostConnectionGroups;
    WINHTTP_RESOLVER_CACHE_CONFIG: ulMaxResolverCacheEntries ulMaxCacheEntryAge ulMinCacheEntryTtl SecureDnsSetting ullConnResolutionWaitTime ullFlags;
    WINHTTP_PROXY_SETTINGS: dwStructSize dwFlags dwCurrentSettingsVersion pwszConnectionName pwszProxy pwszProxyBypass pwszAutoconfigUrl pwszAutoconfigSecondaryUrl dwAutoDiscoveryFlags pwszLastKnownGoodAutoConfigUrl dwAutoconfigReloadDelayMins ftLastKnownDetectTime dwDetectedInterfaceIpCount pdwDetectedInterfaceIp cNetworkKeys pNetworkKeys;
    WINHTTP_PROXY_NETWORKING_KEY: pbBuffer;
    WINHTTP_PROXY_SETTINGS_EX: ullGenerationId ullFlags pcwszAutoconfigUrl pcwszProxy pcwszSecureProxy cProxyBypasses rgpcwszProxyBypasses dwInterfaceIndex pcwszConnectionName;
    WINHTTP_PROXY_SETTINGS_PARAM: ullFlags pcwszConnectionName pcwszProbeHost;
}

/// What WinHTTP hands out of other headers.
pub mod foreign {
    use std::mem::{align_of, offset_of, size_of};

    use portable_winhttp::win32 as ours;

    mod theirs {
        pub use windows_sys::Win32::Security::Authentication::Identity::*;
        pub use windows_sys::Win32::Security::Cryptography::*;
    }

    layouts! {
        CRYPT_INTEGER_BLOB: cbData pbData;
        CRYPT_BIT_BLOB: cbData pbData cUnusedBits;
        CRYPT_ALGORITHM_IDENTIFIER: pszObjId Parameters;
        CERT_PUBLIC_KEY_INFO: Algorithm PublicKey;
        CERT_EXTENSION: pszObjId fCritical Value;
        CERT_INFO: dwVersion SerialNumber SignatureAlgorithm Issuer NotBefore NotAfter Subject SubjectPublicKeyInfo IssuerUniqueId SubjectUniqueId cExtension rgExtension;
        CERT_CONTEXT: dwCertEncodingType pbCertEncoded cbCertEncoded pCertInfo hCertStore;
        CERT_TRUST_STATUS: dwErrorStatus dwInfoStatus;
        CERT_CHAIN_ELEMENT: cbSize pCertContext TrustStatus pRevocationInfo pIssuanceUsage pApplicationUsage pwszExtendedErrorInfo;
        CERT_SIMPLE_CHAIN: cbSize TrustStatus cElement rgpElement pTrustListInfo fHasRevocationFreshnessTime dwRevocationFreshnessTime;
        CERT_CHAIN_CONTEXT: cbSize TrustStatus cChain rgpChain cLowerQualityChainContext rgpLowerQualityChainContext fHasRevocationFreshnessTime dwRevocationFreshnessTime dwCreateFlags ChainId;
        CTL_USAGE: cUsageIdentifier rgpszUsageIdentifier;
        CERT_USAGE_MATCH: dwType Usage;
        CERT_CHAIN_PARA: cbSize RequestedUsage RequestedIssuancePolicy dwUrlRetrievalTimeout fCheckRevocationFreshnessTime dwRevocationFreshnessTime pftCacheResync pStrongSignPara dwStrongSignFlags;
        CERT_CHAIN_ENGINE_CONFIG: cbSize hRestrictedRoot hRestrictedTrust hRestrictedOther cAdditionalStore rghAdditionalStore dwFlags dwUrlRetrievalTimeout MaximumCachedCertificates CycleDetectionModulus hExclusiveRoot hExclusiveTrustedPeople dwExclusiveFlags;
        CERT_CHAIN_POLICY_PARA: cbSize dwFlags pvExtraPolicyPara;
        CERT_CHAIN_POLICY_STATUS: cbSize dwError lChainIndex lElementIndex pvExtraPolicyStatus;
        CERT_CHAIN_FIND_BY_ISSUER_PARA: cbSize pszUsageIdentifier dwKeySpec dwAcquirePrivateKeyFlags cIssuer rgIssuer pfnFindCallback pvFindArg;
        HTTPSPolicyCallbackData: dwAuthType fdwChecks pwszServerName;
        SecPkgContext_IssuerListInfoEx: aIssuers cIssuers;
        SecPkgContext_Bindings: BindingsLength Bindings;
        SEC_CHANNEL_BINDINGS: dwInitiatorAddrType cbInitiatorLength dwInitiatorOffset dwAcceptorAddrType cbAcceptorLength dwAcceptorOffset cbApplicationDataLength dwApplicationDataOffset;
        SecPkgContext_ConnectionInfo: dwProtocol aiCipher dwCipherStrength aiHash dwHashStrength aiExch dwExchStrength;
        SecPkgContext_CipherInfo: dwVersion dwProtocol dwCipherSuite dwBaseCipherSuite szCipherSuite szCipher dwCipherLen dwCipherBlockLen szHash dwHashLen szExchange dwMinExchangeLen dwMaxExchangeLen szCertificate dwKeyType;
    }

    pub fn rows() -> &'static [(&'static str, &'static str, usize, usize)] {
        LAYOUTS
    }
}

#[test]
fn every_structure_has_windows_layout() {
    assert_eq!(LAYOUTS.iter().filter(|row| row.1 == "size").count(), 32);
    for (name, what, ours, theirs) in LAYOUTS.iter().chain(foreign::rows()) {
        assert_eq!(ours, theirs, "{name}: {what}");
    }
}
