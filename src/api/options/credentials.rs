//! Who the user is.

use super::row::*;
use crate::http::auth::Target;
use crate::machine::Part;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_USERNAME: Shape::Text)
        .query(REQUEST, Get::Of(|subject| credential(subject, Target::Server, Part::User)))
        .set(REQUEST, Put::To(|subject, given| set_credential(subject, given, Target::Server, Part::User))),
    option!(WINHTTP_OPTION_PASSWORD: Shape::Text)
        .query(REQUEST, Get::Of(|subject| credential(subject, Target::Server, Part::Password)))
        .set(REQUEST, Put::To(|subject, given| set_credential(subject, given, Target::Server, Part::Password))),
    option!(WINHTTP_OPTION_PROXY_USERNAME: Shape::Text)
        .query(REQUEST, Get::Of(|subject| credential(subject, Target::Proxy, Part::User)))
        .set(REQUEST, Put::To(|subject, given| set_credential(subject, given, Target::Proxy, Part::User))),
    option!(WINHTTP_OPTION_PROXY_PASSWORD: Shape::Text)
        .query(REQUEST, Get::Of(|subject| credential(subject, Target::Proxy, Part::Password)))
        .set(REQUEST, Put::To(|subject, given| set_credential(subject, given, Target::Proxy, Part::Password))),
    option!(WINHTTP_OPTION_AUTOLOGON_POLICY: Shape::Dword)
        .set(
            REQUEST,
            Put::To(|_, given| match given.dword() {
                0..=WINHTTP_AUTOLOGON_SECURITY_LEVEL_PROXY_ONLY => Ok(()),
                _ => Err(ERROR_INVALID_PARAMETER),
            }),
        )
        .default("0")
        .note("Default credentials are never sent: every policy is kept."),
    option!(WINHTTP_OPTION_PASSPORT_COBRANDING_TEXT: Shape::Text).absent(
        REQUEST,
        0,
        "The Passport service is no more.",
    ),
    option!(WINHTTP_OPTION_PASSPORT_COBRANDING_URL: Shape::Text).absent(REQUEST, 0, "The Passport service is no more."),
    option!(WINHTTP_OPTION_CONFIGURE_PASSPORT_AUTH: Shape::Dword)
        .set(SESSION, Put::Setting(|s, bits| s.passport = bits & WINHTTP_ENABLE_PASSPORT_AUTH != 0))
        .inherited()
        .default_setting(|s| s.passport.into())
        .note("A redirect to a login reads as 401; the login itself is not spoken."),
    option!(WINHTTP_OPTION_PASSPORT_SIGN_OUT: Shape::Struct("LPVOID", 8)).absent(
        0,
        SESSION,
        "The Passport service is no more.",
    ),
    option!(WINHTTP_OPTION_PASSPORT_RETURN_URL: Shape::Struct("LPVOID", 8)).absent(
        REQUEST,
        0,
        "The Passport service is no more.",
    ),
    option!(WINHTTP_OPTION_SPN: Shape::Dword).absent(0, REQUEST, "Needs Negotiate, which is not spoken."),
    option!(WINHTTP_OPTION_GLOBAL_PROXY_CREDS: Shape::Struct("WINHTTP_CREDS_EX", size_of::<WINHTTP_CREDS_EX>()))
        .absent(
            0,
            PROCESS,
            "There is no WinINet to share credentials with; Windows refuses it, too, unless the registry allows it.",
        ),
    option!(WINHTTP_OPTION_GLOBAL_SERVER_CREDS: Shape::Struct("WINHTTP_CREDS_EX", size_of::<WINHTTP_CREDS_EX>()))
        .absent(
            0,
            PROCESS,
            "There is no WinINet to share credentials with; Windows refuses it, too, unless the registry allows it.",
        ),
    option!(WINHTTP_OPTION_USE_GLOBAL_SERVER_CREDENTIALS: Shape::Bool).absent(
        0,
        SESSION,
        "There is no WinINet to share credentials with; Windows refuses it, too, unless the registry allows it.",
    ),
    option!(WINHTTP_OPTION_SERVER_SPN_USED: Shape::Text).absent(REQUEST, 0, "Needs Negotiate, which is not spoken."),
    option!(WINHTTP_OPTION_PROXY_SPN_USED: Shape::Text).absent(REQUEST, 0, "Needs Negotiate, which is not spoken."),
    option!(WINHTTP_OPTION_KDC_PROXY_SETTINGS: Shape::Unknown).absent(0, 0, "No page describes it."),
];

fn credential(subject: &Subject, target: Target, part: Part) -> Result<Value, Win32Error> {
    Ok(Value::Text(subject.request()?.with(|machine| machine.config.credentials.get(target, part))))
}

fn set_credential(subject: &Subject, given: &Given<'_>, target: Target, part: Part) -> Result<(), Win32Error> {
    let seed = subject.handle()?.random();
    let request = subject.request()?;
    let origin = request.with(|machine| machine.origin().clone());
    request.configure(|config| config.credentials.set(target, part, given.string(), &origin, seed));
    Ok(())
}
