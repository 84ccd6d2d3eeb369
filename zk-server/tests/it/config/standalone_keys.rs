//! Keys of a standalone server one by one.

use super::*;

#[test]
fn session_bounds_follow_the_tick() {
    let bounds = |lines: &str| {
        let sessions = standalone(lines).sessions;
        (sessions.min_timeout_ms, sessions.max_timeout_ms)
    };
    assert_eq!(bounds(""), (6000, 60_000));
    assert_eq!(bounds("tickTime=1000"), (2000, 20_000));
    assert_eq!(
        bounds("minSessionTimeout=-1\nmaxSessionTimeout=70000"),
        (6000, 70_000)
    );
    assert_eq!(bounds("minSessionTimeout=0"), (0, 60_000));
    assert_eq!(bounds("tickTime=2000000000"), (i32::MAX, i32::MAX));
    let crossed = refused("minSessionTimeout=70000");
    assert_eq!(
        crossed,
        "/conf/zoo.cfg: minSessionTimeout 70000 is larger than maxSessionTimeout 60000"
    );
    assert_eq!(
        refused("tickTime=0"),
        "/conf/zoo.cfg: tickTime=0 is no time"
    );
    assert_eq!(
        refused("tickTime=-5"),
        "/conf/zoo.cfg: tickTime=-5 is no time"
    );
}

#[test]
fn sizes_become_bytes() {
    let storage = standalone("").storage;
    assert_eq!(storage.pre_alloc_size, 64 * 1024 * 1024);
    assert_eq!(storage.snap_size_limit, Some(4 << 30));
    assert_eq!(storage.txn_log_size_limit, None);
    let storage = standalone("preAllocSize=1\nsnapSizeLimitInKb=0\ntxnLogSizeLimitInKb=2").storage;
    assert_eq!(storage.pre_alloc_size, 1024);
    assert_eq!(storage.snap_size_limit, None);
    assert_eq!(storage.txn_log_size_limit, Some(2048));
    let storage = standalone("preAllocSize=9223372036854775807").storage;
    assert_eq!(storage.pre_alloc_size, u64::MAX);
}

#[test]
fn purging_is_off_until_it_has_an_interval() {
    let autopurge = standalone("").storage.autopurge;
    assert_eq!((autopurge.snap_retain_count, autopurge.interval), (3, None));
    let autopurge = standalone("autopurge.purgeInterval=2\nautopurge.snapRetainCount=9")
        .storage
        .autopurge;
    assert_eq!(autopurge.interval, Some(Duration::from_secs(7200)));
    assert_eq!(autopurge.snap_retain_count, 9);
    assert_eq!(
        standalone("autopurge.purgeInterval=-1")
            .storage
            .autopurge
            .interval,
        None
    );
}

#[test]
fn one_word_decides_over_acls_and_flushes() {
    assert!(standalone("skipACL=yes").rules.skip_acl);
    assert!(!standalone("skipACL=true").rules.skip_acl);
    assert!(!standalone("forceSync=no").storage.force_sync);
    assert!(standalone("forceSync=false").storage.force_sync);
}

#[test]
fn the_white_list_has_srvr_always() {
    let allows = |lines: &str, word: &str| {
        let monitoring = standalone(lines).monitoring;
        monitoring.four_letter_words.allows(word)
    };
    assert!(allows("", "srvr"));
    assert!(!allows("", "ruok"));
    assert!(!allows("", "isro"));
    assert!(allows("readonlymode.enabled=true", "isro"));
    assert!(allows("4lw.commands.whitelist=stat, ruok ,mntr", "ruok"));
    assert!(!allows("4lw.commands.whitelist=stat, ruok ,mntr", "wchs"));
    assert!(allows("4lw.commands.whitelist=stat, *", "wchs"));
    assert!(!allows("4lw.commands.whitelist=*.*", "wchs"));
}

#[test]
fn a_frame_has_a_mebibyte_less_one_by_default() {
    assert_eq!(standalone("").limits.max_buffer, 1_048_575);
}

#[test]
fn addresses_are_resolved() {
    assert_eq!(
        address(&standalone("clientPortAddress=127.0.0.1")),
        "127.0.0.1:2181"
    );
    assert_eq!(
        address(&standalone("clientPortAddress=[::1]")),
        "[::1]:2181"
    );
    assert_eq!(
        address(&standalone("clientPortAddress=localhost")),
        "127.0.0.1:2181"
    );
    let error = refused("clientPortAddress=no such host");
    let start = "/conf/zoo.cfg line 3: the host of clientPortAddress=no such host is unknown";
    assert!(error.starts_with(start), "{error}");
    let error = refused("secureClientPortAddress=127.0.0.1");
    assert!(error.contains("secureClientPort is not"), "{error}");
}

#[test]
fn what_cannot_be_enforced_is_refused() {
    let sasl = refused("sessionRequireClientSASLAuth=true");
    assert!(sasl.contains("\"sasl\" is enforced"), "{sasl}");
    let open = refused("enforce.auth.enabled=true");
    assert!(open.contains("enforce.auth.schemes is not set"), "{open}");
    let x509 = refused("enforce.auth.enabled=true\nenforce.auth.schemes=digest, x509");
    assert!(x509.contains("\"x509\" is enforced"), "{x509}");
    let off = refused(
        "enforce.auth.enabled=true\nenforce.auth.schemes=digest\n\
         DigestAuthenticationProvider.enabled=false",
    );
    assert!(off.contains("\"digest\" is enforced"), "{off}");
    let auth = standalone("enforce.auth.enabled=true\nenforce.auth.schemes=digest, ip").auth;
    assert_eq!(auth.enforced_schemes, ["digest", "ip"]);
    assert!(
        standalone("enforce.auth.schemes=x509")
            .auth
            .enforced_schemes
            .is_empty()
    );
}

#[test]
fn only_one_digest_algorithm_is_served() {
    for name in ["SHA1", "sha-1", "SHA"] {
        standalone(&format!("DigestAuthenticationProvider.digestAlg={name}"));
    }
    let error = refused("DigestAuthenticationProvider.digestAlg=SHA-256");
    assert!(error.contains("digestAlg=SHA-256"), "{error}");
}

#[test]
fn providers_of_java_are_told_apart() {
    let auth = |class: &str| {
        let config = standalone(&format!("authProvider.1={class}\nensembleAuthName=a, b"));
        (config.auth.clone(), config.notices().len())
    };
    let package = "org.apache.zookeeper.server.auth";
    let (ensemble, lines) = auth(&format!("{package}.EnsembleAuthenticationProvider"));
    let names = ensemble.ensemble.unwrap().names.unwrap();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(lines, 0);
    let (none, lines) = auth("com.example.Mine");
    assert_eq!(none.ensemble, None);
    assert_eq!(lines, 1);
}
