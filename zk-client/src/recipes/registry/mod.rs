//! The service registry, in the layout of Curator's x-discovery:
//! `<base>/<service>/<instance id>`, ephemeral, with the instance as JSON.

mod instance;

pub use instance::{ServiceInstance, ServiceType, UriPart, UriSpec};

use super::cache::{Cache, Extent};
use super::hold::Hold;
use super::place::Place;
use super::{RecipeError, Result, names, patient};
use crate::Client;
use std::ops::Deref;

/// Where services register their instances, and find those of others.
#[derive(Debug, Clone)]
pub struct ServiceRegistry {
    client: Client,
    base: String,
}

/// An instance that is registered for as long as the session lives or until
/// this is dropped.
#[derive(Debug)]
pub struct Registration {
    hold: Hold,
}

impl ServiceRegistry {
    /// The registry at this path. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, base: impl Into<String>) -> Self {
        Self {
            client,
            base: base.into(),
        }
    }

    /// Registers an instance. One of the same service and id is replaced, as it
    /// can only be a former self.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn register(&self, instance: &ServiceInstance) -> Result<Registration> {
        let path = self.path_of(&instance.name, &instance.id);
        let data = instance.to_json();
        loop {
            if let Some(place) = Place::claim(&self.client, &path, &data).await? {
                let gone = place.gone();
                let hold = Hold::new(place, gone);
                return Ok(Registration { hold });
            }
            patient::delete(&self.client, &path).await?;
        }
    }

    /// The services that have, or had, instances.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn services(&self) -> Result<Vec<String>> {
        let mut names = patient::children(&self.client, &self.base).await?;
        names.sort_unstable();
        Ok(names)
    }

    /// The instances of a service, in the order of their ids.
    ///
    /// # Errors
    /// [`RecipeError::Data`] when one of them is no instance; see
    /// [`crate::Error`].
    pub async fn instances(&self, service: &str) -> Result<Vec<ServiceInstance>> {
        let path = names::join(&self.base, service);
        let mut ids = patient::children(&self.client, &path).await?;
        ids.sort_unstable();
        let mut instances = Vec::with_capacity(ids.len());
        for id in ids {
            instances.extend(self.instance(service, &id).await?);
        }
        Ok(instances)
    }

    /// One instance, if it is registered.
    ///
    /// # Errors
    /// As [`ServiceRegistry::instances`].
    pub async fn instance(&self, service: &str, id: &str) -> Result<Option<ServiceInstance>> {
        let path = self.path_of(service, id);
        let Some((data, _)) = patient::data(&self.client, &path).await? else {
            return Ok(None);
        };
        parsed(path, &data.unwrap_or_default()).map(Some)
    }

    /// Follows the instances of a service as they come, change and go;
    /// [`ServiceInstance::from_json`] reads their data.
    #[must_use]
    pub fn watch(&self, service: &str) -> Cache {
        let path = names::join(&self.base, service);
        Cache::start(self.client.clone(), path, Extent::Children)
    }

    fn path_of(&self, service: &str, id: &str) -> String {
        names::join(&names::join(&self.base, service), id)
    }
}

impl Registration {
    /// Changes what is registered; service and id stay.
    ///
    /// # Errors
    /// See [`crate::Error`].
    pub async fn update(&self, instance: &ServiceInstance) -> Result<()> {
        let client = self.hold.place().client();
        patient::set_data(client, self.hold.path(), &instance.to_json()).await?;
        Ok(())
    }

    /// Unregisters, and waits until that is certain.
    ///
    /// # Errors
    /// As [`Hold::release`].
    pub async fn unregister(self) -> Result<()> {
        self.hold.release().await
    }
}

impl Deref for Registration {
    type Target = Hold;

    fn deref(&self) -> &Hold {
        &self.hold
    }
}

fn parsed(path: String, data: &[u8]) -> Result<ServiceInstance> {
    ServiceInstance::from_json(data).map_err(|error| RecipeError::Data {
        path,
        problem: format!("no service instance: {error}"),
    })
}
