//! An X.509 certificate taken apart, as RFC 5280 (4.1) lays it out. Everything points into its DER.

use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::{AnyRef, Decode, Error, ErrorKind, Reader, Sequence, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::time::Time;

/// A certificate. No part of it is verified.
#[derive(Clone, Debug)]
pub struct Certificate<'a> {
    /// All of it.
    pub der: &'a [u8],
    /// The part that is signed.
    pub signed: &'a [u8],
    /// 0 is version 1.
    pub version: u32,
    /// Big-endian, as encoded.
    pub serial: &'a [u8],
    /// Who issued it: a DER name.
    pub issuer: &'a [u8],
    /// Seconds since 1970.
    pub not_before: u64,
    /// Seconds since 1970.
    pub not_after: u64,
    /// Whose it is: a DER name.
    pub subject: &'a [u8],
    /// The key of its subject.
    pub key: PublicKey<'a>,
    /// In their order.
    pub extensions: Vec<Extension<'a>>,
    /// How it is signed.
    pub algorithm: Algorithm<'a>,
    /// The issuer's signature.
    pub signature: &'a [u8],
}

/// An AlgorithmIdentifier.
#[derive(Clone, Copy, Debug)]
pub struct Algorithm<'a> {
    /// Its object identifier.
    pub id: ObjectIdentifier,
    /// What follows the identifier, DER; may be empty.
    pub parameters: &'a [u8],
    /// Identifier and parameters, without the sequence around them.
    pub contents: &'a [u8],
}

/// A SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug)]
pub struct PublicKey<'a> {
    /// All of it.
    pub der: &'a [u8],
    /// What kind of key it is.
    pub algorithm: Algorithm<'a>,
    /// The bits of the key.
    pub bits: &'a [u8],
}

/// An extension.
#[derive(Clone, Copy, Debug, Sequence)]
pub struct Extension<'a> {
    /// Its object identifier.
    pub id: ObjectIdentifier,
    /// Who does not know it must refuse the certificate.
    #[asn1(default = "Default::default")]
    pub critical: bool,
    /// DER.
    pub value: &'a OctetStringRef,
}

/// The tag `[number]`, constructed.
const fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

fn unexpected(tag: Tag) -> Error {
    ErrorKind::TagUnexpected { expected: None, actual: tag }.into()
}

fn bits(any: AnyRef<'_>) -> Result<&[u8], Error> {
    match (any.tag(), any.value()) {
        // Keys and signatures are whole bytes: none of the last byte's bits is unused.
        (Tag::BitString, [0, bits @ ..]) => Ok(bits),
        (tag, _) => Err(unexpected(tag)),
    }
}

/// Since 1970.
pub(super) fn seconds(time: Time) -> u64 {
    time.to_unix_duration().as_secs()
}

fn time(reader: &mut SliceReader<'_>) -> Result<u64, Error> {
    Ok(seconds(Time::decode(reader)?))
}

impl<'a> Algorithm<'a> {
    fn read(reader: &mut SliceReader<'a>) -> Result<Algorithm<'a>, Error> {
        let sequence = AnyRef::decode(reader)?;
        let contents = sequence.value();
        let (id, parameters) = sequence.sequence(|reader| {
            let id = ObjectIdentifier::decode(reader)?;
            let parameters: &[u8] = if reader.is_finished() { &[] } else { reader.tlv_bytes()? };
            Ok::<_, Error>((id, parameters))
        })?;
        Ok(Algorithm { id, parameters, contents })
    }
}

impl<'a> PublicKey<'a> {
    fn read(reader: &mut SliceReader<'a>) -> Result<PublicKey<'a>, Error> {
        let der = reader.tlv_bytes()?;
        AnyRef::from_der(der)?.sequence(|reader| {
            Ok::<_, Error>(PublicKey { der, algorithm: Algorithm::read(reader)?, bits: bits(AnyRef::decode(reader)?)? })
        })
    }
}

/// What is signed, how, and the signature: the frame of certificates and revocation lists.
pub(super) fn signed<'a>(der: &'a [u8]) -> Result<(&'a [u8], Algorithm<'a>, &'a [u8]), Error> {
    AnyRef::from_der(der)?
        .sequence(|reader| Ok((reader.tlv_bytes()?, Algorithm::read(reader)?, bits(AnyRef::decode(reader)?)?)))
}

impl<'a> Certificate<'a> {
    /// Takes it apart; nothing may follow it.
    pub fn parse(der: &'a [u8]) -> Result<Certificate<'a>, Error> {
        let (signed, algorithm, signature) = signed(der)?;
        AnyRef::from_der(signed)?.sequence(|reader| {
            let version = match Tag::peek(reader)? {
                tag if tag == context(0) => u32::from_der(AnyRef::decode(reader)?.value())?,
                _ => 0,
            };
            let serial = AnyRef::decode(reader)?;
            serial.tag().assert_eq(Tag::Integer)?;
            Algorithm::read(reader)?;
            let issuer = reader.tlv_bytes()?;
            let (not_before, not_after) =
                AnyRef::decode(reader)?.sequence(|reader| Ok::<_, Error>((time(reader)?, time(reader)?)))?;
            let subject = reader.tlv_bytes()?;
            let key = PublicKey::read(reader)?;
            let mut extensions = Vec::new();
            while !reader.is_finished() {
                let optional = AnyRef::decode(reader)?;
                match optional.tag() {
                    tag if tag == context(3) => extensions = Vec::from_der(optional.value())?,
                    // The unique identifiers, which nobody uses.
                    Tag::ContextSpecific { number: TagNumber(1 | 2), .. } => {}
                    tag => return Err(unexpected(tag)),
                }
            }
            let serial = serial.value();
            Ok(Certificate {
                der,
                signed,
                version,
                serial,
                issuer,
                not_before,
                not_after,
                subject,
                key,
                extensions,
                algorithm,
                signature,
            })
        })
    }

    /// Whether it is older than version 3, which webpki does not know.
    pub fn is_old(&self) -> bool {
        self.version < 2
    }

    /// Whether it names itself as its issuer.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether it is valid at this time, in seconds since 1970.
    pub fn is_valid_at(&self, time: u64) -> bool {
        (self.not_before..=self.not_after).contains(&time)
    }
}
