//! The steps that all verbs share that change secrets: each looks first, reads back, and can be taken back.
//!
//! Plans and journals hold a value's length and fingerprint. The value itself is in memory from where it was read
//! to where it is sent; a step that a journal brings back finds it by its fingerprint.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(super) use super::occasion::{Earlier, Occasion, To, Wanted};

use super::observe::{Found, Observed, Seen, observe};
use super::view::VERSION_PREFIX;
use super::written::WriteResult;
use crate::aws::secretsmanager::{CreateSecret, MoveCurrent, PutSecretValue};
use crate::aws::ssm::{CreateParameter, DeleteParameter, PutSecretParameter};
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, Done, End, Outcome, Plan, Step, StepRun, Target, Verification, Words,
};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::{App, Layout, Store};
use crate::redact::{Sealed, Secret};
use crate::secrets::{Fingerprints, Shape};

/// A verb that writes secrets, at work.
pub(super) struct Writing<'a, O> {
    pub(super) ctx: &'a Ctx,
    pub(super) layout: Layout,
    pub(super) prints: Fingerprints,
    pub(super) occasion: O,
    /// The values that the plan sends, by fingerprint.
    held: RefCell<BTreeMap<String, Secret>>,
    /// The services that read what was written.
    redeploy: RefCell<Vec<App>>,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Action {
    /// A new version of a secret.
    Put {
        call: PutSecretValue,
        /// The version that counted when the plan was made.
        before: Option<String>,
        shape: Shape,
    },
    /// Another version of a secret counts.
    Move {
        call: MoveCurrent,
        /// It takes a step of this plan back: what another writer has written since stays.
        undoes: bool,
    },
    /// A new version of a parameter.
    Parameter {
        call: PutSecretParameter,
        /// The value when the plan was made.
        before: Sealed,
        /// Its version.
        version: i64,
        /// The version whose value is written again; `None` for a new value.
        from: Option<i64>,
        shape: Shape,
        /// As for [`Action::Move`].
        undoes: bool,
    },
    /// A secret that is not there.
    Make { call: CreateSecret, shape: Shape },
    /// A parameter that is not there.
    Create { call: CreateParameter, shape: Shape },
    /// A parameter goes that a step of this plan has made, unless another writer has changed it since.
    Delete { call: DeleteParameter, value: Sealed },
}

/// What a step found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Written {
    pub(super) version: String,
}

impl<'a, O: Occasion> Writing<'a, O> {
    pub(super) fn new(ctx: &'a Ctx, layout: Layout, occasion: O) -> Result<Self> {
        Ok(Self {
            ctx,
            layout,
            prints: Fingerprints::open(ctx.state_dir.as_deref())?,
            occasion,
            held: RefCell::default(),
            redeploy: RefCell::default(),
        })
    }

    /// Keeps the services that read what was written.
    pub(super) fn remember_redeploy(&self, apps: &[App]) {
        apps.clone_into(&mut self.redeploy.borrow_mut());
    }

    /// The services whose running tasks hold values that are no longer those of the store.
    pub(super) fn apps_to_redeploy(&self) -> Vec<App> {
        self.redeploy.borrow().clone()
    }

    fn seal(&self, value: &Secret) -> Sealed {
        let sealed = self.prints.seal(value.clone());
        self.held
            .borrow_mut()
            .insert(sealed.fingerprint.clone(), value.clone());
        sealed
    }

    /// The step that brings a secret to what is wanted; `None` when it is there already.
    fn step(&self, observed: &Observed, wanted: &Wanted, basis: &Basis<'_>) -> Result<Option<Step<Action>>> {
        let entry = &observed.entry;
        let shape = observed.shape();
        let before = observed
            .value()
            .map(|value| self.prints.seal(value.clone()).emptied());
        let value = match &wanted.to {
            To::Value(value) | To::Version(Earlier { value, .. }) => value,
        };
        let sealed = self.seal(value);
        let is_same = before
            .as_ref()
            .is_some_and(|before| before.fingerprint == sealed.fingerprint);
        let (action, summary) = match (&wanted.to, entry.store) {
            (To::Version(earlier), Store::SecretsManager) => {
                let from = observed.version.clone().unwrap_or_default();
                if from == earlier.version {
                    return Ok(None);
                }
                let call = MoveCurrent {
                    secret: entry.path.clone(),
                    to: earlier.version.clone(),
                    from,
                };
                (
                    Action::Move { call, undoes: false },
                    format!("go back to version {}", earlier.version),
                )
            }
            _ if is_same => return Ok(None),
            (To::Value(_), Store::SecretsManager) if matches!(observed.found, Found::Missing) => {
                let call = Self::creation(&entry.path, &sealed, basis);
                (Action::Make { call, shape }, "make the secret".to_owned())
            }
            (To::Value(_), Store::SecretsManager) => {
                let call = PutSecretValue {
                    secret: entry.path.clone(),
                    token: format!("{VERSION_PREFIX}{}", basis.names.run),
                    value: sealed.clone(),
                    loses: wanted.loses.clone(),
                };
                let before = observed.version.clone();
                (
                    Action::Put { call, before, shape },
                    "write a new version".to_owned(),
                )
            }
            (To::Value(_), Store::ParameterStore) if matches!(observed.found, Found::Missing) => {
                let call = CreateParameter {
                    name: entry.path.clone(),
                    value: sealed.clone(),
                    is_image: shape == Shape::Image,
                };
                (Action::Create { call, shape }, "make the parameter".to_owned())
            }
            (to, Store::ParameterStore) => {
                let version = observed
                    .version
                    .as_deref()
                    .and_then(|version| version.parse().ok());
                let (Some(version), Some(before)) = (version, before.clone()) else {
                    return Err(missing(observed));
                };
                let call = PutSecretParameter {
                    name: entry.path.clone(),
                    value: sealed.clone(),
                    loses: wanted.loses.clone(),
                };
                let (from, summary) = match to {
                    To::Version(earlier) => (
                        earlier.version.parse().ok(),
                        format!("write the value of version {} again", earlier.version),
                    ),
                    To::Value(_) => (None, "write a new version".to_owned()),
                };
                let action = Action::Parameter {
                    call,
                    before,
                    version,
                    from,
                    shape,
                    undoes: false,
                };
                (action, summary)
            }
        };
        let words = before.map_or("no value".to_owned(), |before| before.words());
        let mut step =
            Step::new(&entry.name, summary, calls(&action), action).changing(words, sealed.words());
        step.notes.clone_from(&wanted.notes);
        step.notes.extend(no_way_back(&step.action).map(str::to_owned));
        Ok(Some(step))
    }

    /// The value of a sealed parameter: the plan's, or that of an earlier version.
    pub(super) async fn filled(&self, sealed: &Sealed, path: &str, from: Option<i64>) -> Result<Sealed> {
        if sealed.value().is_some() {
            return Ok(sealed.clone());
        }
        let held = self.held.borrow().get(&sealed.fingerprint).cloned();
        let value = match (held, from) {
            (Some(value), _) => Some(value),
            (None, Some(version)) => {
                let name = format!("{path}:{version}");
                let mut found = self
                    .ctx
                    .aws
                    .parameters_decrypted(std::slice::from_ref(&name))
                    .await?;
                let parameter = found.found.pop_first().map(|(_, parameter)| parameter);
                parameter.map(|parameter| parameter.value)
            }
            (None, None) => None,
        };
        match value.map(|value| self.prints.seal(value)) {
            Some(filled) if filled.fingerprint == sealed.fingerprint => Ok(filled),
            _ => Err(CtlError::new(
                ErrorKind::Changed,
                format!("write `{path}`: the value that the plan was made for is not at hand any more"),
            )),
        }
    }

    async fn put(
        &self,
        step: &StepRun<'_, Self>,
        call: &PutSecretValue,
        before: Option<&str>,
        shape: Shape,
    ) -> Result<Done<Self>> {
        let aws = &self.ctx.aws;
        let current = aws.current_version(&call.secret).await?;
        if current.as_deref() != Some(call.token.as_str()) {
            if current.as_deref() != before {
                return Err(changed(&call.secret));
            }
            let call = PutSecretValue {
                value: self.filled(&call.value, &call.secret, None).await?,
                ..call.clone()
            };
            step.send(aws, &call).await?;
        }
        self.read_back(&call.secret, Some(&call.token), &call.value, shape)
            .await?;
        Ok(written(&call.token))
    }

    /// # Errors
    /// Another value, version or shape than what was written.
    pub(super) async fn read_back(
        &self,
        path: &str,
        version: Option<&str>,
        sealed: &Sealed,
        shape: Shape,
    ) -> Result<()> {
        let names = [path.to_owned()];
        let (read, value) = if let Some(version) = version {
            let mut values = self.ctx.aws.secret_values(&names).await?;
            let read = values.found.remove(path);
            let is_ours = read.as_ref().is_some_and(|read| read.version == version);
            (is_ours, read.and_then(|read| read.value))
        } else {
            let mut found = self.ctx.aws.parameters_decrypted(&names).await?;
            let read = found.found.remove(path);
            (read.is_some(), read.map(|parameter| parameter.value))
        };
        if value.is_none() {
            return Err(CtlError::new(
                ErrorKind::Unexpected,
                format!("read `{path}` back: the answer has no value of it"),
            )
            .hint(("see what is stored with", CommandLine::bpctl(["secrets", "list"]))));
        }
        let same = value
            .as_ref()
            .is_some_and(|value| self.prints.of_secret(value) == sealed.fingerprint);
        if !read || !same {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!("read `{path}` back: it holds another value than the one that was just written"),
            ));
        }
        let value = value.as_ref().map(Secret::expose).unwrap_or_default();
        shape
            .check(value)
            .map_err(|why| CtlError::new(ErrorKind::Failed, format!("read `{path}` back: {why}")))
    }

    async fn go_back(
        &self,
        step: &StepRun<'_, Self>,
        call: &MoveCurrent,
        undoes: bool,
    ) -> Result<Done<Self>> {
        let aws = &self.ctx.aws;
        let current = aws.current_version(&call.secret).await?;
        let mut did = format!("left at version {}", call.to);
        if current.as_deref() != Some(call.to.as_str()) {
            if current.as_deref() != Some(call.from.as_str()) {
                return left_alone(&call.secret, undoes);
            }
            step.send(aws, call).await?;
            if aws.current_version(&call.secret).await?.as_deref() != Some(call.to.as_str()) {
                return Err(changed(&call.secret));
            }
            did = format!("went back to version {}", call.to);
        }
        let output = Written {
            version: call.to.clone(),
        };
        Ok(Done::new(did).with(output))
    }

    async fn put_parameter(
        &self,
        step: &StepRun<'_, Self>,
        call: &PutSecretParameter,
        before: &Sealed,
        (from, shape): (Option<i64>, Shape),
        undoes: bool,
    ) -> Result<Done<Self>> {
        let aws = &self.ctx.aws;
        let names = [call.name.clone()];
        let mut found = aws.parameters_decrypted(&names).await?;
        let current = found
            .found
            .remove(&call.name)
            .ok_or_else(|| CtlError::new(ErrorKind::Changed, format!("write `{}`: it is gone", call.name)))?;
        let print = self.prints.of_secret(&current.value);
        if print == call.value.fingerprint {
            return Ok(written(&current.version.to_string()));
        }
        if print != before.fingerprint {
            return left_alone(&call.name, undoes);
        }
        let call = PutSecretParameter {
            value: self.filled(&call.value, &call.name, from).await?,
            ..call.clone()
        };
        let version = step.send(aws, &call).await?;
        // What was there before may be a placeholder: going back to it is right all the same.
        let shape = if from.is_some() { Shape::Text } else { shape };
        self.read_back(&call.name, None, &call.value, shape).await?;
        Ok(written(&version.to_string()))
    }
}

/// Why a step cannot be taken back, if it cannot.
fn no_way_back(action: &Action) -> Option<&'static str> {
    match action {
        Action::Put { before: None, .. } => {
            Some("there is no way back: Secrets Manager keeps a current version for good")
        }
        Action::Make { .. } => Some("there is no way back: the secret stays once it is made"),
        _ => None,
    }
}

fn calls(action: &Action) -> Vec<crate::change::ApiCall> {
    vec![match action {
        Action::Put { call, .. } => call.described(),
        Action::Move { call, .. } => call.described(),
        Action::Parameter { call, .. } => call.described(),
        Action::Make { call, .. } => call.described(),
        Action::Create { call, .. } => call.described(),
        Action::Delete { call, .. } => call.described(),
    }]
}

pub(super) fn written<'a, O: Occasion>(version: &str) -> Done<Writing<'a, O>> {
    Done::new(format!("written as version {version}")).with(Written {
        version: version.to_owned(),
    })
}

/// What another writer has written since is no business of an undo; every other step ends there.
pub(super) fn left_alone<'a, O: Occasion>(path: &str, undoes: bool) -> Result<Done<Writing<'a, O>>> {
    if undoes {
        Ok(Done::new(format!(
            "left `{path}` as somebody else has written it since"
        )))
    } else {
        Err(changed(path))
    }
}

pub(super) fn changed(path: &str) -> CtlError {
    CtlError::changed(format!(
        "write `{path}`: somebody else has changed it since the plan was made"
    ))
}

/// A secret that is not there: its stack makes it, and would fail on one that was made by hand.
pub(super) fn missing(observed: &Observed) -> CtlError {
    let (_, why) = observed.state();
    CtlError::new(
        ErrorKind::NotFound,
        format!("write `{}`: {}", observed.entry.name, why.unwrap_or_default()),
    )
}

impl<O: Occasion> Change for Writing<'_, O> {
    const NAME: &'static str = O::NAME;
    const UNDO_LOOKS: bool = true;
    type Seen = Seen;
    type Action = Action;
    type Output = Written;
    type Ending = ();
    type Document = WriteResult;

    fn words(&self) -> Words {
        Words {
            goal: self.occasion.goal(),
            thing: "secret",
            settle: "read the secrets back".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        observe(&self.ctx.aws, &self.layout, self.occasion.entries(), &[]).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let wanted = self.occasion.wanted(seen)?;
        let mut steps = Vec::new();
        let mut blockers = Vec::new();
        for wanted in &wanted {
            let Some(observed) = seen.of(&wanted.name) else {
                continue;
            };
            match &observed.found {
                Found::Value(_) | Found::NoValue | Found::Bytes => {
                    steps.extend(self.step(observed, wanted, basis)?);
                }
                Found::Missing if wanted.may_be_made => {
                    steps.extend(self.step(observed, wanted, basis)?);
                }
                Found::Missing | Found::Unreadable(_) => blockers.push(self.blocker(observed)),
            }
        }
        // What has no way back comes last, when everything else has gone well.
        steps.sort_by_key(|step| no_way_back(&step.action).is_some());
        let mut plan = Plan::new(self.occasion.goal(), steps).all_or_nothing();
        plan.blockers = blockers;
        plan.warnings = self.occasion.warnings(seen);
        plan.stays = self.occasion.stays();
        for gap in &seen.gaps {
            plan.warnings
                .push(format!("failed to look at {}: {}", gap.what, gap.why));
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        let entries = self.occasion.entries();
        entries.into_iter().map(|entry| entry.name.to_string()).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            Action::Put { call, before, shape } => self.put(step, call, before.as_deref(), *shape).await,
            Action::Move { call, undoes } => self.go_back(step, call, *undoes).await,
            Action::Parameter {
                call,
                before,
                from,
                shape,
                undoes,
                ..
            } => {
                self.put_parameter(step, call, before, (*from, *shape), *undoes)
                    .await
            }
            Action::Make { call, shape } => self.make(step, call, *shape).await,
            Action::Create { call, shape } => self.create(step, call, *shape).await,
            Action::Delete { call, value } => self.delete(step, call, value).await,
        }
    }

    fn undo(&self, step: &Step<Action>) -> Option<Step<Action>> {
        let (action, summary) = match &step.action {
            Action::Put { call, before, .. } => {
                let call = MoveCurrent {
                    secret: call.secret.clone(),
                    to: before.clone()?,
                    from: call.token.clone(),
                };
                (
                    Action::Move { call, undoes: true },
                    "go back to the version before",
                )
            }
            Action::Move { call, .. } => {
                let call = MoveCurrent {
                    to: call.from.clone(),
                    from: call.to.clone(),
                    ..call.clone()
                };
                (
                    Action::Move { call, undoes: true },
                    "go back to the version before",
                )
            }
            Action::Parameter {
                call,
                before,
                version,
                shape,
                ..
            } => {
                let action = Action::Parameter {
                    before: call.value.emptied(),
                    call: PutSecretParameter {
                        value: before.emptied(),
                        loses: None,
                        ..call.clone()
                    },
                    version: *version,
                    from: Some(*version),
                    shape: *shape,
                    undoes: true,
                };
                (action, "write the value before again")
            }
            Action::Create { call, .. } => {
                let value = call.value.emptied();
                let call = DeleteParameter {
                    name: call.name.clone(),
                };
                (Action::Delete { call, value }, "take the parameter away again")
            }
            Action::Make { .. } | Action::Delete { .. } => return None,
        };
        let (before, after) = (step.after.clone(), step.before.clone());
        Some(
            Step::new(&step.id, summary, calls(&action), action)
                .changing(before.unwrap_or_default(), after.unwrap_or_default()),
        )
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        // Each step has read back what it wrote.
        let done: Vec<String> = run.done().iter().map(|(step, _)| step.id.clone()).collect();
        for name in done {
            run.end(name, End::Settled);
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<WriteResult> {
        Some(WriteResult::of(self, seen, outcome))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        self.occasion.resume()
    }
}
