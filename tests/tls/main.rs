//! TLS over loopback. Certificates are made here; the authority that issues them is all that SSL_CERT_FILE names.

mod certificates;
mod chain;
mod client;
mod client_certificates;
mod data;
mod late_requests;
mod pfx;
mod revocation;
mod server;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod torture;
mod verdicts;
mod version_1;
