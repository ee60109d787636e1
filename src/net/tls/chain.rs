//! Certificates that are judged apart from a connection, by the rules of one.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::provider;
use super::trust::Trust;
use super::verifier::{Algorithms, Verifier};
use crate::net::Net;
#[cfg(feature = "live")]
use crate::net::mapped;
use crate::net::runtime::until;
use crate::pki::{Certificate, Usages, Verdict};
use crate::transport::{ChainAnswer, ChainAsked, ChainQuestion, ChainRevocation, ChainRoots, Network};
use crate::win32::{
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED,
    WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
};

/// Answers a question: at once, unless revocation is looked for.
pub fn judge(net: &Arc<Net>, question: ChainQuestion, asked: ChainAsked) {
    let (path, faults) = judged(&question, trust(net, &question.roots));
    let checked = match question.revocation {
        ChainRevocation::Unchecked => 0,
        ChainRevocation::First => 1,
        ChainRevocation::All => path.len(),
    };
    let unknown = |at: usize, der: &Vec<u8>| match Certificate::parse(der) {
        Ok(certificate) if at < checked && !certificate.is_self_issued() => {
            WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED
        }
        _ => 0,
    };
    let revocation = path.iter().enumerate().map(|(at, der)| unknown(at, der)).collect();
    let mut answers = Answers(Some((ChainAnswer { path, faults, revocation }, asked)));
    if checked == 0 {
        return;
    }
    let Ok(provider) = provider() else { return };
    let algorithms = Algorithms(provider.signature_verification_algorithms);
    let (of_net, limit, at) = (Arc::clone(net), question.fetch, question.at);
    // Where there can be no tasks the answer goes out with them.
    net.run(async move {
        let Some((answer, _)) = &mut answers.0 else { return };
        let net = of_net;
        let network = limit.map(|_| Network::default());
        let ChainAnswer { path, revocation, .. } = answer;
        let certificates: Vec<_> = path.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
        let looked = async {
            for (place, fault) in revocation.iter_mut().enumerate().take(checked) {
                let lists = &net.security.lists;
                *fault = lists.fault(&net, network.as_ref(), &certificates, place, &algorithms, at).await;
            }
        };
        let mut timer = net.runtime.timer();
        if let Some(limit) = limit {
            timer.set(net.runtime.now() + limit);
        }
        until(timer, looked).await;
    });
}

/// The path and the faults of a question where these are trusted, and nobody else.
#[cfg(feature = "lab")]
pub fn judge_by(question: &ChainQuestion, roots: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, u32) {
    judged(question, of(roots))
}

fn judged(question: &ChainQuestion, trust: Arc<Trust>) -> (Vec<Vec<u8>>, u32) {
    let presented: Vec<_> = question.presented.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let Ok(provider) = provider() else {
        return (question.presented.iter().take(1).cloned().collect(), WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA);
    };
    let usages = Usages::new(question.every_usage, question.usages.iter().map(String::as_str));
    let verifier = Verifier { trust, provider, ignore: 0 };
    let Verdict { path, faults, .. } = verifier.judge_path(&presented, &usages, question.at);
    (path, faults)
}

/// Those who trust these, DER.
fn of(ders: impl IntoIterator<Item = Vec<u8>>) -> Arc<Trust> {
    let mut trust = Trust::default();
    trust.extend(ders.into_iter().map(CertificateDer::from));
    Arc::new(trust)
}

/// Whom a question trusts.
fn trust(net: &Net, roots: &ChainRoots) -> Arc<Trust> {
    match roots {
        ChainRoots::Only(ders) => of(ders.clone()),
        ChainRoots::Among(ders) => {
            let world = of_world(net);
            let trusted = |der: &&Vec<u8>| Certificate::parse(der).is_ok_and(|it| world.roots.contains(&it));
            of(ders.iter().filter(trusted).cloned())
        }
        ChainRoots::World => of_world(net),
    }
}

/// The certificates of those whom the world trusts, DER.
pub fn roots(net: &Net) -> Vec<Vec<u8>> {
    of_world(net).roots.iter().map(<[u8]>::to_vec).collect()
}

/// Those of the world; in a test also the authorities of the hosts that are played.
fn of_world(net: &Net) -> Arc<Trust> {
    #[cfg(feature = "live")]
    if net.real {
        let played = mapped::authorities();
        if !played.is_empty() {
            let mut trust = Trust::clone(&net.security.trust());
            trust.extend(played.into_iter().map(CertificateDer::from));
            return Arc::new(trust);
        }
    }
    net.security.trust()
}

/// Tells the answer when it is dropped: one that came too late says what was known by then.
struct Answers(Option<(ChainAnswer, ChainAsked)>);

impl Drop for Answers {
    fn drop(&mut self) {
        let Some((mut answer, asked)) = self.0.take() else { return };
        let revoked = WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED | WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED;
        answer.faults |= answer.revocation.iter().fold(0, |all, each| all | each & revoked);
        asked(answer);
    }
}
