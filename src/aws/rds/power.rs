//! StopDBInstance and StartDBInstance, and what stands against a stop (Amazon RDS User Guide, "Stopping an Amazon RDS
//! DB instance temporarily").

use aws_sdk_rds::error::SdkError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::DbInstance;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

/// What a state means for a stop or a start ("Viewing Amazon RDS DB instance status", RDS User Guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// It answers queries and can be stopped.
    On,
    /// It answers queries and cannot be stopped before something else is over.
    Busy,
    Starting,
    Stopping,
    Off,
    /// Something is wrong with it, or it is going away.
    Other,
}

impl DbInstance {
    pub(crate) fn power(&self) -> Power {
        match self.status.as_str() {
            "available" | "storage-optimization" => Power::On,
            "backing-up"
            | "configuring-enhanced-monitoring"
            | "configuring-iam-database-auth"
            | "configuring-log-exports"
            | "converting-to-vpc"
            | "maintenance"
            | "modifying"
            | "moving-to-vpc"
            | "rebooting"
            | "renaming"
            | "resetting-master-credentials"
            | "storage-config-upgrade"
            | "storage-initialization"
            | "upgrading" => Power::Busy,
            "creating" | "starting" => Power::Starting,
            "stopping" => Power::Stopping,
            "stopped" => Power::Off,
            _ => Power::Other,
        }
    }

    /// Whether it answers queries.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.power(), Power::On)
            || matches!(
                self.status.as_str(),
                "backing-up" | "modifying" | "storage-initialization"
            )
    }

    /// Why it cannot be stopped at all, in a clause; `None` when it can.
    pub(crate) fn never_stops(&self) -> Option<String> {
        let is_sql_server =
            self.engine.starts_with("sqlserver") || self.engine.starts_with("custom-sqlserver");
        if let Some(cluster) = &self.cluster {
            return Some(format!(
                "it belongs to the cluster {cluster}, and only a whole cluster is stopped"
            ));
        }
        if let Some(source) = &self.replica_of {
            return Some(format!("it is a read replica of {source}"));
        }
        if !self.replicas.is_empty() {
            return Some(format!("it has read replicas ({})", self.replicas.join(", ")));
        }
        if is_sql_server && self.multi_az {
            return Some("it is a SQL Server in more than one zone".to_owned());
        }
        None
    }
}

impl Aws {
    /// The database instance with this identifier.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none.
    pub(crate) async fn db_instance(&self, id: &str) -> Result<DbInstance> {
        let found = self.db_instances().await?.into_iter();
        let mut found = found.filter(|instance| instance.id.eq_ignore_ascii_case(id));
        found.next().ok_or_else(|| {
            CtlError::new(
                ErrorKind::NotFound,
                format!("find the database {id}: there is none of this name"),
            )
        })
    }
}

/// Stops an instance; one that stops or is stopped already stays so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StopDbInstance {
    pub(crate) instance: String,
}

/// Starts a stopped instance; one that starts or runs already stays so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StartDbInstance {
    pub(crate) instance: String,
}

/// The two differ in the operation and in the states that a request finds which has arrived before.
macro_rules! power {
    ($call:ident, $operation:literal, $method:ident, $doing:literal, $arrived:pat) => {
        impl Call for $call {
            const SERVICE: &'static str = "rds";
            const OPERATION: &'static str = $operation;
            const REPEATED: Repeated = Repeated::Harmless;
            type Via = Aws;
            /// The instance as it is afterwards.
            type Answer = DbInstance;

            fn parameters(&self) -> Map<String, Value> {
                parameters([("DBInstanceIdentifier", self.instance.as_str().into())])
            }

            fn resource(&self) -> String {
                format!("rds/{}", self.instance)
            }

            async fn send(&self, aws: &Aws, permit: &Permit) -> Result<DbInstance> {
                let answer = aws
                    .rds_client()
                    .await?
                    .$method()
                    .db_instance_identifier(&self.instance)
                    .customize()
                    .interceptor(ShowPermit::new(permit))
                    .send()
                    .await;
                let refused = match answer {
                    Ok(_) => return aws.db_instance(&self.instance).await,
                    Err(refused) => refused,
                };
                let in_state = match &refused {
                    SdkError::ServiceError(error) => error.err().is_invalid_db_instance_state_fault(),
                    _ => false,
                };
                // An earlier request of this call may have arrived without its answer.
                if in_state {
                    let now = aws.db_instance(&self.instance).await?;
                    if matches!(now.power(), $arrived) {
                        return Ok(now);
                    }
                }
                Err(from_sdk(
                    format!(concat!($doing, " database {}"), self.instance),
                    &refused,
                ))
            }
        }
    };
}

power!(
    StopDbInstance,
    "StopDBInstance",
    stop_db_instance,
    "stop",
    Power::Stopping | Power::Off
);
power!(
    StartDbInstance,
    "StartDBInstance",
    start_db_instance,
    "start",
    Power::Starting | Power::On | Power::Busy
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_clusters_and_sql_server_in_two_zones_are_never_stopped() {
        let maria = DbInstance {
            id: "bp".to_owned(),
            engine: "mariadb".to_owned(),
            multi_az: true,
            ..DbInstance::default()
        };
        assert_eq!(maria.never_stops(), None);
        for (instance, why) in [
            (
                DbInstance {
                    cluster: Some("aurora".to_owned()),
                    ..maria.clone()
                },
                "cluster aurora",
            ),
            (
                DbInstance {
                    replica_of: Some("other".to_owned()),
                    ..maria.clone()
                },
                "replica of other",
            ),
            (
                DbInstance {
                    replicas: vec!["copy".to_owned()],
                    ..maria.clone()
                },
                "read replicas (copy)",
            ),
            (
                DbInstance {
                    engine: "sqlserver-se".to_owned(),
                    ..maria.clone()
                },
                "SQL Server",
            ),
        ] {
            let told = instance.never_stops().unwrap_or_default();
            assert!(told.contains(why), "{told}");
        }
        let alone = DbInstance {
            engine: "sqlserver-se".to_owned(),
            multi_az: false,
            ..maria
        };
        assert_eq!(alone.never_stops(), None);
    }
}
