//! Who matches which entry, and what becomes of the lists that clients send.

use super::*;

fn acl(perms: i32, scheme: &'static str, id: &'static str) -> Acl<'static> {
    Acl::new(Perms(perms), scheme, id)
}

fn ids(list: &[(&'static str, &'static str)]) -> Vec<Id<'static>> {
    list.iter()
        .map(|(scheme, id)| Id::new(*scheme, *id))
        .collect()
}

fn fix(list: &[Acl<'static>], identities: &[Id<'static>]) -> Result<Vec<Acl<'static>>, ErrorCode> {
    AclRules::default()
        .fix_up(Some(list), identities)
        .map(Cow::into_owned)
}

#[test]
fn rights_are_granted_by_any_matching_entry() {
    let rules = AclRules::default();
    let list = [
        acl(1, "world", "anyone"),
        acl(2, "digest", "bob:hash"),
        acl(16, "ip", "10.0.0.0/8"),
    ];
    let bob = ids(&[("ip", "10.1.2.3"), ("digest", "bob:hash")]);
    let eve = ids(&[("ip", "11.1.2.3"), ("digest", "bob:other")]);
    assert!(rules.allows(&list, Perms::READ, &[]));
    assert!(rules.allows(&list, Perms::WRITE, &bob));
    assert!(!rules.allows(&list, Perms::WRITE, &eve));
    assert!(rules.allows(&list, Perms::ADMIN, &bob));
    assert!(!rules.allows(&list, Perms::ADMIN, &eve));
    assert!(!rules.allows(&list, Perms::DELETE, &bob));
    assert!(rules.allows(&list, Perms::READ.union(Perms::ADMIN), &eve));
}

#[test]
fn super_empty_lists_and_skip_allow_everything() {
    let rules = AclRules::default();
    let none = [acl(0, "world", "anyone")];
    assert!(!rules.allows(&none, Perms::READ, &ids(&[("digest", "super:x")])));
    assert!(rules.allows(&none, Perms::ALL, &ids(&[("super", "")])));
    assert!(rules.allows(&[], Perms::ALL, &[]));
    let skip = AclRules {
        skip: true,
        ..AclRules::default()
    };
    assert!(skip.allows(&none, Perms::ALL, &[]));
}

#[test]
fn schemes_that_are_not_configured_match_nobody() {
    let list = [
        acl(31, "sasl", "a@R"),
        acl(31, "x509", "CN=a"),
        acl(31, "zzz", "q"),
    ];
    let who = ids(&[("sasl", "a@R"), ("x509", "CN=a"), ("zzz", "q")]);
    assert!(!AclRules::default().allows(&list, Perms::READ, &who));
    let mut rules = AclRules::default();
    rules.schemes.sasl = Some(SaslScheme::default());
    assert!(rules.allows(&list, Perms::READ, &who));
    assert!(rules.allows(&list, Perms::READ, &ids(&[("sasl", "super")])));
    assert!(!rules.allows(&list, Perms::READ, &ids(&[("sasl", "b@R")])));
    rules.schemes.sasl = Some(SaslScheme {
        any_user: Some("a@R".into()),
    });
    assert!(rules.allows(&list, Perms::READ, &ids(&[("sasl", "b@R")])));
    rules.schemes.x509 = Some(X509Scheme {
        superuser: Some("CN=root".into()),
    });
    assert!(rules.allows(&list, Perms::READ, &ids(&[("x509", "CN=root")])));
    let mut rules = AclRules::default();
    rules.schemes.digest = false;
    assert!(!rules.allows(
        &[acl(31, "digest", "a:b")],
        Perms::READ,
        &ids(&[("digest", "a:b")])
    ));
}

#[test]
fn lists_are_checked_for_form() {
    let invalid = Err(ErrorCode::INVALID_ACL);
    assert_eq!(
        AclRules::default().fix_up(None, &[]),
        Err(ErrorCode::INVALID_ACL)
    );
    assert_eq!(fix(&[], &[]), invalid);
    for (scheme, id) in [
        ("zzz", "q"),
        ("super", ""),
        ("world", "me"),
        ("world", ""),
        ("digest", "nocolon"),
        ("digest", "a:"),
        ("digest", "a::b"),
        ("digest", ":"),
        ("ip", "300.1.1.1"),
        ("ip", "10.0.0.0/33"),
        ("sasl", "a@R"),
        ("x509", "CN=a"),
        ("auth", ""),
    ] {
        assert_eq!(fix(&[acl(31, scheme, id)], &[]), invalid, "{scheme}:{id}");
    }
    for (scheme, id) in [
        ("digest", "a:b"),
        ("digest", ":b"),
        ("digest", "a:b::"),
        ("ip", "::1"),
        ("world", "anyone"),
    ] {
        let list = [acl(255, scheme, id)];
        assert_eq!(fix(&list, &[]), Ok(list.to_vec()), "{scheme}:{id}");
    }
}

#[test]
fn nulls_answer_as_in_apache() {
    let null_id = |scheme: Option<&'static str>, id: Option<&'static str>| Acl {
        perms: Perms::ALL,
        id: Id {
            scheme: scheme.map(Ustr::from),
            id: id.map(Ustr::from),
        },
    };
    let bob = ids(&[("digest", "bob:h")]);
    for (scheme, id, answer) in [
        (None, Some("x"), ErrorCode::INVALID_ACL),
        (None, None, ErrorCode::INVALID_ACL),
        (Some("world"), None, ErrorCode::MARSHALLING_ERROR),
        (Some("digest"), None, ErrorCode::MARSHALLING_ERROR),
        (Some("ip"), None, ErrorCode::MARSHALLING_ERROR),
        (Some("zzz"), None, ErrorCode::INVALID_ACL),
        (Some("sasl"), None, ErrorCode::INVALID_ACL),
    ] {
        assert_eq!(
            fix(&[null_id(scheme, id)], &bob),
            Err(answer),
            "{scheme:?} {id:?}"
        );
    }
    assert!(fix(&[null_id(Some("auth"), None)], &bob).is_ok());
    let twice = [null_id(None, Some("x")), null_id(None, Some("x"))];
    assert_eq!(fix(&twice, &bob), Err(ErrorCode::MARSHALLING_ERROR));
}

#[test]
fn duplicates_go_and_order_stays() {
    let list = [
        acl(1, "world", "anyone"),
        acl(2, "digest", "a:b"),
        acl(1, "world", "anyone"),
        acl(2, "world", "anyone"),
    ];
    let fixed = fix(&list, &[]).unwrap();
    assert_eq!(fixed, [list[0].clone(), list[1].clone(), list[3].clone()]);
}

#[test]
fn auth_becomes_the_authenticated_identities() {
    let who = ids(&[
        ("super", ""),
        ("digest", "a:b"),
        ("ip", "1.2.3.4"),
        ("digest", "c:d"),
    ]);
    let fixed = fix(
        &[acl(3, "auth", "ignored"), acl(1, "world", "anyone")],
        &who,
    )
    .unwrap();
    assert_eq!(
        fixed,
        [
            acl(3, "digest", "a:b"),
            acl(3, "digest", "c:d"),
            acl(1, "world", "anyone")
        ]
    );
    let unknown = ids(&[("ip", "1.2.3.4"), ("super", "")]);
    assert_eq!(
        fix(&[acl(3, "auth", "")], &unknown),
        Err(ErrorCode::INVALID_ACL)
    );
}

#[test]
fn auth_cannot_blow_a_list_up() {
    let who: Vec<_> = (0..1000)
        .map(|n| Id::new("digest", format!("user{n}:hash")))
        .collect();
    let list: Vec<_> = (0..1000).map(|perms| acl(perms, "auth", "")).collect();
    assert_eq!(fix(&list, &who), Err(ErrorCode::INVALID_ACL));
}

#[test]
fn sasl_ids_are_principals() {
    let mut rules = AclRules::default();
    rules.schemes.sasl = Some(SaslScheme::default());
    for (id, good) in [
        ("bob", true),
        ("bob@R", true),
        ("zk/host@R", true),
        ("a/b/c@R", false),
        ("a@b@c", false),
        ("a@b/c", false),
    ] {
        assert_eq!(
            rules.fix_up(Some(&[acl(1, "sasl", id)]), &[]).is_ok(),
            good,
            "{id}"
        );
    }
}

#[test]
fn masking_hides_hashes_only() {
    let list = [
        acl(1, "world", "anyone"),
        acl(31, "digest", "zed:j0K=:q"),
        acl(1, "ip", "::1"),
    ];
    let shown = masked(&list);
    assert_eq!(
        shown,
        [list[0].clone(), acl(31, "digest", "zed:x"), list[2].clone()]
    );
    assert_eq!(mask_hashes("a:b\nc:d"), "a:x\nc:x");
}
