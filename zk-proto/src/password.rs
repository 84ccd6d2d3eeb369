//! The password of a session, derived from its id.
//!
//! It is no secret: every server of an ensemble derives the same one, so that
//! a session can move (`ZooKeeperServer.generatePasswd`).

use crate::SessionId;

/// Bytes of a session's password.
pub const PASSWORD_LEN: usize = 16;

const SUPER_SECRET: i64 = 0xB341_5C00;
const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

/// The password of `session`: what `java.util.Random` seeded with the id and
/// a constant puts out first.
#[must_use]
pub fn session_password(session: SessionId) -> [u8; PASSWORD_LEN] {
    let mut state = ((session.0 ^ SUPER_SECRET) as u64 ^ MULTIPLIER) & MASK;
    let mut password = [0; PASSWORD_LEN];
    for word in password.chunks_exact_mut(4) {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        let mut bits = (state >> 16) as u32;
        for byte in word {
            *byte = bits as u8;
            bits >>= 8;
        }
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_captured_response() {
        let password = session_password(SessionId(0x0100_002a_f4de_0000));
        let expected = 0x40b2_9d4e_cd96_dfc6_1e2f_ac01_5e4c_ef71_u128;
        assert_eq!(password, expected.to_be_bytes());
    }
}
