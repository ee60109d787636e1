//! CertVerifyCertificateChainPolicy.
#![allow(unsafe_code)]

use super::context::{alive, truth};
use crate::api::edge::{get, text};
use crate::pki::{Ignored, Refusal, chain_refusal, name_refusal};
use crate::win32::*;

/// Asks what a policy says of a chain (nf-wincrypt-certverifycertificatechainpolicy): CERT_CHAIN_POLICY_BASE, or
/// CERT_CHAIN_POLICY_SSL, for which `pvExtraPolicyPara` may lead to an SSL_EXTRA_CERT_CHAIN_POLICY_PARA. TRUE says that it
/// was asked; dwError, lChainIndex and lElementIndex of `ppolicystatus` say what it is, and -1 is no index. For which usage a
/// chain is good was asked when it was built.
///
/// FALSE with ERROR_FILE_NOT_FOUND for any other policy, with E_INVALIDARG for arguments that are none.
///
/// # Safety
/// `pszpolicyoid` is a small number or NUL-terminated; `ppolicypara` is NULL or readable, and so is what its extra parameter
/// leads to, whose name is NULL or NUL-terminated; `ppolicystatus` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertVerifyCertificateChainPolicy(
    pszpolicyoid: PCSTR,
    pchaincontext: *const CERT_CHAIN_CONTEXT,
    ppolicypara: *const CERT_CHAIN_POLICY_PARA,
    ppolicystatus: *mut CERT_CHAIN_POLICY_STATUS,
) -> BOOL {
    truth(|| {
        if ppolicystatus.is_null() {
            return Err(E_INVALIDARG);
        }
        // SAFETY: the caller's promise.
        let (ignored, name) = unsafe { rules(pszpolicyoid.addr(), ppolicypara)? };
        let refusal = {
            let alive = alive();
            let chain = alive.chains.get(&pchaincontext.addr()).ok_or(E_INVALIDARG)?;
            let of_name = || name.as_deref().and_then(|name| name_refusal(&chain.path, name));
            chain_refusal(&chain.status, ignored).or_else(of_name)
        };
        // SAFETY: the caller's promise.
        unsafe { tell(ppolicystatus, refusal) };
        Ok(())
    })
}

/// What the policy ignores, and the name that it wants.
///
/// # Safety
/// As of the function above.
unsafe fn rules(
    policy: usize,
    parameters: *const CERT_CHAIN_POLICY_PARA,
) -> Result<(Ignored, Option<String>), Win32Error> {
    // SAFETY: the caller's promise.
    let given = unsafe { get(parameters) };
    let ignored = Ignored::by_policy(given.map_or(0, |given| given.dwFlags));
    match policy {
        CERT_CHAIN_POLICY_BASE => Ok((ignored, None)),
        CERT_CHAIN_POLICY_SSL => {
            let extra = given.map_or(std::ptr::null_mut(), |given| given.pvExtraPolicyPara);
            // SAFETY: the caller's promise.
            let Some(extra) = (unsafe { get(extra.cast::<HTTPSPolicyCallbackData>()) }) else {
                return Ok((ignored, None));
            };
            // SAFETY: the caller's promise.
            let name = unsafe { text(extra.pwszServerName) }.map(|name| String::from_utf16_lossy(&name));
            let named =
                extra.dwAuthType == AUTHTYPE_SERVER && extra.fdwChecks & SECURITY_FLAG_IGNORE_CERT_CN_INVALID == 0;
            Ok((ignored | Ignored::by_checks(extra.fdwChecks), name.filter(|_| named).map(ascii)))
        }
        _ => Err(ERROR_FILE_NOT_FOUND),
    }
}

/// A name as certificates have it: in Punycode, and addresses without brackets.
fn ascii(name: String) -> String {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(str::to_owned);
    let name = bare.unwrap_or(name);
    match name.is_ascii() {
        true => name,
        false => ::url::Host::parse(&name).map_or(name, |host| host.to_string()),
    }
}

/// # Safety
/// `status` is writable.
unsafe fn tell(status: *mut CERT_CHAIN_POLICY_STATUS, refusal: Option<Refusal>) {
    let (error, chain, element) = match refusal {
        None => (0, -1, -1),
        Some((error, element)) => (error.0, 0, element.map_or(-1, |element| element as i32)),
    };
    // SAFETY: the caller's promise.
    unsafe {
        (&raw mut (*status).dwError).write_unaligned(error);
        (&raw mut (*status).lChainIndex).write_unaligned(chain);
        (&raw mut (*status).lElementIndex).write_unaligned(element);
    }
}
