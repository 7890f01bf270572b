//! A small Docker Engine: enough of its API for ministack to schedule tasks on, and no container ever runs.
//!
//! Images hold [`Program`]s; a container "runs" the one that its entry point and command lead to, for as long
//! as that program lasts, and leaves with its exit status.

mod container;
mod http;
mod program;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use container::Container;
pub(crate) use program::{Image, Program};

/// A running engine. It serves for as long as the process lives.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) address: SocketAddr,
    store: Store,
}

#[derive(Clone, Default)]
struct Store(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    /// What the registry holds.
    images: Vec<Image>,
    /// What of it has been pulled.
    pulled: Vec<String>,
    containers: Vec<Container>,
}

impl Engine {
    pub(crate) fn start() -> Self {
        let store = Store::default();
        let address = http::serve(store.clone());
        Self { address, store }
    }

    /// Puts an image into the registry, in the place of one of the same name.
    pub(crate) fn push(&self, image: Image) {
        let mut contents = self.store.lock();
        contents.images.retain(|other| other.name != image.name);
        contents.images.push(image);
    }

    /// The containers of a task, as they were created; removed ones included.
    pub(crate) fn containers_of(&self, task_arn: &str) -> Vec<Container> {
        let contents = self.store.lock();
        let of_task =
            |container: &&Container| container.label("com.amazonaws.ecs.task-arn") == Some(task_arn);
        contents.containers.iter().filter(of_task).cloned().collect()
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    /// By `repository:tag` or `repository@digest`.
    fn image(&self, reference: &str) -> Option<&Image> {
        self.images
            .iter()
            .find(|image| image.name == reference || pinned(&image.name) == reference)
    }

    fn is_local(&self, reference: &str) -> bool {
        self.image(reference)
            .is_some_and(|image| self.pulled.contains(&image.name))
    }

    /// By id or name.
    fn container(&mut self, reference: &str) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| {
            !container.removed && (container.id == reference || container.name == reference)
        })
    }
}

/// A digest that is always the same for a name; the registry never changes what a tag means.
fn digest(name: &str) -> String {
    let bytes = name.bytes().fold([0_u8; 32], |mut digest, byte| {
        digest.rotate_left(1);
        digest[0] ^= byte;
        digest
    });
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn pinned(name: &str) -> String {
    let repository = name.rsplit_once(':').map_or(name, |(repository, _)| repository);
    format!("{repository}@{}", digest(name))
}
