//! Lists of servers.

use super::*;

const LIMITS: &str = "initLimit=10\nsyncLimit=5\n";
const TWO: &str = "server.1=a:2888:3888\nserver.2=b:2888:3888\n";

#[test]
fn a_server_must_know_which_one_it_is() {
    let error = Site::new().read(&format!("{LIMITS}{TWO}")).unwrap_err();
    assert!(error.ends_with("zoo.cfg: myid file is missing"), "{error}");
    let error = Site::with_myid("one")
        .read(&format!("{LIMITS}{TWO}"))
        .unwrap_err();
    assert!(
        error.ends_with("myid: serverid \"one\" is not a number"),
        "{error}"
    );
    let config = Site::with_myid("1")
        .read(&format!("{LIMITS}{TWO}"))
        .unwrap();
    assert!(!config.is_standalone());
}

#[test]
fn limits_must_be_set() {
    let site = Site::with_myid("1");
    let error = site.read(&format!("syncLimit=5\n{TWO}")).unwrap_err();
    assert!(error.ends_with("initLimit is not set"), "{error}");
    let error = site.read(&format!("initLimit=5\n{TWO}")).unwrap_err();
    assert!(error.ends_with("syncLimit is not set"), "{error}");
}

#[test]
fn a_list_of_one_is_standalone_unless_told_otherwise() {
    let site = Site::with_myid("1");
    let one = "clientPort=2181\nserver.1=a:2888:3888\n";
    let config = site.read(one).unwrap();
    assert!(config.is_standalone());
    assert!(config.start_report()[0].starts_with("one server is listed"));
    let config = site.read(&format!("{LIMITS}{one}standaloneEnabled=false"));
    assert!(!config.unwrap().is_standalone());
}

#[test]
fn lists_without_voters_make_no_sense() {
    let site = Site::with_myid("1");
    let error = site.read("standaloneEnabled=false").unwrap_err();
    assert!(error.contains("no server is listed that votes"), "{error}");
    let watcher = "server.2=b:2888:3888:observer\n";
    for lines in [
        watcher.to_owned(),
        format!("server.1=a:2888:3888\n{watcher}"),
    ] {
        let error = site.read(&lines).unwrap_err();
        assert!(error.contains("observers are listed"), "{error}");
    }
}

#[test]
fn even_numbers_are_told() {
    let site = Site::with_myid("1");
    let report = |count: u32| {
        let lines: String = (1..=count)
            .map(|id| format!("server.{id}=h{id}:2888:3888\n"))
            .collect();
        site.read(&format!("{LIMITS}{lines}"))
            .unwrap()
            .start_report()
    };
    assert!(report(2)[0].contains("none may fail"));
    assert_eq!(report(3), [""; 0]);
    assert!(report(4)[0].contains("no more failures than 3"));
}

#[test]
fn groups_must_hold_every_voter() {
    let site = Site::with_myid("1");
    let config = site
        .read(&format!("{LIMITS}{TWO}group.1=1:2\nweight.2=3"))
        .unwrap();
    let members = config.ensemble.members;
    assert_eq!(members.groups.len(), 2);
    assert_eq!(members.weights.into_values().collect::<Vec<_>>(), [3]);
    let error = site.read(&format!("{LIMITS}{TWO}group.1=1")).unwrap_err();
    assert!(error.ends_with("server 2 is in no group"), "{error}");
    let error = site
        .read(&format!("{LIMITS}{TWO}group.1=1:2\ngroup.2=2"))
        .unwrap_err();
    assert!(error.ends_with("server 2 is in several groups"), "{error}");
    let error = site.read(&format!("{LIMITS}{TWO}group.1=1:b")).unwrap_err();
    assert!(
        error.contains("group.1=1:b is not made of whole numbers"),
        "{error}"
    );
}

#[test]
fn the_own_line_decides() {
    let site = Site::with_myid("2");
    let observer = "server.1=a:2888:3888\nserver.2=b:2888:3888:observer;127.0.0.1:2182\n\
                    server.3=c:2888:3888\n";
    let config = site.read(&format!("{LIMITS}{observer}")).unwrap();
    assert_eq!(config.ensemble.peer_type, Role::Observer);
    assert_eq!(address(&config), "127.0.0.1:2182");
    let config = site
        .read(&format!("{LIMITS}clientPort=2182\n{observer}"))
        .unwrap();
    assert_eq!(address(&config), "127.0.0.1:2182");
    let error = site
        .read(&format!("{LIMITS}clientPort=2181\n{observer}"))
        .unwrap_err();
    assert!(error.contains("gives 127.0.0.1:2182 to clients"), "{error}");
}

#[test]
fn a_bad_line_is_named() {
    let error = Site::with_myid("1")
        .read(&format!("{LIMITS}server.1=a:2888\n"))
        .unwrap_err();
    assert!(
        error.contains("zoo.cfg line 4: server.1=a:2888 is not of the form"),
        "{error}"
    );
    let error = refused("server.one=a:2888:3888");
    assert!(error.contains("line 3: server.one=a:2888:3888"), "{error}");
}

#[test]
fn members_may_stand_in_a_file_of_their_own() {
    let site = Site::with_myid("1");
    let path = site.write("zoo.cfg.dynamic.100000000", TWO);
    let pointer = format!("{LIMITS}dynamicConfigFile={}\n", path.display());
    let config = site.read(&pointer).unwrap();
    assert_eq!(config.ensemble.members.members.len(), 2);
    assert_eq!(config.ensemble.members.version.0, 0x1_0000_0000);

    let error = site
        .read(&format!("{pointer}server.3=c:2888:3888"))
        .unwrap_err();
    assert!(error.contains("server.3 belongs into the file"), "{error}");
    site.write("zoo.cfg.dynamic.100000000", "version=1\n");
    let error = site.read(&pointer).unwrap_err();
    assert!(error.contains("version stands in the name"), "{error}");
    site.write("zoo.cfg.dynamic.100000000", "tickTime=1\n");
    let error = site.read(&pointer).unwrap_err();
    assert!(error.contains("tickTime does not belong"), "{error}");
    fs::remove_file(&path).unwrap();
    let error = site.read(&pointer).unwrap_err();
    assert!(error.contains("file is missing"), "{error}");
}

#[test]
fn sasl_between_servers_must_be_mutual() {
    let error = refused("quorum.auth.serverRequireSasl=true");
    assert!(error.contains("quorum.auth.enableSasl"), "{error}");
    let error = refused("quorum.auth.enableSasl=true\nquorum.auth.serverRequireSasl=true");
    assert!(error.contains("quorum.auth.learnerRequireSasl"), "{error}");
}

#[test]
fn connections_that_should_be_guarded_are_not_left_bare() {
    let site = Site::with_myid("1");
    for (line, key) in [
        ("sslQuorum=true", "sslQuorum"),
        ("quorum.auth.enableSasl=true", "quorum.auth.enableSasl"),
    ] {
        let error = site.read(&format!("{LIMITS}{TWO}{line}")).unwrap_err();
        assert!(error.contains(&format!("{key} is on")), "{error}");
        standalone(line);
    }
    let off = "sslQuorum=false\nquorum.auth.enableSasl=false";
    site.read(&format!("{LIMITS}{TWO}{off}")).unwrap();
}

#[test]
fn only_one_algorithm_elects() {
    let error = refused("electionAlg=2");
    assert!(error.contains("electionAlg=2 is not 3"), "{error}");
    standalone("electionAlg=3");
}
