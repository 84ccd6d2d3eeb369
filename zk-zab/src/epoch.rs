//! Which epoch a new leader opens (`Leader.getEpochToPropose`). It does not
//! know whether those who were asked are a quorum.

use zk_proto::Epoch;
use zk_proto::mutation::is_back;

/// One more than the highest epoch that any of a quorum has accepted. `None`
/// when nobody was asked, or the epochs are used up.
#[must_use]
pub fn next_epoch(accepted: impl IntoIterator<Item = Epoch>) -> Option<Epoch> {
    let Epoch(highest) = accepted.into_iter().max()?;
    let step = u32::from(!is_back("epoch_used_twice"));
    highest.checked_add(step).map(Epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_epoch_is_above_every_accepted_one() {
        assert_eq!(next_epoch([Epoch(0)]), Some(Epoch(1)));
        assert_eq!(next_epoch([Epoch(7), Epoch(2)]), Some(Epoch(8)));
    }

    #[test]
    fn nobody_and_the_last_epoch_give_none() {
        assert_eq!(next_epoch([]), None);
        assert_eq!(next_epoch([Epoch(u32::MAX)]), None);
    }
}
