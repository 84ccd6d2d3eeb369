//! The suite against ours.

use crate::suite::servers::Servers;
use crate::suite::{SETTINGS, ensemble, on_one_server, sessions};
use zk_server::testing::Ensemble;

impl Servers for Ensemble {
    fn connect_string(&self) -> String {
        self.connect_string()
    }

    fn address(&self, id: u64) -> String {
        self.address(id).to_string()
    }

    async fn kill(&mut self, id: u64) {
        self.kill(id).await;
    }

    async fn launch(&mut self, id: u64) {
        self.launch(id).await.unwrap();
    }

    async fn leader(&self) -> u64 {
        self.leader().await
    }

    fn is_of_today(&self) -> bool {
        true
    }
}

async fn servers(voters: usize) -> Ensemble {
    let mut builder = Ensemble::builder().voters(voters);
    for (key, value) in SETTINGS {
        builder = builder.setting(key, value);
    }
    let builder = builder.property("readonlymode.enabled", "true");
    builder.start().await.unwrap()
}

#[tokio::test]
async fn one_server() {
    on_one_server(&servers(1).await).await;
}

#[tokio::test]
async fn sessions_survive_a_cut_link() {
    sessions::survive_a_cut_link(&servers(1).await).await;
}

#[tokio::test]
async fn sessions_set_many_watches_again() {
    sessions::set_many_watches_again(&servers(1).await).await;
}

#[tokio::test]
async fn sessions_expire_by_both_clocks() {
    sessions::expire_by_both_clocks(&servers(1).await).await;
}

#[tokio::test]
async fn sessions_survive_a_restart() {
    sessions::survive_a_restart(&mut servers(1).await).await;
}

#[tokio::test]
async fn an_ensemble_loses_its_leader() {
    ensemble::loses_its_leader(&mut servers(3).await).await;
}

#[tokio::test]
async fn an_ensemble_loses_its_quorum() {
    ensemble::loses_its_quorum(&mut servers(3).await).await;
}

#[tokio::test]
async fn an_ensemble_has_other_servers() {
    let servers = servers(3).await;
    ensemble::is_given_another_list(&servers).await;
    ensemble::moves_a_session(&servers).await;
}
