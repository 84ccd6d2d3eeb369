//! What the suite does with servers, whoever made them.

/// Servers that can be killed and started again, with numbers from 1 on.
pub(crate) trait Servers {
    fn connect_string(&self) -> String;

    /// Where the clients of a server connect.
    fn address(&self, id: u64) -> String;

    /// As `kill -9` does.
    async fn kill(&mut self, id: u64);

    /// Starts a server again, without waiting until it serves.
    async fn launch(&mut self, id: u64);

    /// The server that leads or stands alone, once there is one.
    async fn leader(&self) -> u64;

    /// Before 3.9 servers do not know persistent watches from others when they
    /// are removed, nor do events tell the zxid.
    fn is_of_today(&self) -> bool;
}
