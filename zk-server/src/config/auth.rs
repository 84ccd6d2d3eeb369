//! Who a client may say it is, and what it must prove, typed. It refuses to
//! check a password.

use super::error::{ConfigError, Rule};
use super::notice::Notices;
use super::secret::Secret;
use super::settings::{Setting, Settings};
use super::values::Value;
use std::collections::BTreeSet;

/// Authentication schemes and what is asked of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Whether the scheme `digest` is there.
    pub digest_enabled: bool,
    /// `user:base64(sha1(user:password))` of the client to whom no ACL
    /// applies, if there is one.
    pub super_digest: Option<Secret>,
    /// The scheme `ensemble`, if it is there.
    pub ensemble: Option<EnsembleScheme>,
    /// The schemes one of which a client must have passed before it may do
    /// anything; empty if nothing is asked.
    pub enforced_schemes: Vec<String>,
}

/// The scheme `ensemble`: a client may say which ensemble it means to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnsembleScheme {
    /// The names this ensemble answers to; `None`: any.
    pub names: Option<BTreeSet<String>>,
}

const PROVIDERS: &str = "authProvider.*";
/// What the class names of Apache's own providers begin with.
const PACKAGE: &str = "org.apache.zookeeper.server.auth.";

impl Auth {
    /// # Errors
    /// When what is asked of clients cannot be served: a client must not get
    /// in because a key was not understood.
    pub(super) fn read(settings: &Settings, notices: &mut Notices) -> Result<Self, ConfigError> {
        check_digest_algorithm(settings)?;
        let mut auth = Self {
            digest_enabled: settings.flag("DigestAuthenticationProvider.enabled", true),
            super_digest: settings.secret("DigestAuthenticationProvider.superDigest"),
            ensemble: None,
            enforced_schemes: Vec::new(),
        };
        for setting in settings.family(PROVIDERS) {
            auth.add_provider(setting, settings, notices);
        }
        auth.enforced_schemes = auth.enforced(settings)?;
        Ok(auth)
    }

    fn add_provider(&mut self, setting: &Setting, settings: &Settings, notices: &mut Notices) {
        let Value::Text(class) = &setting.value else {
            return;
        };
        let what = match class.strip_prefix(PACKAGE) {
            Some("EnsembleAuthenticationProvider") => {
                let names = settings.text("ensembleAuthName").map(words);
                self.ensemble = Some(EnsembleScheme { names });
                return;
            }
            Some("DigestAuthenticationProvider") => {
                self.digest_enabled = true;
                return;
            }
            Some("IPAuthenticationProvider") => return,
            Some("SASLAuthenticationProvider") => "SASL is not served by this version",
            Some("X509AuthenticationProvider") => "TLS is not served by this version",
            _ => "a Java class cannot be loaded",
        };
        let Setting { origin, key, .. } = setting;
        notices.warn(format!("{origin}: {key}={class} has no effect: {what}"));
    }

    /// The rules of Apache's `AuthenticationHelper`.
    fn enforced(&self, settings: &Settings) -> Result<Vec<String>, ConfigError> {
        let broken = |rule| Err(settings.broken(rule));
        if settings.flag("sessionRequireClientSASLAuth", false) {
            return broken(Rule::SchemeNotServed("sasl".to_owned()));
        }
        if !settings.flag("enforce.auth.enabled", false) {
            return Ok(Vec::new());
        }
        let Some(schemes) = settings.text("enforce.auth.schemes") else {
            return broken(Rule::NoSchemes);
        };
        let schemes: Vec<String> = words(schemes).into_iter().collect();
        match schemes.iter().find(|scheme| !self.serves(scheme)) {
            Some(scheme) => broken(Rule::SchemeNotServed(scheme.clone())),
            None => Ok(schemes),
        }
    }

    fn serves(&self, scheme: &str) -> bool {
        match scheme {
            "ip" => true,
            "digest" => self.digest_enabled,
            "ensemble" => self.ensemble.is_some(),
            _ => false,
        }
    }
}

/// Java knows SHA-1 by three names, in any case.
fn check_digest_algorithm(settings: &Settings) -> Result<(), ConfigError> {
    let algorithm = settings.text("DigestAuthenticationProvider.digestAlg");
    let is_sha1 = |name: &str| {
        let mut names = ["SHA1", "SHA-1", "SHA"].into_iter();
        names.any(|sha1| sha1.eq_ignore_ascii_case(name))
    };
    match algorithm.filter(|name| !is_sha1(name)) {
        None => Ok(()),
        Some(name) => Err(settings.broken(Rule::DigestAlgorithm(name.to_owned()))),
    }
}

fn words(list: &str) -> BTreeSet<String> {
    list.split(',').map(|word| word.trim().to_owned()).collect()
}
