//! The options that hand out, or take, certificates. What they hand out is freed by functions of crypt32 and of the
//! heaps, so that all of them need the feature `win32`; without it they answer as options that are not here.

use super::row::{Given, Subject, Value};

#[cfg(feature = "win32")]
pub(super) use here::*;
#[cfg(not(feature = "win32"))]
pub(super) use not_here::*;

#[cfg(not(feature = "win32"))]
mod not_here {
    use super::*;
    use crate::win32::{ERROR_INVALID_PARAMETER, ERROR_WINHTTP_INVALID_OPTION, Win32Error};

    pub fn server(_subject: &Subject) -> Result<Value, Win32Error> {
        Err(ERROR_INVALID_PARAMETER)
    }

    pub use server as chain;
    pub use server as summary;
    pub use server as issuers;

    pub fn set_client(_subject: &Subject, _given: &Given<'_>) -> Result<(), Win32Error> {
        Err(ERROR_WINHTTP_INVALID_OPTION)
    }
}

#[cfg(feature = "win32")]
mod here {
    use std::ptr::null_mut;

    use super::*;
    use crate::api::options::tls::secured;
    use crate::api::{CertFreeCertificateChain, CertFreeCertificateContext, client_identity, of_server};
    use crate::pki::{self, Certificate, Suite};
    use crate::transport::ClientCertificate;
    use crate::win32::memory::{allocate, free};
    use crate::win32::*;

    fn address(pointer: usize) -> Vec<u8> {
        pointer.to_ne_bytes().to_vec()
    }

    /// SERVER_CERT_CONTEXT
    pub fn server(subject: &Subject) -> Result<Value, Win32Error> {
        let context = of_server::context(&*secured(subject)?)?;
        Ok(Value::BorrowedBuffer(
            address(context.expose_provenance()),
            Box::new(move || {
                CertFreeCertificateContext(context);
            }),
        ))
    }

    /// SERVER_CERT_CHAIN_CONTEXT
    pub fn chain(subject: &Subject) -> Result<Value, Win32Error> {
        let chain = of_server::chain(&*secured(subject)?)?;
        Ok(Value::BorrowedBuffer(address(chain.expose_provenance()), Box::new(move || CertFreeCertificateChain(chain))))
    }

    /// SECURITY_CERTIFICATE_STRUCT. Subject and issuer are freed by LocalFree.
    pub fn summary(subject: &Subject) -> Result<Value, Win32Error> {
        let secured = secured(subject)?;
        let der = secured.presented.first().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        let certificate = Certificate::parse(der).map_err(|_| ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        let names = [certificate.subject, certificate.issuer].map(|name| local_text(&pki::lines(name)));
        let info = WINHTTP_CERTIFICATE_INFO {
            ftExpiry: of_server::file_time(certificate.not_after),
            ftStart: of_server::file_time(certificate.not_before),
            lpszSubjectInfo: names[0],
            lpszIssuerInfo: names[1],
            lpszProtocolName: null_mut(),
            lpszSignatureAlgName: null_mut(),
            lpszEncryptionAlgName: null_mut(),
            dwKeySize: Suite::find(secured.suite).map_or(0, |suite| suite.strength),
        };
        Ok(Value::BorrowedBuffer(
            bytes_of(info),
            Box::new(move || {
                for name in names {
                    // SAFETY: it was allocated above, and nobody else has it.
                    unsafe { free(name.cast()) };
                }
            }),
        ))
    }

    /// Text with its NUL in a block of the heap.
    fn local_text(text: &str) -> PWSTR {
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let block = allocate(units.len() * 2, false).cast::<u16>();
        if !block.is_null() {
            // SAFETY: the block has room for all of it.
            unsafe { block.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
        }
        block
    }

    /// A structure as it lies in memory; padding is 0.
    fn bytes_of<T: Copy>(value: T) -> Vec<u8> {
        let mut bytes = vec![0; size_of::<T>()];
        // SAFETY: the bytes have the size of the value.
        unsafe { bytes.as_mut_ptr().cast::<T>().write_unaligned(value) };
        bytes
    }

    /// CLIENT_CERT_ISSUER_LIST: one block, freed by GlobalFree: the structure, the names' places, the names.
    pub fn issuers(subject: &Subject) -> Result<Value, Win32Error> {
        let names = subject.request()?.with(|machine| machine.issuers().map(<[_]>::to_vec));
        let names = names.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        let places = size_of::<SecPkgContext_IssuerListInfoEx>();
        let mut at = places + names.len() * size_of::<CRYPT_INTEGER_BLOB>();
        let block = allocate(at + names.iter().map(Vec::len).sum::<usize>(), true);
        if block.is_null() {
            return Err(ERROR_NOT_ENOUGH_MEMORY);
        }
        // SAFETY: all of it fits into the block: the structure and the places, which its alignment of 16 suits, and then
        // the names.
        unsafe {
            let start = block.cast::<u8>();
            let list = start.add(places).cast::<CRYPT_INTEGER_BLOB>();
            let info = SecPkgContext_IssuerListInfoEx { aIssuers: list, cIssuers: names.len() as u32 };
            start.cast::<SecPkgContext_IssuerListInfoEx>().write(info);
            for (number, name) in names.iter().enumerate() {
                let place = start.add(at);
                place.copy_from_nonoverlapping(name.as_ptr(), name.len());
                list.add(number).write(CRYPT_INTEGER_BLOB { cbData: name.len() as u32, pbData: place });
                at += name.len();
            }
        }
        Ok(Value::BorrowedBuffer(
            address(block.expose_provenance()),
            Box::new(move || {
                // SAFETY: it was allocated above, and nobody else has it.
                unsafe { free(block) };
            }),
        ))
    }

    /// CLIENT_CERT_CONTEXT: a CERT_CONTEXT, or NULL for none.
    pub fn set_client(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
        if !subject.request()?.with(|machine| machine.origin().secure) {
            return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        }
        let certificate = match given.pointer.is_null() {
            true => ClientCertificate::None,
            false if given.bytes.len() != size_of::<CERT_CONTEXT>() => return Err(ERROR_INVALID_PARAMETER),
            false => ClientCertificate::Given(client_identity(given.pointer.cast())?),
        };
        subject.settings(|settings| settings.client_certificate = certificate)
    }
}
