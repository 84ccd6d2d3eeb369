//! What another server may send: packets, votes, openers, and the texts of configurations.
//!
//! The first byte of the input chooses which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zk_fuzz::check;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{
    AckEpoch, ForwardedRequest, InitialMessage, LearnerInfo, Notification, QuorumPacket,
    Revalidate, SessionTouch,
};

/// The most that a part of a packet may have here.
const MAX: usize = 1 << 16;

fuzz_target!(|input: &[u8]| {
    let Some((kind, body)) = input.split_first() else {
        return;
    };
    match kind % 4 {
        0 => packets(body),
        1 => votes(body),
        2 => opener(body),
        _ => config(body),
    }
});

/// Packets follow one another; each part that looks like data is read as every kind of it.
fn packets(mut rest: &[u8]) {
    while let Ok(Some((packet, length))) = QuorumPacket::split(rest, MAX) {
        assert!(length > 0 && length <= rest.len());
        check(&packet, QuorumPacket::encode, |packet, bytes| {
            let again = QuorumPacket::split(bytes, MAX)?;
            Ok(again.is_some_and(|(again, length)| again == *packet && length == bytes.len()))
        });
        data(packet.data());
        rest = &rest[length..];
    }
}

fn data(data: &[u8]) {
    if let Ok(info) = LearnerInfo::decode(data) {
        assert!(info.encode().starts_with(data) || data.len() < 20);
    }
    if let Ok(ack) = AckEpoch::decode(data) {
        assert_eq!(AckEpoch::decode(&ack.encode()), Ok(ack));
    }
    if let Ok(touches) = SessionTouch::decode_all(data) {
        assert_eq!(SessionTouch::encode_all(&touches), data);
    }
    if let Ok(request) = ForwardedRequest::decode(data) {
        assert_eq!(request.encode(), data);
    }
    let _ = (
        Revalidate::decode_question(data),
        Revalidate::decode_answer(data),
    );
}

fn votes(mut rest: &[u8]) {
    while let Ok(Some((frame, length))) = Notification::split(rest) {
        if let Ok(vote) = Notification::decode(frame) {
            let again = Notification::decode(&vote.encode()[4..]).expect("it was just written");
            // Old forms are written in the newest one, which has a configuration.
            assert_eq!(
                (again.leader, again.zxid, again.round),
                (vote.leader, vote.zxid, vote.round)
            );
        }
        rest = &rest[length..];
    }
}

fn opener(body: &[u8]) {
    let Ok(Some((message, _))) = InitialMessage::split(body) else {
        return;
    };
    if message.addresses.is_empty() {
        return;
    }
    let bytes = message.encode(true);
    if let Ok(again) = InitialMessage::split(&bytes) {
        assert_eq!(again, Some((message, bytes.len())));
    }
}

/// A configuration that is read is written as a text that means the same.
fn config(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let Ok(config) = EnsembleConfig::parse(&text, true) else {
        return;
    };
    let system = config.quorum_system();
    let voters = system.voters().collect();
    let _ = (system.is_quorum(&voters), system.is_quorum(&[].into()));
    assert!(!system.is_quorum(&[].into()), "nobody is no quorum");
    let again = EnsembleConfig::parse(&config.to_string(), true);
    if config.version.0 >= 0 {
        let again = again.expect("it was just written");
        assert_eq!(again.to_string(), config.to_string());
    }
}
