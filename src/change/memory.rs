//! A store in memory with S3's conditional writes, for tests of the engine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::permit::Permit;
use super::store::{Condition, SharedStore, Stored, Written};
use crate::error::{CtlError, ErrorKind, Result};

#[derive(Clone, Default)]
pub(super) struct MemoryStore(Rc<Inside>);

#[derive(Default)]
struct Inside {
    objects: RefCell<BTreeMap<String, Object>>,
    writes: Cell<u64>,
    closed: Cell<bool>,
}

struct Object {
    body: String,
    etag: String,
    written: Instant,
    /// Beyond what has passed on the clock.
    older: Duration,
}

impl MemoryStore {
    pub(super) fn keys(&self) -> Vec<String> {
        self.0.objects.borrow().keys().cloned().collect()
    }

    /// Makes every object older.
    pub(super) fn pass(&self, time: Duration) {
        for object in self.0.objects.borrow_mut().values_mut() {
            object.older += time;
        }
    }

    /// From now on every read and write is refused.
    pub(super) fn close(&self) {
        self.0.closed.set(true);
    }

    /// The store can be reached again.
    pub(super) fn open_again(&self) {
        self.0.closed.set(false);
    }

    /// Another writer replaces everything.
    pub(super) fn replace_all(&self, body: &str) {
        let etag = self.etag();
        for object in self.0.objects.borrow_mut().values_mut() {
            *object = Object::new(body, &etag);
        }
    }

    fn etag(&self) -> String {
        self.0.writes.set(self.0.writes.get() + 1);
        format!("\"{}\"", self.0.writes.get())
    }

    async fn open(&self) -> Result<()> {
        // As the network does: others get their turn.
        tokio::task::yield_now().await;
        if self.0.closed.get() {
            return Err(CtlError::new(ErrorKind::AccessDenied, "use the store: denied"));
        }
        Ok(())
    }
}

impl Object {
    fn new(body: &str, etag: &str) -> Self {
        Self {
            body: body.to_owned(),
            etag: etag.to_owned(),
            written: Instant::now(),
            older: Duration::ZERO,
        }
    }
}

impl SharedStore for MemoryStore {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    async fn read(&self, key: &str) -> Result<Option<Stored>> {
        self.open().await?;
        let objects = self.0.objects.borrow();
        Ok(objects.get(key).map(|object| Stored {
            body: object.body.clone(),
            etag: object.etag.clone(),
            age: object.written.elapsed() + object.older,
        }))
    }

    async fn write(
        &self,
        key: &str,
        body: &str,
        condition: Condition<'_>,
        _permit: &Permit,
    ) -> Result<Written> {
        self.open().await?;
        let etag = self.etag();
        let mut objects = self.0.objects.borrow_mut();
        let holds = match (condition, objects.get(key)) {
            (Condition::Absent, found) => found.is_none(),
            (Condition::Unchanged(wanted), Some(found)) => wanted == found.etag,
            (Condition::Unchanged(_), None) => false,
        };
        if !holds {
            return Ok(Written::Conflict);
        }
        objects.insert(key.to_owned(), Object::new(body, &etag));
        Ok(Written::Stored(etag))
    }

    async fn remove(&self, key: &str, etag: &str, _permit: &Permit) -> Result<bool> {
        self.open().await?;
        let mut objects = self.0.objects.borrow_mut();
        let same = objects.get(key).is_some_and(|found| found.etag == etag);
        if same {
            objects.remove(key);
        }
        Ok(same)
    }

    async fn names(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>> {
        self.open().await?;
        let keys = self.keys().into_iter();
        Ok(keys
            .filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after))
            .collect())
    }
}
