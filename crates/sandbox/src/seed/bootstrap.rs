//! What `cdk bootstrap` leaves in an account (AWS CDK Developer Guide, "AWS CDK bootstrapping"): the toolkit's stack, the
//! bucket and the repository for assets, and the parameter that every template asks for the version.

use std::time::Duration;

use serde_json::json;

use super::stacks::{parameter, resource};
use crate::ids::Ids;
use crate::service::cloudformation::{self, Output, StackSpec};
use crate::service::{ecr, s3, ssm};
use crate::world::World;

/// The qualifier that the CDK uses unless it is told another one.
const QUALIFIER: &str = "hnb659fds";

/// Of `aws-cdk` 2.1148.
const VERSION: &str = "30";

/// How long before the operator's arrival the account was bootstrapped.
const AGE: Duration = Duration::from_secs(92 * 24 * 60 * 60);

/// Ids of its own: what is drawn after it does not depend on whether an account was bootstrapped.
const SEED: u64 = 0x0063_646b;

pub(super) fn place(world: &mut World) {
    let own = std::mem::replace(&mut world.ids, Ids::new(SEED));
    toolkit(world);
    world.ids = own;
}

fn toolkit(world: &mut World) {
    let at = world.now - AGE;
    let (account, region) = (world.options.account_id.clone(), world.options.region.clone());
    let bucket = format!("cdk-{QUALIFIER}-assets-{account}-{region}");
    let version = format!("/cdk-bootstrap/{QUALIFIER}/version");
    let repository = format!("cdk-{QUALIFIER}-container-assets-{account}-{region}");
    s3::create_bucket(world, &bucket, true, at);
    ecr::create_repository(world, &repository, at);
    ssm::put_at(world, at, &version, VERSION, "text");
    let output = |key: &str, value: &str| Output {
        key: key.to_owned(),
        value: value.to_owned(),
        export: None,
    };
    let spec = StackSpec {
        name: "CDKToolkit".to_owned(),
        description: "This stack includes resources needed to deploy AWS CDK apps into this environment"
            .to_owned(),
        created: at,
        updated: None,
        outputs: vec![
            output("BootstrapVersion", VERSION),
            output("BucketName", &bucket),
            output("ImageRepositoryName", &repository),
        ],
        tags: Vec::new(),
        resources: vec![
            resource(
                "StagingBucket",
                &bucket,
                "AWS::S3::Bucket",
                json!({ "BucketName": bucket, "VersioningConfiguration": { "Status": "Enabled" } }),
            ),
            resource(
                "ContainerAssetsRepository",
                &repository,
                "AWS::ECR::Repository",
                json!({ "RepositoryName": repository }),
            ),
            parameter("CdkBootstrapVersion", &version, VERSION),
        ],
    };
    cloudformation::put_stack(world, spec);
}
