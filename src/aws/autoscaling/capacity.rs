//! SetDesiredCapacity, with the answer read back.

use super::super::Aws;
use super::Group;
use crate::change::Permit;
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

impl Aws {
    /// The group of this name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none.
    pub(crate) async fn group(&self, name: &str) -> Result<Group> {
        let found = self.groups_named(&[name.to_owned()]).await?;
        found.into_iter().next().ok_or_else(|| {
            CtlError::new(
                ErrorKind::NotFound,
                format!("find the Auto Scaling group `{name}`: there is none of this name"),
            )
        })
    }

    /// Asks for `desired` instances whatever the cooldown says, and gives the group back as it is then.
    /// Scaling policies may already have changed it again.
    pub(crate) async fn set_desired_capacity(
        &self,
        group: &str,
        desired: u32,
        _permit: Permit<'_>,
    ) -> Result<Group> {
        let doing = || format!("set the desired capacity of `{group}` to {desired}");
        self.autoscaling_client()
            .await?
            .set_desired_capacity()
            .auto_scaling_group_name(group)
            .desired_capacity(
                i32::try_from(desired)
                    .map_err(|error| CtlError::new(ErrorKind::Usage, doing()).source(&error))?,
            )
            .honor_cooldown(false)
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        self.group(group).await
    }
}
