//! A model of a fleet with prices that the caller has looked up.

use std::collections::BTreeMap;

use fleet_scaling::config::FleetConfig;

use super::super::Model;
use super::AT_LIST_PRICE;
use crate::error::{CtlError, ErrorKind, Result};

impl Model {
    /// The same with what an hour of its instance types costs, in dollars; a type that `prices` lacks keeps its list price.
    ///
    /// # Errors
    /// A price that is none.
    pub(crate) fn at_prices(mut self, prices: &BTreeMap<String, f64>) -> Result<Self> {
        let mut spec = self.config.spec().clone();
        let mut left = false;
        for kind in &mut spec.instance_types {
            match prices.get(&kind.name) {
                Some(price) => kind.hourly_price = Some(*price),
                None => left = true,
            }
        }
        let names: Vec<String> = self
            .config
            .alarms()
            .iter()
            .map(|alarm| alarm.name.clone())
            .collect();
        self.config = FleetConfig::new(spec).map_err(|error| {
            CtlError::new(
                ErrorKind::Unexpected,
                format!("put prices on the instances of fleet `{}`", self.name),
            )
            .source(&error)
        })?;
        for (position, name) in names.into_iter().enumerate() {
            self.config.name_alarm(position, name);
        }
        if !left {
            self.assumptions.retain(|text| !text.starts_with(AT_LIST_PRICE));
        }
        Ok(self)
    }
}
