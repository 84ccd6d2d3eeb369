//! Which of the keys that were set do nothing, and why. It refuses to know
//! what the others do.

use super::jvm_flags::JvmFlags;
use super::keys::Effect;
use super::notice::Notices;
use super::settings::{Setting, Settings};
use super::values::Value;

/// Says each key without an effect once, those with one reason on one line.
pub(super) fn report_idle_keys(settings: &Settings, standalone: bool, notices: &mut Notices) {
    let mut lines: Vec<(Why, Vec<&str>)> = Vec::new();
    for setting in settings.iter() {
        let Some(why) = why_idle(setting, standalone) else {
            continue;
        };
        match lines.iter_mut().find(|(reason, _)| *reason == why) {
            Some((_, keys)) => keys.push(&setting.key),
            None => lines.push((why, vec![&setting.key])),
        }
    }
    for (why, keys) in lines {
        let keys = keys.join(", ");
        match why {
            Why::Needless(reason) => notices.info(format!("no effect here: {keys}: {reason}")),
            Why::Missing(what) => {
                notices.warn(format!(
                    "no effect yet: {keys}: {what} is not served by this version"
                ));
            }
            Why::Standalone => {
                notices.info(format!("no effect here: {keys}: this server is standalone"));
            }
        }
    }
}

/// Says that there is no JVM to take its options, if there are any.
pub(super) fn report_jvm_options(flags: &JvmFlags, notices: &mut Notices) {
    if !flags.others.is_empty() {
        notices.info("JVMFLAGS: options other than -D have no effect: there is no JVM");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Needless(&'static str),
    Missing(&'static str),
    Standalone,
}

fn why_idle(setting: &Setting, standalone: bool) -> Option<Why> {
    // To switch off what is not there needs no word.
    let is_off = setting.value == Value::Bool(false);
    match setting.spec.effect {
        Effect::Accepted(reason) => Some(Why::Needless(reason)),
        Effect::NotYet(_) if is_off => None,
        Effect::NotYet(what) => Some(Why::Missing(what)),
        Effect::Ensemble | Effect::EnsembleAccepted(_) | Effect::EnsembleNotYet(_)
            if standalone =>
        {
            Some(Why::Standalone)
        }
        Effect::EnsembleAccepted(reason) => Some(Why::Needless(reason)),
        Effect::EnsembleNotYet(_) if is_off => None,
        Effect::EnsembleNotYet(what) => Some(Why::Missing(what)),
        Effect::Ensemble | Effect::Acts => None,
    }
}
