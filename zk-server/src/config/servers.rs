//! The members of an ensemble as settings tell them: `server.N`, `group.N`,
//! `weight.N`, `version`, in `zoo.cfg` or in the dynamic file. What a value
//! means is `zk_proto::ensemble`'s; this module knows where it was written.

use super::error::{ConfigError, Rule};
use super::settings::{Setting, Settings};
use super::values::Value;
use zk_proto::ensemble::{EnsembleConfig, Member};
use zk_proto::{ServerId, Zxid};

/// Reads the member lines among `settings`, as `QuorumMaj` and
/// `QuorumHierarchical` do.
///
/// # Errors
/// A line that says something else.
pub(super) fn read(
    settings: &Settings,
    many_addresses: bool,
) -> Result<EnsembleConfig, ConfigError> {
    let mut config = EnsembleConfig::default();
    for setting in settings.iter() {
        match setting.spec.name {
            "server.*" => add_server(&mut config, setting, many_addresses)?,
            "group.*" => add_group(&mut config, setting, settings)?,
            "weight.*" => {
                let weight = number(text(setting), 10).ok_or_else(|| bad(setting))?;
                config.weights.insert(id(setting)?, weight);
            }
            "version" => {
                let version = number(text(setting), 16).ok_or_else(|| bad(setting))?;
                config.version = Zxid(version);
            }
            _ => {}
        }
    }
    Ok(config)
}

fn add_server(
    config: &mut EnsembleConfig,
    setting: &Setting,
    many_addresses: bool,
) -> Result<(), ConfigError> {
    let id = id(setting)?;
    let member = Member::parse(id, text(setting), many_addresses).map_err(|source| {
        ConfigError::ServerLine {
            origin: setting.origin.clone(),
            key: setting.key.clone(),
            value: text(setting).to_owned(),
            source,
        }
    })?;
    config.members.insert(id, member);
    Ok(())
}

fn add_group(
    config: &mut EnsembleConfig,
    setting: &Setting,
    settings: &Settings,
) -> Result<(), ConfigError> {
    let group = id(setting)?.0;
    for part in text(setting).split(':') {
        let server = ServerId(number(part, 10).ok_or_else(|| bad(setting))?);
        if config.groups.insert(server, group).is_some() {
            return Err(settings.broken(Rule::InManyGroups(server)));
        }
    }
    Ok(())
}

fn text(setting: &Setting) -> &str {
    match &setting.value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn number(text: &str, radix: u32) -> Option<i64> {
    i64::from_str_radix(text, radix).ok()
}

fn id(setting: &Setting) -> Result<ServerId, ConfigError> {
    let id = number(&setting.suffix, 10).map(ServerId);
    id.ok_or_else(|| ConfigError::Value {
        origin: setting.origin.clone(),
        key: setting.key.clone(),
        value: text(setting).to_owned(),
        expected: "of a server or group with a number".to_owned(),
    })
}

fn bad(setting: &Setting) -> ConfigError {
    ConfigError::Value {
        origin: setting.origin.clone(),
        key: setting.key.clone(),
        value: text(setting).to_owned(),
        expected: "made of whole numbers".to_owned(),
    }
}
