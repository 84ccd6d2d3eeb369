//! Every key in the registry, by the table.

use super::*;

/// Lines around a key without which it would have nothing to act on.
const SURROUNDINGS: [&str; 5] = [
    "",
    "server.1=zk1:2888:3888\nserver.2=zk2:2888:3888\ninitLimit=5\nsyncLimit=5",
    "authProvider.9=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider",
    "enforce.auth.schemes=digest",
    "enforce.auth.schemes=digest\nenforce.auth.enabled=true",
];

fn key(spec: &keys::KeySpec) -> String {
    spec.name.replace('*', "1")
}

/// A key without which this one is refused.
fn companion(spec: &keys::KeySpec) -> &'static str {
    match spec.name {
        "quorum.auth.learnerRequireSasl" => "quorum.auth.enableSasl=true",
        "secureClientPortAddress" => "secureClientPort=2281",
        "enforce.auth.enabled" => "enforce.auth.schemes=ip",
        _ => "",
    }
}

/// Whether the sample needs other files or servers.
fn needs_more(spec: &keys::KeySpec) -> bool {
    matches!(spec.name, "standaloneEnabled" | "dynamicConfigFile")
}

fn told(lines: &str) -> Result<ServerConfig, String> {
    parse(&with_basics(lines))
}

/// The configuration without its report.
fn silent(config: &Result<ServerConfig, String>) -> String {
    let text = format!("{config:?}");
    let end = text.find("notices: ").unwrap_or(text.len());
    text[..end].to_owned()
}

#[test]
fn every_key_is_known_and_its_sample_valid() {
    for spec in keys::all().filter(|spec| !needs_more(spec)) {
        let line = format!("{}={}", key(spec), spec.sample);
        let config = told(&format!("{}\n{line}", companion(spec)));
        let config = config.unwrap_or_else(|error| panic!("{line}: {error}"));
        for complaint in ["unknown", "default is kept", "is taken as"] {
            let report = config.start_report().join("\n");
            assert!(!report.contains(complaint), "{line}: {report}");
        }
    }
}

fn acts(spec: &keys::KeySpec) -> bool {
    matches!(spec.effect, Effect::Acts | Effect::Ensemble)
}

#[test]
fn every_key_that_acts_changes_what_a_server_is_told() {
    for spec in keys::all().filter(|spec| acts(spec)) {
        let line = format!("{}={}", key(spec), spec.sample);
        let changes = SURROUNDINGS.iter().any(|around| {
            let with = told(&format!("{around}\n{line}"));
            silent(&told(around)) != silent(&with)
        });
        assert!(changes, "{line} changes nothing");
    }
}

#[test]
fn every_other_key_is_named_once() {
    for spec in keys::all().filter(|spec| spec.effect != Effect::Acts) {
        let key = key(spec);
        let line = format!("{key}={}", spec.sample);
        let config = told(&format!("{}\n{line}", companion(spec))).unwrap();
        let lines = config.start_report();
        let naming = |line: &&String| {
            let mut words = line.split([' ', ',', ':']);
            line.starts_with("no effect") && words.any(|word| word == key)
        };
        // What is not there need not be switched off.
        let is_off = matches!(spec.effect, Effect::NotYet(_)) && spec.sample == "false";
        assert_eq!(
            lines.iter().filter(naming).count(),
            usize::from(!is_off),
            "{lines:?}"
        );
    }
}

/// In an ensemble the keys of ensembles that do nothing say why, and those
/// that act say nothing.
#[test]
fn every_idle_key_of_an_ensemble_is_named_once() {
    const OTHERS: &str = "server.8=zk8:2888:3888\nserver.9=zk9:2888:3888\n\
                          initLimit=5\nsyncLimit=5\n";
    let site = Site::with_myid("8");
    for spec in keys::all() {
        let is_idle = match spec.effect {
            Effect::Ensemble => false,
            Effect::EnsembleAccepted(_) => true,
            Effect::EnsembleNotYet(_) => spec.sample != "false",
            Effect::Acts | Effect::Accepted(_) | Effect::NotYet(_) => continue,
        };
        if matches!(
            spec.name,
            "group.*" | "weight.*" | "sslQuorum" | "quorum.auth.enableSasl"
        ) {
            continue; // They make no ensemble of these two.
        }
        let key = key(spec);
        let others: String = OTHERS
            .lines()
            .filter(|line| !line.starts_with(&format!("{key}=")))
            .map(|line| format!("{line}\n"))
            .collect();
        let config = site.read(&format!("{others}{key}={}", spec.sample));
        let report = config.unwrap_or_else(|error| panic!("{key}: {error}"));
        let report = report.start_report();
        let naming = |line: &&String| {
            let mut words = line.split([' ', ',', ':']);
            line.starts_with("no effect") && words.any(|word| word == key)
        };
        let count = report.iter().filter(naming).count();
        assert_eq!(count, usize::from(is_idle), "{key}: {report:?}");
    }
}

#[test]
fn every_property_may_carry_the_prefix() {
    for spec in keys::all().filter(|spec| !matches!(spec.form, Form::Config(_))) {
        let plain = told(&format!("{}={}", key(spec), spec.sample));
        let prefixed = told(&format!("zookeeper.{}={}", key(spec), spec.sample));
        assert_eq!(silent(&plain), silent(&prefixed), "{}", spec.name);
    }
}

#[test]
fn every_property_may_be_a_flag_of_the_jvm() {
    for spec in keys::all().filter(|spec| !spec.sample.contains(' ')) {
        let bare = match spec.form {
            Form::Config(_) => continue,
            Form::Bare(_) => true,
            Form::Property(_) | Form::Either(_) => false,
        };
        let plain = told(&format!("{}={}", key(spec), spec.sample));
        let prefix = if bare { "" } else { "zookeeper." };
        let flags = flags(&format!("-D{prefix}{}={}", key(spec), spec.sample));
        let flagged = parse_with(&with_basics(""), &flags);
        assert_eq!(silent(&plain), silent(&flagged), "{}", spec.name);
    }
}

#[test]
fn every_alias_means_the_same() {
    for spec in keys::all() {
        for alias in spec.aliases {
            let plain = told(&format!("{}={}", spec.name, spec.sample));
            let aliased = told(&format!("{alias}={}", spec.sample));
            assert_eq!(silent(&plain), silent(&aliased), "{alias}");
        }
    }
}

#[test]
fn strict_values_are_refused_and_others_forgiven() {
    for spec in keys::all() {
        let line = format!("{}=what?", key(spec));
        let config = told(&line);
        match spec.form.kind() {
            Kind::Int | Kind::Long | Kind::Port | Kind::Bool | Kind::Number | Kind::Choice(..) => {
                let error = config.unwrap_err();
                let expected = format!("/conf/zoo.cfg line 3: {}=what? is not ", key(spec));
                assert!(error.starts_with(&expected), "{error}");
            }
            Kind::LenientInt | Kind::LenientLong | Kind::LenientDecimal | Kind::LenientNumber => {
                let report = config.unwrap().start_report().join("\n");
                assert!(report.contains("what? is not a"), "{line}: {report}");
            }
            Kind::Flag | Kind::OnlyOn(_) | Kind::OnlyOff(_) => {
                let report = config.unwrap().start_report().join("\n");
                assert!(report.contains("what? is taken as"), "{line}: {report}");
            }
            Kind::Text | Kind::Secret => {}
        }
    }
}

#[test]
fn secrets_are_never_shown() {
    for spec in keys::all().filter(|spec| spec.form.kind() == Kind::Secret) {
        let line = format!("{}=open-sesame\n{}=open-sesame", spec.name, spec.name);
        let config = told(&line).unwrap();
        assert!(!format!("{config:?}").contains("sesame"), "{}", spec.name);
    }
    let config = standalone("DigestAuthenticationProvider.superDigest=super:abc");
    assert_eq!(config.auth.super_digest.unwrap().expose(), "super:abc");
}
