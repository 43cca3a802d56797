//! What an encrypted connection is made with.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::address::{Address, Endpoint};
use crate::config::Tls;

impl Tls {
    /// What to encrypt connections to a host with: the configuration, and the name that the
    /// server's certificate must have.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, or a host that is no name.
    pub fn for_host(&self, host: &str) -> io::Result<(Arc<ClientConfig>, ServerName<'static>)> {
        let name = self.server_name.clone().unwrap_or_else(|| host.to_owned());
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        Ok((Arc::new(config(self)?), name))
    }
}

/// What to encrypt connections to an address with.
pub(crate) fn client(
    address: &Address,
    tls: &Tls,
) -> io::Result<(Arc<ClientConfig>, ServerName<'static>)> {
    match &address.endpoint {
        Endpoint::Tcp { host, .. } => tls.for_host(host),
        Endpoint::Unix(_) => tls.for_host("localhost"),
    }
}

fn config(tls: &Tls) -> io::Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        builder.with_root_certificates(roots(tls)?)
    };
    let Some((certificates, key)) = &tls.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates_of(certificates)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, &error))?;
    builder.with_client_auth_cert(chain, key).map_err(io::Error::other)
}

/// The certificates of a file in PEM.
fn certificates_of(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .map_err(|error| unread(file, &error))
}

/// The error with the file's name, by the system's words where the system refused.
fn unread(file: &Path, error: &pem::Error) -> io::Error {
    let file = file.display();
    match error {
        pem::Error::Io(error) => io::Error::new(error.kind(), format!("{file}: {error}")),
        error => io::Error::other(format!("{file}: {error}")),
    }
}

fn roots(tls: &Tls) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match &tls.authorities {
        Some(folder) if folder.is_dir() => {
            for file in fs::read_dir(folder)? {
                let file = file?.path();
                // Keys and lists stand beside certificates in such folders.
                let found = if file.is_file() { certificates_of(&file) } else { continue };
                roots.add_parsable_certificates(found.unwrap_or_default());
            }
        }
        Some(file) => {
            for certificate in certificates_of(file)? {
                roots.add(certificate).map_err(io::Error::other)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

/// Takes any certificate, but checks that the server has its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
