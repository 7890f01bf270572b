//! Security Token Service: who the caller is, and sessions of other roles.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

/// `DurationSeconds` of AssumeRole when it is not given (STS API reference, AssumeRole).
const DEFAULT_DURATION: i64 = 3600;

/// Who sends a request, as far as its headers say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    /// The access key id of the signature.
    pub(crate) access_key: Option<String>,
    /// The time on the caller's machine. The sandbox has its own, but credentials expire on the caller's.
    pub(crate) clock: Option<SimTime>,
}

/// A session that AssumeRole began.
#[derive(Debug)]
struct Session {
    role: String,
    role_id: String,
    name: String,
    expires: SimTime,
}

/// Sessions by access key id, and the caller of the present request.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) caller: Caller,
    sessions: BTreeMap<String, Session>,
}

/// A caller by name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) arn: String,
    /// The role whose session it is.
    pub(crate) role: String,
    pub(crate) user_id: String,
}

operations! {
    // A session is not a change of the account.
    Read AssumeRole => assume_role,
    Read GetCallerIdentity => get_caller_identity,
}

/// Whether the caller's session is over, by the caller's own clock.
pub(crate) fn expired(world: &World, caller: &Caller) -> bool {
    let session = caller
        .access_key
        .as_ref()
        .and_then(|key| world.services.sts.sessions.get(key));
    session.is_some_and(|session| session.expires <= caller.clock.unwrap_or(world.now))
}

/// Who `caller` is: the role of a session from AssumeRole, else the operator.
pub(crate) fn identity(world: &World, caller: &Caller) -> Identity {
    let account = &world.options.account_id;
    let session = caller
        .access_key
        .as_ref()
        .and_then(|key| world.services.sts.sessions.get(key));
    let (role, role_id, name) = match session {
        Some(session) => (
            session.role.as_str(),
            session.role_id.as_str(),
            session.name.as_str(),
        ),
        None => (world.options.role.as_str(), "AROA6BPOPERATOR2EXMPL", "operator"),
    };
    Identity {
        role: role.to_owned(),
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
        user_id: format!("{role_id}:{name}"),
    }
}

/// The ARN of the principal that sends the present request.
pub(crate) fn caller_arn(world: &World) -> String {
    identity(world, &world.services.sts.caller).arn
}

fn get_caller_identity(world: &World, _: &Value) -> OpResult {
    let identity = identity(world, &world.services.sts.caller);
    Ok(json!({
        "UserId": identity.user_id,
        "Account": world.options.account_id,
        "Arn": identity.arn,
    }))
}

/// Every role of this account can be assumed; a role of another one cannot.
fn assume_role(world: &mut World, input: &Value) -> OpResult {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let (arn, name) = (text("RoleArn"), text("RoleSessionName"));
    let account = world.options.account_id.clone();
    let Some(path) = arn.strip_prefix(&format!("arn:aws:iam::{account}:role/")) else {
        let caller = identity(world, &world.services.sts.caller).arn;
        return Err(if arn.starts_with("arn:aws:iam::") {
            let message =
                format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}");
            ApiError::client("AccessDenied", message)
        } else {
            ApiError::client("ValidationError", format!("{arn} is invalid"))
        });
    };
    let role = path.rsplit('/').next().unwrap_or(path).to_owned();
    let seconds = input
        .get("DurationSeconds")
        .and_then(Value::as_i64)
        .unwrap_or(DEFAULT_DURATION);
    let begins = world.services.sts.caller.clock.unwrap_or(world.now);
    let expires = begins + Duration::from_secs(seconds.unsigned_abs());
    let access_key = format!("ASIA{}", world.gateway.ids.hex(16).to_uppercase());
    let role_id = format!("AROA{}", world.gateway.ids.hex(17).to_uppercase());
    let answer = json!({
        "Credentials": {
            "AccessKeyId": access_key,
            "SecretAccessKey": world.gateway.ids.hex(40),
            "SessionToken": world.gateway.ids.hex(128),
            "Expiration": expires.epoch_seconds(),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": format!("{role_id}:{name}"),
            "Arn": format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
        },
    });
    let session = Session {
        role,
        role_id,
        name: name.to_owned(),
        expires,
    };
    world.services.sts.sessions.insert(access_key, session);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn session(world: &mut World) -> Caller {
        let input = json!({"RoleArn": "arn:aws:iam::123456789012:role/bp-deploy", "RoleSessionName": "ci", "DurationSeconds": 900});
        let answer = assume_role(world, &input).unwrap();
        Caller {
            access_key: answer["Credentials"]["AccessKeyId"]
                .as_str()
                .map(ToOwned::to_owned),
            clock: None,
        }
    }

    #[test]
    fn a_session_speaks_for_its_role_until_it_expires() {
        let mut world = World::new(Options::default());
        let caller = session(&mut world);
        assert_eq!(
            identity(&world, &caller).arn,
            "arn:aws:sts::123456789012:assumed-role/bp-deploy/ci"
        );
        assert!(!expired(&world, &caller));
        world.advance(world.now + Duration::from_secs(900));
        assert!(expired(&world, &caller));
    }

    #[test]
    fn a_session_lasts_on_the_callers_clock() {
        let mut world = World::new(Options::default());
        let later = world.now + Duration::from_secs(300 * 86_400);
        world.services.sts.caller.clock = Some(later);
        let caller = Caller {
            clock: Some(later),
            ..session(&mut world)
        };
        assert!(!expired(&world, &caller));
        let caller = Caller {
            clock: Some(later + Duration::from_secs(901)),
            ..caller
        };
        assert!(expired(&world, &caller));
    }

    #[test]
    fn roles_of_other_accounts_are_denied() {
        let mut world = World::new(Options::default());
        let input = json!({"RoleArn": "arn:aws:iam::999999999999:role/bp-deploy", "RoleSessionName": "ci"});
        assert_eq!(assume_role(&mut world, &input).unwrap_err().code, "AccessDenied");
    }
}
