//! WinHttpQueryAuthSchemes, WinHttpSetCredentials.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{done, find, put, text};
use crate::http::auth::{self, Target};
use crate::machine::ExplicitCredentials;
use crate::win32::*;

/// Says which authentication schemes the reply offers (nf-winhttp-winhttpqueryauthschemes, source auth.schemes): the
/// WINHTTP_AUTH_SCHEME_* bits that WinHTTP knows, the first of them, and whether the server (401)
/// or the proxy (407) asks.
///
/// ERROR_INVALID_PARAMETER for a NULL pointer; ERROR_INVALID_OPERATION without a reply that has a challenge
/// of a scheme that WinHTTP knows, and then
/// nothing is written.
///
/// # Safety
/// The three pointers are NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpQueryAuthSchemes(
    hrequest: HINTERNET,
    lpdwsupportedschemes: *mut u32,
    lpdwfirstscheme: *mut u32,
    pdwauthtarget: *mut u32,
) -> BOOL {
    done("WinHttpQueryAuthSchemes", hrequest, || {
        let handle = find(hrequest)?;
        let request = handle.as_request()?;
        if lpdwsupportedschemes.is_null() || lpdwfirstscheme.is_null() || pdwauthtarget.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let offer = request.with(|machine| machine.response_head().ok().and_then(auth::offer));
        let offer = offer.ok_or(ERROR_INVALID_OPERATION)?;
        // SAFETY: the caller's promise.
        unsafe {
            put(lpdwsupportedschemes, offer.supported);
            put(lpdwfirstscheme, offer.first);
            put(pdwauthtarget, offer.target.number());
        }
        Ok(())
    })
}

/// Gives a request credentials (nf-winhttp-winhttpsetcredentials, source auth.set-credentials), instead of those of the
/// options USERNAME and PASSWORD. They are for one WinHttpSendRequest, the next one, whatever becomes of it: give them
/// again before each further one (source auth.one-send). One that follows ERROR_WINHTTP_RESEND_REQUEST is the same (source
/// auth.one-send-resent).
///
/// They are for the server that the request is for at this moment: a redirect to another scheme, host or port does not
/// take them along. Basic goes out unasked with whatever that call sends; Digest when its challenge is known, and
/// answers one that comes. A header Authorization of the application's own stands in for both.
///
/// NTLM, Negotiate and Passport are taken, also without user and password (the default credentials), but nothing is
/// sent for them yet: the 401 is the answer. Credentials for a proxy go to HTTP proxies only: with the request when the
/// proxy gets that itself, with CONNECT when it opens a tunnel, never through one; a server that answers 407 gets none. A
/// redirect to another server ends them: set them again inside REDIRECT, or answer the 407 (source auth.proxy-redirect).
///
/// ERROR_INVALID_PARAMETER for another target or scheme, for several schemes, for Basic or Digest without user or
/// password, and for a user without a password (source AU9).
///
/// # Safety
/// The strings are NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpSetCredentials(
    hrequest: HINTERNET,
    authtargets: u32,
    authscheme: u32,
    pwszusername: PCWSTR,
    pwszpassword: PCWSTR,
    _pauthparams: *mut c_void,
) -> BOOL {
    done("WinHttpSetCredentials", hrequest, || {
        let handle = find(hrequest)?;
        let request = handle.as_request()?;
        let target = Target::of_number(authtargets).ok_or(ERROR_INVALID_PARAMETER)?;
        // SAFETY: the caller's promise, for both.
        let (user, password) = unsafe { (text(pwszusername), text(pwszpassword)) };
        let complete = match authscheme {
            WINHTTP_AUTH_SCHEME_BASIC | WINHTTP_AUTH_SCHEME_DIGEST => user.is_some() && password.is_some(),
            WINHTTP_AUTH_SCHEME_NTLM | WINHTTP_AUTH_SCHEME_NEGOTIATE | WINHTTP_AUTH_SCHEME_PASSPORT => {
                user.is_none() || password.is_some()
            }
            _ => false,
        };
        if !complete {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let string = |text: Option<Vec<u16>>| String::from_utf16_lossy(&text.unwrap_or_default());
        let explicit = ExplicitCredentials { scheme: authscheme, user: string(user), password: string(password) };
        let seed = handle.random();
        let origin = request.with(|machine| machine.origin().clone());
        request.configure(|config| config.credentials.choose(target, explicit, &origin, seed));
        Ok(())
    })
}
