//! Which database instance is the platform's.

use futures::join;

use crate::aws::rds::{DbInstance, Recognized, platform_instance};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::layout::Layout;

/// Output of the data stack that holds the database's host name.
pub(in crate::commands) const ENDPOINT_OUTPUT: &str = "RdsEndpoint";

/// What the data stack says, and the instances that there are.
pub(in crate::commands) struct Instances {
    /// The database's host name, with its port or without.
    pub(in crate::commands) endpoint: Result<String, NoEndpoint>,
    pub(in crate::commands) all: Vec<DbInstance>,
}

/// Why the host name is not known.
#[derive(Debug)]
pub(in crate::commands) struct NoEndpoint {
    pub(in crate::commands) why: String,
    /// The stack could not be read.
    pub(in crate::commands) error: Option<CtlError>,
}

/// The instance that is thought to be the platform's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum PlatformDatabase {
    Found {
        id: String,
        status: String,
        /// Why it is thought to be the right one, when that is not certain.
        doubt: Option<String>,
    },
    Unknown(String),
}

/// Reads the stack and the instances of the region.
///
/// # Errors
/// When the instances cannot be read; a stack that cannot be read is a reason not to know the host name.
pub(in crate::commands) async fn look(ctx: &Ctx, layout: &Layout) -> Result<Instances> {
    let no = |why: String, error: Option<CtlError>| Err(NoEndpoint { why, error });
    let endpoint = async {
        let Some(stack) = layout.core_stack("data") else {
            return no("this layout has no data stack".to_owned(), None);
        };
        match ctx.aws.stack(&stack).await {
            Ok(Some(mut found)) => match found.outputs.remove(ENDPOINT_OUTPUT) {
                Some(endpoint) => Ok(endpoint),
                None => no(format!("stack {stack} has no output {ENDPOINT_OUTPUT}"), None),
            },
            Ok(None) => no(format!("there is no stack {stack}"), None),
            Err(error) => no(format!("stack {stack} cannot be read ({error})"), Some(error)),
        }
    };
    let (endpoint, all) = join!(Box::pin(endpoint), Box::pin(ctx.aws.db_instances()));
    Ok(Instances { endpoint, all: all? })
}

impl Instances {
    /// The instance whose host name the data stack puts out. When the stack cannot tell, the only instance of the
    /// region is meant; among several bpctl does not choose.
    pub(in crate::commands) fn chosen(&self) -> PlatformDatabase {
        let found = |instance: &DbInstance, doubt: Option<String>| PlatformDatabase::Found {
            id: instance.id.clone(),
            status: instance.status.clone(),
            doubt,
        };
        let chosen = platform_instance(&self.all, self.endpoint.as_deref().ok(), None);
        match (chosen, &self.endpoint) {
            (Some((instance, Recognized::ByEndpoint | Recognized::ByAlarm)), _) => found(instance, None),
            // The only instance is not the one that the stack names.
            (_, Ok(endpoint)) => {
                let host = endpoint.split(':').next().unwrap_or_default();
                PlatformDatabase::Unknown(format!("no database instance has the host name {host}"))
            }
            (Some((only, Recognized::AsTheOnlyOne)), Err(NoEndpoint { why, .. })) => found(
                only,
                Some(format!("{why}, but it is the only database in this region")),
            ),
            (None, Err(NoEndpoint { why, .. })) => PlatformDatabase::Unknown(match self.all.len() {
                0 => format!("{why}, and there is no database in this region"),
                several => format!("{why}, and there are {several} databases in this region"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str) -> DbInstance {
        DbInstance {
            id: id.to_owned(),
            status: "available".to_owned(),
            endpoint: Some(format!("{id}.example.rds.amazonaws.com")),
            ..DbInstance::default()
        }
    }

    fn choose(endpoint: Result<String, NoEndpoint>, all: &[DbInstance]) -> PlatformDatabase {
        let all = all.to_vec();
        Instances { endpoint, all }.chosen()
    }

    #[test]
    fn the_database_is_the_one_behind_the_stacks_endpoint() {
        let instances = [instance("a"), instance("b")];
        let endpoint = "b.example.rds.amazonaws.com".to_owned();
        for endpoint in [endpoint.clone(), format!("{endpoint}:3306")] {
            assert_eq!(
                choose(Ok(endpoint), &instances),
                PlatformDatabase::Found {
                    id: "b".to_owned(),
                    status: "available".to_owned(),
                    doubt: None
                }
            );
        }
        assert!(matches!(
            choose(Ok("c.example".to_owned()), &instances),
            PlatformDatabase::Unknown(_)
        ));
    }

    #[test]
    fn without_the_stack_only_an_only_database_will_do() {
        let why = || {
            Err(NoEndpoint {
                why: "there is no stack bp-data".to_owned(),
                error: None,
            })
        };
        assert!(
            matches!(choose(why(), &[instance("a")]), PlatformDatabase::Found { doubt: Some(doubt), .. } if doubt.contains("only database"))
        );
        assert!(
            matches!(choose(why(), &[instance("a"), instance("b")]), PlatformDatabase::Unknown(why) if why.contains("2 databases"))
        );
        assert!(matches!(choose(why(), &[]), PlatformDatabase::Unknown(_)));
    }
}
