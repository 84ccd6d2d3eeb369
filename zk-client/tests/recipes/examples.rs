//! The stories of the examples run to their ends, twice: they leave nothing
//! that is in their own way.

use crate::support::{TestServer, within};

#[allow(clippy::print_stdout, reason = "an example speaks")]
#[path = "../../examples/recipes/stories/mod.rs"]
mod stories;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_story_has_its_end() {
    let server = TestServer::start().await;
    let servers = server.address().to_string();
    for name in stories::NAMES.iter().chain(&stories::NAMES) {
        let outcome = within(stories::tell(name, &servers)).await;
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
