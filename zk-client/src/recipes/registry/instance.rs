//! An instance of a service, and its JSON (`JsonInstanceSerializer` of
//! Curator's x-discovery).

use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// One process, or one port of it, that serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceInstance {
    /// The service.
    pub name: String,
    /// The instance, unique within the service.
    pub id: String,
    /// Where it serves: a name or an address.
    #[serde(default)]
    pub address: Option<String>,
    /// The port.
    #[serde(default)]
    pub port: Option<u16>,
    /// The port for TLS.
    #[serde(default)]
    pub ssl_port: Option<u16>,
    /// Whatever else is to be known. Java programs put the class into `@class`.
    #[serde(default)]
    pub payload: Option<serde_json::Value>,
    /// When it was registered, ms since 1970.
    #[serde(rename = "registrationTimeUTC", default)]
    pub registration_time_ms: i64,
    /// What becomes of the znode when the process goes.
    #[serde(default)]
    pub service_type: ServiceType,
    /// How to make a URI of it.
    #[serde(default)]
    pub uri_spec: Option<UriSpec>,
    /// Whether it is to be used; written only if not.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
}

/// The kind of an instance (`ServiceType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ServiceType {
    /// Ephemeral.
    #[default]
    Dynamic,
    /// Persistent.
    Static,
    /// Persistent, and not managed by the process that registered it.
    Permanent,
    /// Ephemeral, with a number behind its id.
    DynamicSequential,
}

/// How to make a URI of an instance (`UriSpec`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UriSpec {
    /// Text and variables, in order.
    pub parts: Vec<UriPart>,
}

/// Part of a [`UriSpec`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UriPart {
    /// The text, or the variable's name.
    pub value: String,
    /// Whether it is a variable.
    pub variable: bool,
}

impl ServiceInstance {
    /// An instance with an id of its own, registered now, without an address.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let ms = since_1970.map_or(0, |time| time.as_millis());
        Self {
            name: name.into(),
            id: Uuid::new_v4().to_string(),
            address: None,
            port: None,
            ssl_port: None,
            payload: None,
            registration_time_ms: i64::try_from(ms).unwrap_or(i64::MAX),
            service_type: ServiceType::Dynamic,
            uri_spec: None,
            enabled: true,
        }
    }

    /// The same at this address and port.
    #[must_use]
    pub fn at(mut self, address: impl Into<String>, port: u16) -> Self {
        (self.address, self.port) = (Some(address.into()), Some(port));
        self
    }

    /// The same with this payload.
    #[must_use]
    pub fn with_payload(mut self, payload: serde_json::Value) -> Self {
        self.payload = Some(payload);
        self
    }

    /// An instance from a znode's data.
    ///
    /// # Errors
    /// When they are no instance.
    pub fn from_json(data: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(data)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an instance has no map with other keys than text")
    }
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_yes(value: &bool) -> bool {
    *value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Curator's x-discovery 5.9 wrote it.
    const JAVAS: &str = r#"{"name":"java","id":"id-1","address":"10.0.0.9","port":81,"sslPort":444,"payload":{"@class":"java.util.HashMap","zone":"a"},"registrationTimeUTC":1234567,"serviceType":"DYNAMIC","uriSpec":{"parts":[{"value":"scheme","variable":true},{"value":"://","variable":false}]}}"#;

    #[test]
    fn json_is_curators() {
        let instance = ServiceInstance::from_json(JAVAS.as_bytes()).unwrap();
        assert_eq!((instance.port, instance.ssl_port), (Some(81), Some(444)));
        assert_eq!(instance.service_type, ServiceType::Dynamic);
        assert!(instance.enabled);
        assert_eq!(String::from_utf8(instance.to_json()).unwrap(), JAVAS);
        let newer = JAVAS.replace("}]}}", "}]},\"enabled\":false}");
        let disabled = ServiceInstance::from_json(newer.as_bytes()).unwrap();
        assert!(!disabled.enabled);
        assert_eq!(String::from_utf8(disabled.to_json()).unwrap(), newer);
    }

    #[test]
    fn what_is_no_instance_is_refused() {
        for wrong in ["", "{}", "null", "[1]", "{\"name\":1,\"id\":\"x\"}"] {
            assert!(
                ServiceInstance::from_json(wrong.as_bytes()).is_err(),
                "{wrong}"
            );
        }
    }
}
