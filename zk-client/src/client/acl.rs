//! Who may do what, and who one is.

use super::{Client, decode, outcome, within};
use crate::{Acl, Error, Stat};
use tokio::sync::oneshot;
use zk_proto::{Request, SetAclRequest};

impl Client {
    /// The access control list of a znode and its Stat.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_acl(&self, path: &str) -> Result<(Vec<Acl<'static>>, Stat), Error> {
        let request = Request::GetAcl(self.path_request(path)?);
        let reply = self.call(&request, None, path).await?;
        let (acl, stat): (Option<Vec<Acl<'_>>>, Stat) = decode(&reply, |r| r.read())?;
        let entries = acl.unwrap_or_default().into_iter();
        Ok((entries.map(Acl::into_owned).collect(), stat))
    }

    /// Replaces the access control list of a znode if the list (not the data)
    /// has this version; -1 for any.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_acl(&self, path: &str, acl: &[Acl<'_>], version: i32) -> Result<Stat, Error> {
        if acl.is_empty() {
            return Err(Error::EmptyAcl);
        }
        let request = Request::SetAcl(SetAclRequest {
            path: self.path_request(path)?.path,
            acl: Some(acl.to_vec()),
            version,
        });
        let reply = self.call(&request, None, path).await?;
        decode(&reply, |r| r.read())
    }

    /// Adds an identity to this connection and to those after it, such as
    /// `digest` with `user:password`. Servers give up a session whose identity
    /// they refuse.
    ///
    /// # Errors
    /// [`Error::AuthFailed`] when it is refused; see [`Error`].
    pub async fn add_auth(&self, scheme: &str, auth: Option<&[u8]>) -> Result<(), Error> {
        let (waiter, answer) = oneshot::channel();
        self.shared()
            .command(|session| session.add_auth(scheme, auth, waiter))?;
        within(self.request_timeout(), outcome(answer))
            .await
            .map(drop)
    }
}
