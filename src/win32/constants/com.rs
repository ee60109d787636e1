//! Numbers of the WinHttpRequest COM object. The object itself is not part of this crate.
#![allow(non_upper_case_globals)]

constants! {
    AutoLogonPolicy_Always: i32 = 0, "COM WinHttpRequest object: Always.";
    AutoLogonPolicy_Never: i32 = 2, "COM WinHttpRequest object: Never.";
    AutoLogonPolicy_OnlyIfBypassProxy: i32 = 1, "COM WinHttpRequest object: OnlyIfBypassProxy.";
    HTTPREQUEST_PROXYSETTING_DEFAULT: u32 = 0, "COM WinHttpRequest object: PROXYSETTING DEFAULT.";
    HTTPREQUEST_PROXYSETTING_DIRECT: u32 = 1, "COM WinHttpRequest object: PROXYSETTING DIRECT.";
    HTTPREQUEST_PROXYSETTING_PRECONFIG: u32 = 0, "COM WinHttpRequest object: PROXYSETTING PRECONFIG.";
    HTTPREQUEST_PROXYSETTING_PROXY: u32 = 2, "COM WinHttpRequest object: PROXYSETTING PROXY.";
    HTTPREQUEST_SETCREDENTIALS_FOR_PROXY: u32 = 1, "COM WinHttpRequest object: SETCREDENTIALS FOR PROXY.";
    HTTPREQUEST_SETCREDENTIALS_FOR_SERVER: u32 = 0, "COM WinHttpRequest object: SETCREDENTIALS FOR SERVER.";
    SecureProtocol_ALL: i32 = 168, "COM WinHttpRequest object: ALL.";
    SecureProtocol_SSL2: i32 = 8, "COM WinHttpRequest object: SSL2.";
    SecureProtocol_SSL3: i32 = 32, "COM WinHttpRequest object: SSL3.";
    SecureProtocol_TLS1: i32 = 128, "COM WinHttpRequest object: TLS1.";
    SecureProtocol_TLS1_1: i32 = 512, "COM WinHttpRequest object: TLS1 1.";
    SecureProtocol_TLS1_2: i32 = 2048, "COM WinHttpRequest object: TLS1 2.";
    SslErrorFlag_CertCNInvalid: i32 = 4096, "COM WinHttpRequest object: CertCNInvalid.";
    SslErrorFlag_CertDateInvalid: i32 = 8192, "COM WinHttpRequest object: CertDateInvalid.";
    SslErrorFlag_CertWrongUsage: i32 = 512, "COM WinHttpRequest object: CertWrongUsage.";
    SslErrorFlag_Ignore_All: i32 = 13056, "COM WinHttpRequest object: Ignore All.";
    SslErrorFlag_UnknownCA: i32 = 256, "COM WinHttpRequest object: UnknownCA.";
    WinHttpRequestOption_EnableCertificateRevocationCheck: i32 = 18, "COM WinHttpRequest object: EnableCertificateRevocationCheck.";
    WinHttpRequestOption_EnableHttp1_1: i32 = 17, "COM WinHttpRequest object: EnableHttp1 1.";
    WinHttpRequestOption_EnableHttpsToHttpRedirects: i32 = 12, "COM WinHttpRequest object: EnableHttpsToHttpRedirects.";
    WinHttpRequestOption_EnablePassportAuthentication: i32 = 13, "COM WinHttpRequest object: EnablePassportAuthentication.";
    WinHttpRequestOption_EnableRedirects: i32 = 6, "COM WinHttpRequest object: EnableRedirects.";
    WinHttpRequestOption_EnableTracing: i32 = 10, "COM WinHttpRequest object: EnableTracing.";
    WinHttpRequestOption_EscapePercentInURL: i32 = 3, "COM WinHttpRequest object: EscapePercentInURL.";
    WinHttpRequestOption_MaxAutomaticRedirects: i32 = 14, "COM WinHttpRequest object: MaxAutomaticRedirects.";
    WinHttpRequestOption_MaxResponseDrainSize: i32 = 16, "COM WinHttpRequest object: MaxResponseDrainSize.";
    WinHttpRequestOption_MaxResponseHeaderSize: i32 = 15, "COM WinHttpRequest object: MaxResponseHeaderSize.";
    WinHttpRequestOption_RejectUserpwd: i32 = 19, "COM WinHttpRequest object: RejectUserpwd.";
    WinHttpRequestOption_RevertImpersonationOverSsl: i32 = 11, "COM WinHttpRequest object: RevertImpersonationOverSsl.";
    WinHttpRequestOption_SecureProtocols: i32 = 9, "COM WinHttpRequest object: SecureProtocols.";
    WinHttpRequestOption_SelectCertificate: i32 = 5, "COM WinHttpRequest object: SelectCertificate.";
    WinHttpRequestOption_SslErrorIgnoreFlags: i32 = 4, "COM WinHttpRequest object: SslErrorIgnoreFlags.";
    WinHttpRequestOption_URL: i32 = 1, "COM WinHttpRequest object: URL.";
    WinHttpRequestOption_URLCodePage: i32 = 2, "COM WinHttpRequest object: URLCodePage.";
    WinHttpRequestOption_UrlEscapeDisable: i32 = 7, "COM WinHttpRequest object: UrlEscapeDisable.";
    WinHttpRequestOption_UrlEscapeDisableQuery: i32 = 8, "COM WinHttpRequest object: UrlEscapeDisableQuery.";
    WinHttpRequestOption_UserAgentString: i32 = 0, "COM WinHttpRequest object: UserAgentString.";
}

/// Class id of the COM object.
pub const WinHttpRequest: crate::win32::GUID = crate::win32::GUID {
    data1: 0x2087_c2f4,
    data2: 0x2cef,
    data3: 0x4953,
    data4: [0xa8, 0xab, 0x66, 0x77, 0x9b, 0x67, 0x04, 0x95],
};
