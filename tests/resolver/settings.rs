//! The settings of the process and of the user.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use portable_winhttp::http::proxy::{Named, UserSettings};
use portable_winhttp::lab::{Reply, Sim, any};
use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GlobalFree};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;

#[test]
fn default_proxy_is_what_the_process_was_told() {
    let sim = Sim::new();
    sim.peer("http://proxy.test:3128").on(any()).reply(Reply::ok());
    sim.peer("http://www.test").on(any()).reply(Reply::status(204));
    let before = open(WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, false);
    let set = |access, proxy: Option<&str>, bypass: Option<&str>| {
        let (proxy, bypass) = (proxy.map(wide), bypass.map(wide));
        let pointer = |text: &Option<Vec<u16>>| text.as_ref().map_or(null_mut(), |text| text.as_ptr().cast_mut());
        let mut info =
            WINHTTP_PROXY_INFO { dwAccessType: access, lpszProxy: pointer(&proxy), lpszProxyBypass: pointer(&bypass) };
        // SAFETY: a structure with NUL-terminated strings.
        if unsafe { WinHttpSetDefaultProxyConfiguration(&mut info) } == 1 { 0 } else { last_error() }
    };
    const NAMED: u32 = WINHTTP_ACCESS_TYPE_NAMED_PROXY;
    // Wrong ones are 87 (source proxy.default-config).
    let rows = [
        (WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, None, None, 87),
        (WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, None, None, 87),
        (2, None, None, 87),
        (NAMED, None, None, 87),
        (NAMED, None, Some("bypass"), 87),
        (NAMED, Some("pr\u{f6}xy"), None, 87),
        (NAMED, Some("proxy"), Some("b\u{fc}cher"), 87),
        (NAMED, Some("proxy.test:3128"), Some("<local>"), 0),
    ];
    for (access, proxy, bypass, error) in rows {
        assert_eq!(set(access, proxy, bypass), error, "{access} {proxy:?} {bypass:?}");
    }
    // SAFETY: places for structures, whose strings are freed behind.
    unsafe {
        let mut info: WINHTTP_PROXY_INFO = std::mem::zeroed();
        assert_eq!(WinHttpGetDefaultProxyConfiguration(&mut info), 1);
        let told = (info.dwAccessType, string(info.lpszProxy), string(info.lpszProxyBypass));
        assert_eq!(told, (NAMED, Some("proxy.test:3128".into()), Some("<local>".into())));
        GlobalFree(info.lpszProxy.cast());
        GlobalFree(info.lpszProxyBypass.cast());
        let mut length = size_of::<WINHTTP_PROXY_INFO>() as u32;
        assert_eq!(WinHttpQueryOption(null_mut(), WINHTTP_OPTION_PROXY, (&raw mut info).cast(), &mut length), 1);
        assert_eq!((info.dwAccessType, string(info.lpszProxy)), (NAMED, Some("proxy.test:3128".into())));
        GlobalFree(info.lpszProxy.cast());
        GlobalFree(info.lpszProxyBypass.cast());
        assert_eq!((WinHttpGetIEProxyConfigForCurrentUser(null_mut()), last_error()), (0, 87));
        let mut config: WINHTTP_CURRENT_USER_IE_PROXY_CONFIG = std::mem::zeroed();
        assert_eq!((WinHttpGetIEProxyConfigForCurrentUser(&mut config), last_error()), (1, 0));
        assert!(config.fAutoDetect == 0 && config.lpszProxy.is_null() && config.lpszAutoConfigUrl.is_null());
    }
    let after = open(WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, false);
    assert_eq!(fetch(before, "www.test", false), Ok(204), "sessions keep what was when they were opened");
    assert_eq!(fetch(after, "www.test", false), Ok(200));
    close(before);
    close(after);
}

#[test]
fn settings_are_read_and_watched() {
    unsafe extern "system" fn changed(flags: u64, context: *const c_void) {
        assert_eq!(flags, u64::from(WINHTTP_PROXY_NOTIFY_CHANGE));
        // SAFETY: the counter of this test.
        unsafe { &*context.cast::<Mutex<u32>>() }.lock().map(|mut count| *count += 1).unwrap();
    }
    // Declared by the header, not by windows-sys.
    use portable_winhttp::api::{
        WinHttpFreeProxySettingsEx, WinHttpGetProxySettingsEx, WinHttpGetProxySettingsResultEx,
        WinHttpRegisterProxyChangeNotification, WinHttpUnregisterProxyChangeNotification,
    };
    let sim = Sim::new();
    let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
    let resolver = resolver(session);
    let count: &Mutex<u32> = Box::leak(Box::new(Mutex::new(0)));
    let mut registration = null_mut();
    let context = (&raw const *count).cast();
    // SAFETY: valid places; the context lives for ever.
    unsafe {
        assert_eq!(WinHttpRegisterProxyChangeNotification(1, None, context, &mut registration), 87);
        assert_eq!(WinHttpRegisterProxyChangeNotification(2, Some(changed), context, &mut registration), 87);
        assert_eq!(WinHttpRegisterProxyChangeNotification(1, Some(changed), context, &mut registration), 0);
        let named = Named::parse("http=p:1;https=https://q", Some("<local>;*.corp")).unwrap();
        proxies(|proxies| {
            proxies.set_user(UserSettings { detect: true, script: Some("http://pac/".into()), named: Some(named) });
        });
        sim.settle();
        assert_eq!(*count.lock().unwrap(), 1);
        assert_eq!(WinHttpUnregisterProxyChangeNotification(registration), 0);
        assert_eq!(WinHttpUnregisterProxyChangeNotification(registration), 6);
        proxies(|proxies| proxies.set_user(proxies.user()));
        sim.settle();
        assert_eq!(*count.lock().unwrap(), 1);

        let (notes, context) = seen();
        let mut settings: WINHTTP_PROXY_SETTINGS_EX = std::mem::zeroed();
        let place = (&raw mut settings).cast();
        assert_eq!(WinHttpGetProxySettingsResultEx(resolver, place), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        assert_eq!(WinHttpGetProxySettingsEx(resolver, 0, null(), context), 87);
        assert_eq!(WinHttpGetProxySettingsEx(resolver, 1, null(), context), ERROR_IO_PENDING);
        sim.block_until(|| !notes.lock().unwrap().is_empty());
        assert_eq!(notes.lock().unwrap()[0].0, WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE);
        assert_eq!(WinHttpGetProxySettingsResultEx(resolver, place), 0);
        assert_eq!((settings.ullGenerationId, settings.ullFlags), (2, 15));
        let texts =
            [settings.pcwszAutoconfigUrl, settings.pcwszProxy, settings.pcwszSecureProxy].map(|text| string(text));
        assert_eq!(texts.map(Option::unwrap), ["http://pac/", "http://p:1", "https://q:443"]);
        let bypasses = std::slice::from_raw_parts(settings.rgpcwszProxyBypasses, settings.cProxyBypasses as usize);
        let bypasses: Vec<_> = bypasses.iter().map(|text| string(*text).unwrap()).collect();
        assert_eq!(bypasses, ["<local>", "*.corp"]);
        assert_eq!(WinHttpFreeProxySettingsEx(1, place), 0);
        let mut version = 0;
        assert_eq!(WinHttpGetProxySettingsVersion(session, &mut version), 0);
        assert_eq!(version, 2);
    }
    close(resolver);
    close(session);
}
