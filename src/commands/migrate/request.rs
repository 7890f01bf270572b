//! What the operator asked for, checked before AWS is asked.

use std::collections::BTreeSet;

use clap::Args;

use crate::commands::one_off::name;
use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{LayoutKind, PoolName};
use crate::tasks::{Choices, artisan};

/// The databases to migrate and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(super) struct Databases {
    /// Migrate the central database
    #[arg(long, conflicts_with = "attach")]
    pub(super) central: bool,

    /// Migrate the tenant pools
    #[arg(long, conflicts_with = "attach")]
    pub(super) tenant: bool,

    /// Migrate only these tenant pools (implies --tenant)
    #[arg(
        long,
        value_name = "POOL,…",
        value_delimiter = ',',
        value_parser = name::<PoolName>,
        add = crate::completion::pools(),
        conflicts_with = "attach"
    )]
    pub(super) pools: Vec<PoolName>,

    /// Drop all tables first
    #[arg(long, conflicts_with = "attach")]
    pub(super) fresh: bool,

    /// Take a snapshot of the database first; without it nothing is migrated
    #[arg(long, conflicts_with = "attach")]
    pub(super) snapshot: bool,
}

/// What the operator asked for. Pools are without repetitions, in the order given; none means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) databases: Databases,
    pub(super) task: Choices,
}

impl Request {
    /// The command that asks for the same again. A snapshot that was taken is not taken a second time.
    pub(super) fn again(&self) -> CommandLine {
        let command = self.go_on();
        if self.databases.fresh {
            command.args(["--fresh"])
        } else {
            command
        }
    }

    /// The command that goes on with what is left: tables that were dropped are not dropped again.
    pub(super) fn go_on(&self) -> CommandLine {
        let Databases {
            central,
            tenant,
            pools,
            ..
        } = &self.databases;
        let mut command = CommandLine::bpctl(["migrate"]);
        if *central {
            command = command.args(["--central"]);
        }
        // Pools mean tenant, but beside `--central` it has to be said.
        if *tenant && (*central || pools.is_empty()) {
            command = command.args(["--tenant"]);
        }
        if !pools.is_empty() {
            let pools: Vec<&str> = pools.iter().map(PoolName::as_ref).collect();
            command = command.option("--pools", pools.join(","));
        }
        self.task.repeated(command)
    }

    /// The words of the command.
    pub(super) fn words(&self, layout: LayoutKind) -> Vec<String> {
        let Databases {
            central,
            tenant,
            fresh,
            ref pools,
            ..
        } = self.databases;
        let wanted = artisan::Databases {
            central,
            tenant,
            pools,
            fresh,
        };
        artisan::migrate(layout, &wanted)
    }

    /// # Errors
    /// Flags that contradict each other.
    pub(super) fn new(mut databases: Databases, task: Choices) -> Result<Self> {
        let mut seen = BTreeSet::new();
        databases.pools.retain(|pool| seen.insert(pool.clone()));
        if !databases.pools.is_empty() && databases.central && !databases.tenant {
            return Err(CtlError::usage(
                "migrate: `--central` leaves the tenant pools out, `--pools` names some",
            )
            .hint("leave out one of them, or migrate both with `--central --tenant --pools …`"));
        }
        databases.tenant |= !databases.pools.is_empty();
        Ok(Self { databases, task })
    }

    /// The databases in words.
    pub(super) fn scope(&self) -> String {
        let databases = &self.databases;
        let names: Vec<&str> = databases.pools.iter().map(PoolName::as_ref).collect();
        let pools = match names.as_slice() {
            [] => "all tenant pools".to_owned(),
            [one] => format!("tenant pool {one}"),
            many => format!("tenant pools {}", many.join(", ")),
        };
        match (databases.central, databases.tenant) {
            (true, false) => "the central database".to_owned(),
            (false, true) => pools,
            (true, true) | (false, false) => format!("the central database and {pools}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn pools(names: &[&str]) -> Vec<PoolName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn request(databases: &Databases) -> Result<Request> {
        Request::new(databases.clone(), Choices::default())
    }

    #[test]
    fn pools_mean_tenant_and_are_not_repeated() {
        let pools = pools(&["b", "a", "b"]);
        let request = request(&Databases {
            pools: pools.clone(),
            ..Databases::default()
        })
        .unwrap();
        assert!(request.databases.tenant && !request.databases.central);
        assert_eq!(request.databases.pools, [pools[0].clone(), pools[1].clone()]);
        assert_eq!(request.scope(), "tenant pools b, a");
    }

    #[test]
    fn the_way_on_repeats_the_flags_but_drops_no_table_twice() {
        let databases = Databases {
            central: true,
            tenant: true,
            pools: pools(&["tenant_pool_1", "tenant_pool_2"]),
            fresh: true,
            snapshot: true,
        };
        let subnets = ["subnet-0a1b2c3d".parse().unwrap()];
        let env = [("BACKEND_SG_ID".to_owned(), "sg-0a1b2c3d".to_owned())].into();
        let choices = Choices::new(false, &subnets, &[], &env).unwrap();
        let request = Request::new(databases, choices).unwrap();
        let same =
            "bpctl migrate --central --tenant --pools tenant_pool_1,tenant_pool_2 --subnets subnet-0a1b2c3d";
        assert_eq!(request.go_on().to_string(), same);
        assert_eq!(request.again().to_string(), format!("{same} --fresh"));
        assert_eq!(Request::default().again().to_string(), "bpctl migrate");
    }

    #[test]
    fn central_alone_contradicts_pools() {
        let central = Databases {
            central: true,
            pools: pools(&["a"]),
            ..Databases::default()
        };
        assert_eq!(request(&central).unwrap_err().kind(), ErrorKind::Usage);
        let both = Databases {
            tenant: true,
            ..central
        };
        assert_eq!(
            request(&both).unwrap().scope(),
            "the central database and tenant pool a"
        );
    }

    #[test]
    fn without_flags_everything_is_migrated() {
        let request = request(&Databases::default()).unwrap();
        assert!(!request.databases.central && !request.databases.tenant);
        assert_eq!(request.scope(), "the central database and all tenant pools");
    }
}
