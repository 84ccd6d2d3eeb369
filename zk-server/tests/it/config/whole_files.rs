//! Whole files and command lines as people have them.

use super::*;

#[test]
fn the_sample_starts_a_standalone_server() {
    let config = parse(SAMPLE).unwrap();
    assert!(config.is_standalone());
    assert_eq!(config.storage.data_dir, Path::new("/tmp/zookeeper"));
    assert_eq!(config.storage.data_log_dir, Path::new("/tmp/zookeeper"));
    assert_eq!(config.sessions.tick_time, Duration::from_secs(2));
    assert_eq!(config.sessions.min_timeout_ms, 4000);
    assert_eq!(config.sessions.max_timeout_ms, 40_000);
    assert_eq!(address(&config), "0.0.0.0:2181");
    assert_eq!(config.clients.max_client_cnxns, 60);
    assert_eq!(
        (config.ensemble.init_limit, config.ensemble.sync_limit),
        (10, 5)
    );
    assert_eq!(
        config.start_report(),
        ["no effect here: initLimit, syncLimit: this server is standalone"]
    );
}

#[test]
fn a_file_from_another_system_is_the_same() {
    let crlf = format!("\u{feff}{}", SAMPLE.replace('\n', "\r\n"));
    assert_eq!(parse(&crlf), parse(SAMPLE));
}

#[test]
fn three_servers_make_an_ensemble() {
    let site = Site::with_myid("2\n");
    let config = site
        .read(
            "tickTime=2000\ninitLimit=10\nsyncLimit=5\nclientPort=2181\n\
             server.1=172.20.140.111:2888:3888\n\
             server.2=172.20.140.220:2888:3888\n\
             server.3=172.20.140.28:2888:3888\n",
        )
        .unwrap();
    assert!(!config.is_standalone());
    assert_eq!(config.server_id.unwrap().0, 2);
    let hosts: Vec<_> = config
        .ensemble
        .members
        .participants()
        .map(|line| line.addresses[0].host.as_str())
        .collect();
    assert_eq!(hosts, ["172.20.140.111", "172.20.140.220", "172.20.140.28"]);
    assert_eq!(config.start_report(), [""; 0]);
}

#[test]
fn the_file_of_the_official_image_is_standalone() {
    let site = Site::with_myid("1");
    let config = site
        .read(
            "dataLogDir=/datalog\ntickTime=2000\ninitLimit=5\nsyncLimit=2\n\
             autopurge.snapRetainCount=3\nautopurge.purgeInterval=0\nmaxClientCnxns=60\n\
             standaloneEnabled=true\nadmin.enableServer=true\n\
             server.1=localhost:2888:3888;2181\n",
        )
        .unwrap();
    assert!(config.is_standalone());
    assert_eq!(address(&config), "0.0.0.0:2181");
    assert_eq!(config.storage.data_log_dir, Path::new("/datalog"));
}

#[test]
fn a_file_without_data_or_port_is_refused() {
    assert_eq!(
        parse("clientPort=2181"),
        Err("/conf/zoo.cfg: dataDir is not set".into())
    );
    assert_eq!(
        parse("dataDir=/x"),
        Err("/conf/zoo.cfg: clientPort is not set".into())
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let form = ArgsForm::File("/nowhere/zoo.cfg".into());
    let error = ServerConfig::load(&form, &JvmFlags::default()).unwrap_err();
    assert_eq!(error.to_string(), "/nowhere/zoo.cfg file is missing");
}

#[test]
fn no_file_at_all_has_defaults() {
    let config = ServerConfig::load(&ArgsForm::Default, &JvmFlags::default()).unwrap();
    assert_eq!(address(&config), "0.0.0.0:2181");
    assert_eq!(config.storage.data_dir, Path::new("./zookeeper-data"));
    assert_eq!(config.sessions.tick_time, Duration::from_secs(3));
    assert_eq!(config.clients.max_client_cnxns, 60);
    assert!(config.is_standalone());
    assert_eq!(config.start_report(), [""; 0]);
}

#[test]
fn words_instead_of_a_file() {
    let load = |words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        ServerConfig::load(&ArgsForm::Positional(words), &JvmFlags::default())
    };
    let config = load(&["2182", "/data"]).unwrap();
    assert_eq!(address(&config), "0.0.0.0:2182");
    assert_eq!(config.sessions.max_timeout_ms, 60_000);
    assert_eq!(config.clients.max_client_cnxns, 0);
    let config = load(&["2182", "/data", "500", "7"]).unwrap();
    assert_eq!(config.sessions.min_timeout_ms, 1000);
    assert_eq!(config.clients.max_client_cnxns, 7);
    let error = load(&["/data", "2182"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "argument 1: clientPort=/data is not a port, 0 to 65535"
    );
}
