//! The steps: each looks first, so that it goes on with what an earlier run has begun.

use std::cell::RefCell;
use std::time::Duration;

use super::plan::{RUN_TAG, delete, deregister, finished, is_wanted};
use super::view::BakeResult;
use super::{APPLIED, AVAILABLE, BUILDER, Bake, BakeAction, Found, IMAGE, Leftovers, ONLINE, STOPPED, Seen};
use crate::aws::ec2::{CreateImage, Image, RunInstances, StopInstances, TerminateInstances};
use crate::aws::ssm::command::{Progress, SendCommand};
use crate::change::{Change as _, Done, End, Later, StepRun, Verification};
use crate::commands::bundle::{Followed, failure, follow, send};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::wait::{Look, Waited, Waiter};

/// How often what takes minutes is looked at.
const PACE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(20));

/// Looks for an instance whose request had no answer: EC2 shows what it has started within seconds.
const LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

impl<'c> Bake<'c> {
    pub(super) async fn carry_out(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            BakeAction::CleanUp(leftovers) => self.clean_up(leftovers, step).await,
            BakeAction::Start(call) => self.start(call, step).await,
            BakeAction::GoOn(id) => {
                step.note(BUILDER, id);
                Ok(Done::new(format!("goes on with {id}")).with(Found::Builder(id.clone())))
            }
            BakeAction::Apply(call) => self.apply(call, step).await,
            BakeAction::Image(call) => self.image(call, step).await,
            BakeAction::Await { image, machines, .. } => {
                let made = self.available(image).await?;
                for id in machines {
                    self.terminate(id, step).await?;
                }
                Ok(Done::new(format!("image {} is available", made.id)).with(Found::Image(made.id)))
            }
            BakeAction::Terminate { run, call } => self.take_builder_back(run, call, step).await,
            BakeAction::Discard { name, machines } => self.discard(name, machines, step).await,
            BakeAction::Nothing => Ok(Done::new("gone with the builder")),
        }
    }

    async fn clean_up(&self, leftovers: &Leftovers, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        for id in &leftovers.machines {
            self.terminate(id, step).await?;
        }
        for (image, snapshots) in &leftovers.images {
            self.remove_image(image, snapshots, step).await?;
        }
        Ok(Done::new(format!(
            "removed {} instances and {} images",
            leftovers.machines.len(),
            leftovers.images.len()
        )))
    }

    /// An image with its snapshots, unless another caller was faster.
    async fn remove_image(&self, image: &str, snapshots: &[String], step: &StepRun<'_, Self>) -> Result<()> {
        let call = deregister(Later::Known(image.to_owned()));
        step.send(&self.ctx.aws, &call).await?;
        for snapshot in snapshots {
            let call = delete(Later::Known(snapshot.clone()));
            step.send(&self.ctx.aws, &call).await?;
        }
        Ok(())
    }

    async fn start(&self, call: &RunInstances, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let machine = step.send(&self.ctx.aws, call).await?;
        // At once, so that a kill at any later moment leaves a trace of it.
        step.note(BUILDER, &machine.id);
        if matches!(
            machine.state.as_deref(),
            Some("shutting-down" | "terminated" | "stopping" | "stopped")
        ) {
            return Err(CtlError::changed(format!(
                "start the builder: AWS recognises the request as that of {}, which has ended",
                machine.id
            ))
            .hint(("start another one with", self.resume(&[]))));
        }
        let did = format!("started {}", machine.id);
        Ok(Done::new(did).with(Found::Builder(machine.id)))
    }

    /// What the step before has found.
    fn builder(step: &StepRun<'_, Self>) -> Result<String> {
        match step.output(BUILDER) {
            Some(Found::Builder(id)) => Ok(id),
            Some(Found::Image(_)) | None => Err(CtlError::new(
                ErrorKind::Unexpected,
                "use the builder: its step has not run",
            )),
        }
    }

    async fn apply(&self, call: &SendCommand, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let ctx = self.ctx;
        let builder = Self::builder(step)?;
        self.online(&builder).await?;
        let call = SendCommand {
            instance: Later::Known(builder.clone()),
            ..call.clone()
        };
        let under_way = ctx.aws.scripts_under_way(&builder).await?;
        let command = match under_way.iter().find(|known| known.comment == call.comment) {
            Some(known) => known.command.clone(),
            None => send(ctx, step, &call, || self.resume(&[])).await?,
        };
        step.note("command", &command);
        match follow(ctx, &command, &builder, self.within(APPLIED)).await? {
            Followed::Ended(ended) if ended.progress == Progress::Succeeded => {
                Ok(Done::new(format!("applied by command {command}")))
            }
            Followed::Ended(ended) => Err(failure(&ended)),
            Followed::GoesOn(_) if ctx.cancel.is_cancelled() => Err(interrupted("apply the bundle")),
            Followed::GoesOn(why) => Err(CtlError::new(
                ErrorKind::TimedOut,
                format!("apply the bundle to {builder}: {why}"),
            )),
        }
    }

    /// Waits until Systems Manager reaches the builder.
    async fn online(&self, builder: &str) -> Result<()> {
        let ctx = self.ctx;
        let ids = [builder.to_owned()];
        let doing = format!("wait for builder {builder}");
        let waited = self
            .wait(ONLINE, &doing, async || {
                let (reached, machines) =
                    futures::try_join!(ctx.aws.is_reached(builder), ctx.aws.machines(&ids))?;
                let state = machines.get(builder).and_then(|machine| machine.state.as_deref());
                match (state, reached) {
                    (Some("running"), Some(true)) => Ok(Look::Ready(())),
                    (None | Some("pending" | "running"), _) => Ok(Look::Pending(format!(
                        "builder {builder} is {}, and Systems Manager does not reach it yet",
                        state.unwrap_or("not shown yet")
                    ))),
                    (Some(state), _) => Err(CtlError::new(
                        ErrorKind::Failed,
                        format!("{doing}: it is {state} before Systems Manager has reached it"),
                    )),
                }
            })
            .await?;
        match waited {
            Waited::Ready(()) => Ok(()),
            Waited::Cancelled => Err(interrupted(&doing)),
            Waited::TimedOut => Err(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "{doing}: Systems Manager has not reached it within {}",
                    self.told(ONLINE)
                ),
            )
            .coded("builder-never-ready")
            .cause("it needs the agent in its image, a profile with AmazonSSMManagedInstanceCore, and a way to the endpoints of Systems Manager (Systems Manager User Guide, \"Troubleshooting managed node availability\")")
            .hint((
                "see the instances that are reached with",
                CommandLine::aws("ssm", "describe-instance-information"),
            ))),
        }
    }

    /// As long as that, and no longer than the operator wants to wait.
    fn within(&self, most: Duration) -> Duration {
        let left = self.until.map(|until| {
            let left = until.duration_since(self.ctx.clock.now());
            Duration::try_from(left).unwrap_or_default()
        });
        left.map_or(most, |left| left.min(most))
    }

    /// What a wait was given, in words.
    fn told(&self, most: Duration) -> String {
        match self.until {
            Some(_) => "the time that `--timeout` gives".to_owned(),
            None => humantime::format_duration(most).to_string(),
        }
    }

    /// Looks until it is ready, with progress.
    async fn wait<T>(
        &self,
        most: Duration,
        doing: &str,
        look: impl AsyncFnMut() -> Result<Look<T>>,
    ) -> Result<Waited<T>> {
        let (ui, live) = (&self.ctx.ui, self.ctx.ui.is_live());
        let progress = ui.progress(doing);
        Waiter::new(&self.ctx.clock, self.within(most), &self.ctx.cancel)
            .pace(PACE.0, PACE.1)
            .until(look, |text| {
                if live {
                    progress.say(text);
                } else {
                    ui.status(text);
                }
            })
            .await
    }

    async fn image(&self, call: &CreateImage, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let builder = Self::builder(step)?;
        let aws = &self.ctx.aws;
        let made = match aws.own_image_named(&call.name).await? {
            Some(image) => image.id,
            None => {
                self.stop(&builder, call, step).await?;
                let call = CreateImage {
                    instance: Later::Known(builder.clone()),
                    ..call.clone()
                };
                match step.send(aws, &call).await {
                    Ok(image) => image,
                    // The first request has arrived, and its answer was lost.
                    Err(error) => match aws.own_image_named(&call.name).await {
                        Ok(Some(image)) => image.id,
                        Ok(None) | Err(_) => return Err(error),
                    },
                }
            }
        };
        step.note(IMAGE, &made);
        let image = self.available(&made).await?;
        self.terminate(&builder, step).await?;
        let did = format!("image {} is available, and {builder} is terminated", image.id);
        Ok(Done::new(did).with(Found::Image(image.id)))
    }

    /// Stops the builder: what the file system holds back is written then.
    async fn stop(&self, builder: &str, call: &CreateImage, step: &StepRun<'_, Self>) -> Result<()> {
        let aws = &self.ctx.aws;
        let ids = [builder.to_owned()];
        let stop = StopInstances {
            instance: Later::Known(builder.to_owned()),
            resource: call.resource.clone(),
            loses: None,
        };
        step.send(aws, &stop).await?;
        let doing = format!("stop {builder}");
        let waited = self
            .wait(STOPPED, &doing, async || {
                let machines = aws.machines(&ids).await?;
                let state = machines.get(builder).and_then(|machine| machine.state.as_deref());
                match state {
                    Some("stopped") => Ok(Look::Ready(())),
                    Some("shutting-down" | "terminated") => Err(CtlError::new(
                        ErrorKind::Failed,
                        format!("{doing}: it was terminated by somebody else"),
                    )),
                    state => Ok(Look::Pending(format!(
                        "builder {builder} is {}",
                        state.unwrap_or("not shown")
                    ))),
                }
            })
            .await?;
        match waited {
            Waited::Ready(()) => Ok(()),
            Waited::Cancelled => Err(interrupted(&doing)),
            Waited::TimedOut => Err(CtlError::new(
                ErrorKind::Failed,
                format!("{doing}: it has not stopped within {}", self.told(STOPPED)),
            )),
        }
    }

    /// Waits until an image can be started from.
    async fn available(&self, id: &str) -> Result<Image> {
        let ids = [id.to_owned()];
        let doing = format!("wait for image {id}");
        let seen = RefCell::new(false);
        let waited = self
            .wait(AVAILABLE, &doing, async || {
                let found = self.ctx.aws.machine_images(&ids).await?.into_iter().next();
                match found {
                    Some(image) if image.state == "available" => Ok(Look::Ready(image)),
                    Some(image) if image.state == "pending" => {
                        seen.replace(true);
                        Ok(Look::Pending(format!("image {id} is pending")))
                    }
                    Some(image) => Err(CtlError::new(
                        ErrorKind::Failed,
                        format!("{doing}: it is {}", image.state),
                    )),
                    None if *seen.borrow() => Err(CtlError::new(
                        ErrorKind::Failed,
                        format!("{doing}: somebody else has deregistered it"),
                    )),
                    None => Ok(Look::Pending(format!("image {id} is not shown yet"))),
                }
            })
            .await?;
        match waited {
            Waited::Ready(image) => Ok(image),
            Waited::Cancelled => Err(interrupted(&doing)),
            Waited::TimedOut => Err(CtlError::new(
                ErrorKind::Failed,
                format!("{doing}: it is still pending after {}", self.told(AVAILABLE)),
            )),
        }
    }

    async fn terminate(&self, id: &str, step: &StepRun<'_, Self>) -> Result<()> {
        let call = TerminateInstances {
            instance: Later::Known(id.to_owned()),
            resource: format!("bake/{}", self.fleet),
            loses: None,
        };
        match step.send(&self.ctx.aws, &call).await {
            // EC2 forgets what was terminated within an hour.
            Err(error) if is_unknown_instance(&error) => Ok(()),
            sent => sent.map(|_| ()),
        }
    }

    /// The way back of the builder, also when bpctl does not know whether it was started.
    async fn take_builder_back(
        &self,
        run: &str,
        call: &TerminateInstances,
        step: &StepRun<'_, Self>,
    ) -> Result<Done<Self>> {
        let mut ids = Vec::new();
        if let Some(Found::Builder(id)) = step.output(BUILDER) {
            ids.push(id);
        } else if let Later::Known(id) = &call.instance {
            ids.push(id.clone());
        }
        let mut looks = 0;
        while ids.is_empty() && looks < LOOKS {
            if looks > 0 {
                self.ctx.clock.sleep(BETWEEN_LOOKS).await;
            }
            looks += 1;
            let found = self.ctx.aws.machines_tagged(RUN_TAG, &[run]).await?.into_values();
            let there = found.filter(|machine| machine.state.as_deref() != Some("terminated"));
            ids.extend(there.map(|machine| machine.id));
        }
        for id in &ids {
            self.terminate(id, step).await?;
        }
        Ok(Done::new(match ids.is_empty() {
            true => "no builder was started".to_owned(),
            false => format!("terminated {}", ids.join(", ")),
        }))
    }

    async fn discard(&self, name: &str, machines: &[String], step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let aws = &self.ctx.aws;
        let image = aws.own_image_named(name).await?;
        if let Some(image) = &image {
            // While it is pending it may not say its snapshots yet; they bear its name.
            let mut snapshots = image.snapshots.clone();
            snapshots.extend(aws.own_snapshots_named(name).await?);
            snapshots.sort();
            snapshots.dedup();
            self.remove_image(&image.id, &snapshots, step).await?;
        }
        for id in machines {
            self.terminate(id, step).await?;
        }
        Ok(Done::new(match image {
            Some(image) => format!("removed image {}", image.id),
            None => "no image was begun".to_owned(),
        }))
    }

    pub(super) async fn look_again(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let made = run.done().into_iter().find_map(|(_, found)| match found {
            Some(Found::Image(id)) => Some(id),
            Some(Found::Builder(_)) | None => None,
        });
        let base = seen.base_id.as_deref();
        let Some(id) = made else {
            if let Some(image) = finished(seen) {
                let base = base.filter(|_| is_wanted(seen, image));
                // The fleet starts from it already: nothing is to be said of that.
                let is_in_force = self.base.is_none() && seen.base_id.as_ref() == Some(&image.id);
                if self.goes_on.promote || !is_in_force {
                    self.baked.replace(Some(image.id.clone()));
                }
                run.ending(IMAGE, BakeResult::of(&self.fleet, image, base, false));
            }
            return Ok(());
        };
        let image = self
            .ctx
            .aws
            .machine_images(std::slice::from_ref(&id))
            .await?
            .into_iter()
            .next();
        let end = match &image {
            Some(image) if image.state == "available" => End::Settled,
            Some(image) => End::Overturned(format!("image {id} is {} again", image.state)),
            None => End::Overturned(format!("image {id} is gone again")),
        };
        if let Some(image) = image {
            if end == End::Settled {
                self.baked.replace(Some(image.id.clone()));
            }
            run.ending(IMAGE, BakeResult::of(&self.fleet, &image, base, true));
        }
        run.end(IMAGE, end);
        Ok(())
    }
}

fn interrupted(doing: &str) -> CtlError {
    CtlError::new(ErrorKind::Interrupted, format!("{doing}: interrupted"))
}

fn is_unknown_instance(error: &CtlError) -> bool {
    error
        .reply()
        .is_some_and(|reply| reply.is("InvalidInstanceID.NotFound"))
}
